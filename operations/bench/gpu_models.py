"""What bench gpu computes: networks of published shapes with random weights, and the operations each takes."""

from dataclasses import dataclass
from typing import Any

import torch
from transformers import (
    VideoMAEConfig,
    VideoMAEForVideoClassification,
    XLMRobertaConfig,
    XLMRobertaForSequenceClassification,
)

CAPTION_TOKENS = (64, 128)
# Several labels, each for itself: their probabilities give their logits back.
_LABELS: dict[str, Any] = {"num_labels": 8, "problem_type": "multi_label_classification"}


@dataclass(frozen=True)
class Encoder:
    """Sizes of a transformer encoder; `patch` is how many numbers a patch has, 0 for words."""

    width: int
    inner: int
    layers: int
    heads: int
    patch: int = 0

    def flop(self, tokens: int) -> float:
        """Floating-point operations of one item, two per multiply-add.

        A layer multiplies each token by four matrices of width x width and two of width x inner, and compares every
        token with every other twice (scores, weighted sum): tokens (4 width² + 2 width inner) + 2 tokens² width. The
        patch embedding adds tokens x patch x width. Heads, norms and activations are left out.
        """
        layer = tokens * (4 * self.width**2 + 2 * self.width * self.inner) + 2 * tokens**2 * self.width
        return 2.0 * (self.layers * layer + tokens * self.patch * self.width)

    def config(self) -> dict[str, Any]:
        """In transformers' words."""
        return {
            "hidden_size": self.width,
            "intermediate_size": self.inner,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
        }


@dataclass(frozen=True)
class Sizes:
    """Both encoders, what they read, and how long and on how large a product anything is measured."""

    video: Encoder
    text: Encoder
    frames: int
    side_px: int
    patch_px: int
    words: int
    matmul_side: int
    seconds: float

    @property
    def clip_shape(self) -> tuple[int, int, int, int]:
        """(T, H, W, 3)."""
        return (self.frames, self.side_px, self.side_px, 3)

    @property
    def clip_flop(self) -> float:
        """Of one clip; a patch spans two frames."""
        return self.video.flop(self.frames // 2 * (self.side_px // self.patch_px) ** 2)


PUBLISHED = Sizes(
    video=Encoder(768, 3072, 12, 12, patch=2 * 3 * 16 * 16),
    text=Encoder(1024, 4096, 24, 16),
    frames=16,
    side_px=224,
    patch_px=16,
    words=250_002,
    matmul_side=8192,
    seconds=2.0,
)
"""VideoMAE-B on 16 frames of 224 px, and XLM-R-large, which is also CafeBERT's shape."""
TINY = Sizes(
    video=Encoder(32, 48, 2, 2, patch=2 * 3 * 8 * 8),
    text=Encoder(32, 48, 2, 2),
    frames=4,
    side_px=16,
    patch_px=8,
    words=100,
    matmul_side=256,
    seconds=0.02,
)
"""The same code in seconds on any CPU; its figures say nothing."""


def video_model(sizes: Sizes, device: torch.device) -> Any:  # noqa: ANN401 - transformers' model
    """A VideoMAE classifier in float32, in eval mode."""
    config = VideoMAEConfig(
        **sizes.video.config(), image_size=sizes.side_px, patch_size=sizes.patch_px, num_frames=sizes.frames, **_LABELS
    )
    torch.manual_seed(0)
    return _at_rest(VideoMAEForVideoClassification(config), device)


def text_model(sizes: Sizes, device: torch.device) -> Any:  # noqa: ANN401 - transformers' model
    """An XLM-R classifier in float32, in eval mode."""
    config = XLMRobertaConfig(
        # Positions begin after the padding id.
        **sizes.text.config(),
        vocab_size=sizes.words,
        max_position_embeddings=max(CAPTION_TOKENS) + 2,
        **_LABELS,
    )
    torch.manual_seed(0)
    return _at_rest(XLMRobertaForSequenceClassification(config), device)


def _at_rest(model: Any, device: torch.device) -> Any:  # noqa: ANN401 - transformers' model
    return model.eval().to(device)
