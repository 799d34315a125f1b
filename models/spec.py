"""What a served set of models expects and answers: read by clients, which never import torch."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

from core.media.protocol import Resize


@dataclass(frozen=True)
class ClipSpec:
    """The clip a video model takes: (num_frames, size_px, size_px, 3) uint8 RGB, normalised in the worker."""

    num_frames: int
    size_px: int
    resize: Resize

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(T, H, W, 3)."""
        return (self.num_frames, self.size_px, self.size_px, 3)

    @property
    def clip_bytes(self) -> int:
        """Bytes of one clip."""
        return self.num_frames * self.size_px * self.size_px * 3


@dataclass(frozen=True)
class ServedModels:
    """What the worker serves right now.

    Attributes:
        model_version: the canonical string, never empty: `text:3|video:5|fusion:-`.
        clip: the clip to decode for it.
        max_tokens: longer captions are cut there.
        tokenizer_json: the fast tokenizer, as the `tokenizers` library reads it.
        labels: every label each modality emits, e.g. {"text": ("hate", "harassment")}.
        fusion_passed_gate: whether fusion may decide by default.
    """

    model_version: str
    clip: ClipSpec
    max_tokens: int
    tokenizer_json: bytes
    labels: dict[str, tuple[str, ...]]
    fusion_passed_gate: bool

    @cached_property
    def inputs_id(self) -> str:
        """Names the preparation of inputs: clips and token ids made for another one would be scored wrongly."""
        parts = (repr(self.clip), str(self.max_tokens), hashlib.sha256(self.tokenizer_json).hexdigest())
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]

    @property
    def facts(self) -> dict[str, str]:
        """For people: inputs and labels, in words."""
        clip = self.clip
        emitted = {f"labels_{modality}": ", ".join(labels) for modality, labels in self.labels.items() if labels}
        return {
            "clip": f"{clip.num_frames} frames, {clip.size_px} x {clip.size_px} px",
            "caption": f"{self.max_tokens} tokens",
            "fusion": "passed its gate" if self.fusion_passed_gate else "did not pass its gate",
            **emitted,
        }
