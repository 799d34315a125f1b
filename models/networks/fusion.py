"""Both modalities' states → one probability: each attends over the other, a missing one is a learned token."""

from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel

from models.networks.config import OwnConfig


class CrossFusionConfig(OwnConfig):  # type: ignore[no-untyped-call]  # transformers' hook has no types
    """Sizes of the network, and what validation set.

    Attributes:
        text_dim: width of the text states; `video_dim`: of the video states; `dim`: its own.
        trained_over: modality → fingerprint of the weights whose states it was trained on.
        passed_gate: whether macro-F1 on the gate pairs reached the gate.
    """

    model_type = "clipwarden-fusion"

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 - transformers' own signature
        self.text_dim: int = kwargs.pop("text_dim", 51)
        self.video_dim: int = kwargs.pop("video_dim", 32)
        self.dim: int = kwargs.pop("dim", 64)
        self.heads: int = kwargs.pop("heads", 4)
        self.trained_over: dict[str, str] = kwargs.pop("trained_over", {})
        self.passed_gate: bool = kwargs.pop("passed_gate", False)
        kwargs.setdefault("id2label", {0: "harmful"})
        super().__init__(**kwargs)


class ModalityStates(nn.Module):
    """One modality's states, projected, after a learned token that stands alone where the modality is missing."""

    def __init__(self, width: int, dim: int) -> None:
        super().__init__()
        self.project = nn.Linear(width, dim)
        self.norm = nn.LayerNorm(dim)
        self.null = nn.Parameter(torch.zeros(1, 1, dim))
        nn.init.normal_(self.null, std=0.5)

    def forward(
        self, states: torch.Tensor, is_real: torch.Tensor, is_there: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """States (B, N, width) → (B, 1 + N, dim) and whether each may be looked at."""
        is_real = is_real & is_there.unsqueeze(1)
        clean = states.masked_fill(~is_real.unsqueeze(2), 0.0)
        tokens = torch.cat([self.null.expand(len(states), 1, -1), self.norm(self.project(clean))], dim=1)
        return tokens, torch.cat([~is_there.unsqueeze(1), is_real], dim=1)


class CrossFusionModel(PreTrainedModel):  # type: ignore[no-untyped-call]  # transformers' hook has no types
    """Text looks at video and video at text; what each found is averaged, joined and read."""

    config: CrossFusionConfig
    config_class = CrossFusionConfig
    base_model_prefix = "fusion"
    main_input_name = "text_states"
    half_modules = ()

    def __init__(self, config: CrossFusionConfig) -> None:
        super().__init__(config)
        self.text = ModalityStates(config.text_dim, config.dim)
        self.video = ModalityStates(config.video_dim, config.dim)
        self.text_over_video = nn.MultiheadAttention(config.dim, config.heads, dropout=0.1, batch_first=True)
        self.video_over_text = nn.MultiheadAttention(config.dim, config.heads, dropout=0.1, batch_first=True)
        self.read = nn.Sequential(
            nn.LayerNorm(4 * config.dim),
            nn.Dropout(0.2),
            nn.Linear(4 * config.dim, config.dim),
            nn.GELU(),
            nn.Dropout(0.2),
            nn.Linear(config.dim, len(config.labels)),
        )
        self.post_init()  # type: ignore[no-untyped-call]  # transformers' own

    def _init_weights(self, module: nn.Module) -> None:
        """Keep what torch set: every part of it is a torch layer."""

    def forward(
        self,
        text_states: torch.Tensor,
        text_state_mask: torch.Tensor,
        video_states: torch.Tensor,
        modality_mask: torch.Tensor,
    ) -> torch.Tensor:
        """Probabilities (B, L); see models.networks.outputs.FusionNetwork."""
        logits = self.logits(text_states, text_state_mask, video_states, modality_mask)
        return torch.sigmoid((logits + self.config.calibration_bias) / self.config.calibration_temperature)

    def logits(
        self,
        text_states: torch.Tensor,
        text_state_mask: torch.Tensor,
        video_states: torch.Tensor,
        modality_mask: torch.Tensor,
    ) -> torch.Tensor:
        """Uncalibrated (B, L) logits."""
        every_frame = torch.ones(video_states.shape[:2], dtype=torch.bool, device=video_states.device)
        text, text_seen = self.text(text_states, text_state_mask, modality_mask[:, 0])
        video, video_seen = self.video(video_states, every_frame, modality_mask[:, 1])
        from_video, _ = self.text_over_video(text, video, video, key_padding_mask=~video_seen, need_weights=False)
        from_text, _ = self.video_over_text(video, text, text, key_padding_mask=~text_seen, need_weights=False)
        found = [_mean(text, text_seen), _mean(from_video, text_seen), _mean(video, video_seen)]
        result: torch.Tensor = self.read(torch.cat([*found, _mean(from_text, video_seen)], dim=1))
        return result


def _mean(states: torch.Tensor, is_seen: torch.Tensor) -> torch.Tensor:
    """(B, N, D) → (B, D), over what may be looked at; there is always something."""
    weight = is_seen.unsqueeze(2).to(states.dtype)
    return (states * weight).sum(1) / weight.sum(1)
