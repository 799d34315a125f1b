"""Both modalities' states → one probability: that either part is harmful, corrected by what each finds in the other."""

from typing import Any

import torch
from torch import nn
from torch.nn import functional
from transformers import PreTrainedModel

from models.networks.config import OwnConfig

_LEAST = 1e-6


class CrossFusionConfig(OwnConfig):  # type: ignore[no-untyped-call]  # transformers' hook has no types
    """Sizes of the network, and what validation set.

    Attributes:
        text_dim: width of the text states; `video_dim`: of the video states; `dim`: its own.
        text_logit: place of the text model's logit of harm in its first state; the video model's is the last.
        alone: modality → [temperature, bias] of its own model: what fusion says when only that one is there.
        text_among_pairs: [temperature, bias] that make the text logit a probability among pairs.
        correction: how much of what the attention says counts; 0: only whether either part is harmful.
        trained_over: modality → fingerprint of the weights whose states it was trained on.
        passed_gate: whether macro-F1 on the gate pairs reached the gate.
    """

    model_type = "clipwarden-fusion"

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 - transformers' own signature
        self.text_dim: int = kwargs.pop("text_dim", 51)
        self.video_dim: int = kwargs.pop("video_dim", 25)
        self.dim: int = kwargs.pop("dim", 32)
        self.heads: int = kwargs.pop("heads", 4)
        self.text_logit: int = kwargs.pop("text_logit", -1)
        self.alone: dict[str, list[float]] = kwargs.pop("alone", {"text": [1.0, 0.0], "video": [1.0, 0.0]})
        self.text_among_pairs: list[float] = kwargs.pop("text_among_pairs", [1.0, 0.0])
        self.correction: float = kwargs.pop("correction", 1.0)
        self.trained_over: dict[str, str] = kwargs.pop("trained_over", {})
        self.passed_gate: bool = kwargs.pop("passed_gate", False)
        kwargs.setdefault("id2label", {0: "harmful"})
        super().__init__(**kwargs)


class CrossFusionModel(PreTrainedModel):  # type: ignore[no-untyped-call]  # transformers' hook has no types
    """The noisy or of both models' probabilities, plus a correction: text looks at video and video at text.

    The correction starts at nothing, so fusion starts where two good models already are. Where a modality is missing
    there is nothing to fuse: it says what the other model says.
    """

    config: CrossFusionConfig
    config_class = CrossFusionConfig
    base_model_prefix = "fusion"
    main_input_name = "text_states"
    half_modules = ()

    def __init__(self, config: CrossFusionConfig) -> None:
        super().__init__(config)
        self.text = _projection(config.text_dim, config.dim)
        self.video = _projection(config.video_dim, config.dim)
        self.text_over_video = nn.MultiheadAttention(config.dim, config.heads, dropout=0.1, batch_first=True)
        self.video_over_text = nn.MultiheadAttention(config.dim, config.heads, dropout=0.1, batch_first=True)
        self.read = nn.Sequential(
            nn.LayerNorm(4 * config.dim),
            nn.Dropout(0.2),
            nn.Linear(4 * config.dim, config.dim),
            nn.GELU(),
            nn.Dropout(0.2),
        )
        self.correct = nn.Linear(config.dim, len(config.labels))
        nn.init.zeros_(self.correct.weight)
        nn.init.zeros_(self.correct.bias)
        self.post_init()  # type: ignore[no-untyped-call]  # transformers' own

    def _init_weights(self, module: nn.Module) -> None:
        """Keep what torch and the constructor set."""

    def forward(
        self,
        text_states: torch.Tensor,
        text_state_mask: torch.Tensor,
        video_states: torch.Tensor,
        modality_mask: torch.Tensor,
    ) -> torch.Tensor:
        """Probabilities (B, L); see models.networks.outputs.FusionNetwork. Without any modality they are 0."""
        text_states = _without(text_states, modality_mask[:, 0])
        video_states = _without(video_states, modality_mask[:, 1])
        is_both = modality_mask.all(1, keepdim=True)
        logits = self.logits(text_states, text_state_mask | ~is_both, video_states)
        both = torch.sigmoid((logits + self.config.calibration_bias) / self.config.calibration_temperature)
        text, video = self.own_logits(text_states, video_states)
        ways = [_scaled(text, self.config.alone["text"]), _scaled(video, self.config.alone["video"])]
        alone = (torch.sigmoid(torch.cat(ways, dim=1)) * modality_mask).sum(1, keepdim=True)
        return torch.where(is_both, both, alone)

    def logits(
        self, text_states: torch.Tensor, text_state_mask: torch.Tensor, video_states: torch.Tensor
    ) -> torch.Tensor:
        """Uncalibrated (B, L) logits of posts with both modalities."""
        if self.config.correction == 0:
            return self.either(text_states, video_states)
        correction = self.correction(text_states, text_state_mask, video_states)
        return self.either(text_states, video_states) + self.config.correction * correction

    def either(self, text_states: torch.Tensor, video_states: torch.Tensor) -> torch.Tensor:
        """(B, 1) logit of the noisy or, 1 - (1 - text) (1 - video)."""
        text, video = self.own_logits(text_states, video_states)
        text, video = _scaled(text, self.config.text_among_pairs), _scaled(video, self.config.alone["video"])
        surprise = (functional.softplus(text) + functional.softplus(video)).clamp(min=_LEAST)
        return surprise + torch.log(-torch.expm1(-surprise))

    def correction(
        self, text_states: torch.Tensor, text_state_mask: torch.Tensor, video_states: torch.Tensor
    ) -> torch.Tensor:
        """(B, L), what attention adds to the logits when it counts in full."""
        text, video = self.text(text_states), self.video(video_states)
        from_video, _ = self.text_over_video(text, video, video, need_weights=False)
        from_text, _ = self.video_over_text(video, text, text, key_padding_mask=~text_state_mask, need_weights=False)
        weight = text_state_mask.unsqueeze(2).to(text.dtype)
        found = [(part * weight).sum(1) / weight.sum(1) for part in (text, from_video)]
        result: torch.Tensor = self.correct(self.read(torch.cat([*found, video.mean(1), from_text.mean(1)], dim=1)))
        return result

    def own_logits(self, text_states: torch.Tensor, video_states: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Each model's own uncalibrated logit of harm, (B, 1): their first states hold them."""
        return text_states[:, 0, self.config.text_logit].unsqueeze(1), video_states[:, 0, -1:]


def _projection(width: int, dim: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width, dim), nn.LayerNorm(dim))


def _without(states: torch.Tensor, is_there: torch.Tensor) -> torch.Tensor:
    """Zeros where the modality is missing, whatever was there."""
    return states.masked_fill(~is_there.view(-1, 1, 1), 0.0)


def _scaled(logits: torch.Tensor, calibration: list[float]) -> torch.Tensor:
    temperature, bias = calibration
    return (logits + bias) / temperature
