"""Any Hugging Face classifier → the same outputs as the starter's own networks.

These networks say nothing about single words or moments, so token_scores and frame_scores are 0: no evidence is better
than invented evidence.
"""

import math
from typing import Any

import torch
from torch import nn

from core.labels import HARMFUL_LABEL
from models.networks.outputs import TextOutput, VideoOutput
from models.preprocess import PixelScale, normalise_pixels, scale_pixels

_BINARY = 2
_TIME_LAST = "timesformer"
"""It lays its tokens out patch by patch, each through time; the others moment by moment."""


class LabelReader:
    """Logits → probabilities, with their labels; two exclusive classes are `harmful` and its opposite, class 0.

    Where `harmful` is the only label, the config's calibration counts, as in the own networks: calibration_bias is
    added to the logit and calibration_temperature divides it.

    Raises:
        ValueError: the calibration is none.
    """

    def __init__(self, config: Any) -> None:  # noqa: ANN401 - any checkpoint's config
        self._is_multi_label = config.problem_type == "multi_label_classification" or config.num_labels == 1
        self._is_binary = not self._is_multi_label and config.num_labels == _BINARY
        self._is_one = self._is_binary or config.num_labels == 1
        names = (config.id2label[place] for place in range(config.num_labels))
        self.labels: tuple[str, ...] = (HARMFUL_LABEL,) if self._is_one else tuple(str(name).lower() for name in names)
        self._temperature = float(getattr(config, "calibration_temperature", 1.0))
        self._bias = float(getattr(config, "calibration_bias", 0.0))
        if not (0 < self._temperature < math.inf and math.isfinite(self._bias)):
            raise ValueError(f"calibration_temperature {self._temperature}, calibration_bias {self._bias}")

    def harm(self, logits: torch.Tensor) -> torch.Tensor:
        """(B, 1 or 2) → (B, 1): the logit of `harmful` before calibration."""
        return logits.float()[:, -1:] - (logits.float()[:, :1] if self._is_binary else 0)

    def __call__(self, logits: torch.Tensor) -> torch.Tensor:
        """(B, C) → (B, L)."""
        if self._is_one:
            return torch.sigmoid((self.harm(logits) + self._bias) / self._temperature)
        return torch.sigmoid(logits.float()) if self._is_multi_label else logits.float().softmax(1)


class HuggingFaceText(nn.Module):
    """An AutoModelForSequenceClassification."""

    has_fixed_shapes = True

    def __init__(self, model: Any) -> None:  # noqa: ANN401 - any of transformers' classes
        super().__init__()
        self.model = model
        self.config = model.config
        self.reader = LabelReader(model.config)

    def harm(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """(B, 1): the uncalibrated logit of `harmful`, which training moves."""
        return self.reader.harm(self.model(input_ids=input_ids, attention_mask=attention_mask).logits)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> TextOutput:
        """Score (B, S) captions; the states are the last layer's."""
        out = self.model(input_ids=input_ids, attention_mask=attention_mask, output_hidden_states=True)
        no_evidence = torch.zeros(input_ids.shape, device=input_ids.device)
        return TextOutput(self.reader(out.logits), out.hidden_states[-1].float(), attention_mask.bool(), no_evidence)


class HuggingFaceVideo(nn.Module):
    """An AutoModelForVideoClassification, e.g. VideoMAE, TimeSformer or ViViT."""

    has_fixed_shapes = True
    scale_pixels = staticmethod(scale_pixels)

    def __init__(self, model: Any, scale: PixelScale) -> None:  # noqa: ANN401 - any of transformers' classes
        super().__init__()
        self.model = model
        self.config = model.config
        self.reader = LabelReader(model.config)
        self.scale = scale

    def harm(self, clips: torch.Tensor) -> torch.Tensor:
        """(B, 1): the uncalibrated logit of `harmful`, which training moves."""
        return self.reader.harm(self.model(pixel_values=self._pixels(clips)).logits)

    def forward(self, clips: torch.Tensor) -> VideoOutput:
        """Score (B, T, H, W, 3) uint8 clips; the states are the last layer's, averaged over each moment's patches."""
        out = self.model(pixel_values=self._pixels(clips), output_hidden_states=True)
        moments = clips.shape[1] // _frames_of_a_patch(self.config)
        is_time_last = self.config.model_type == _TIME_LAST
        states = _over_patches(out.hidden_states[-1].float(), moments, is_time_last=is_time_last)
        no_evidence = torch.zeros(clips.shape[:2], device=clips.device)
        return VideoOutput(self.reader(out.logits), states, no_evidence)

    def _pixels(self, clips: torch.Tensor) -> torch.Tensor:
        return normalise_pixels(clips, self.scale, self.model.dtype, by=self.scale_pixels)


def _frames_of_a_patch(config: Any) -> int:  # noqa: ANN401 - any checkpoint's config
    """How many frames a patch spans; ViViT states its height and width beside it."""
    size = getattr(config, "tubelet_size", 1)
    return int(size[0] if isinstance(size, list | tuple) else size)


def _over_patches(states: torch.Tensor, moments: int, *, is_time_last: bool) -> torch.Tensor:
    """(B, [1 +] moments x patches, D) → (B, moments, D); a leading class token is dropped."""
    batch, tokens, width = states.shape
    patches = tokens // moments
    kept = states[:, tokens - moments * patches :]
    if is_time_last:
        return kept.reshape(batch, patches, moments, width).mean(1)
    return kept.reshape(batch, moments, patches, width).mean(2)
