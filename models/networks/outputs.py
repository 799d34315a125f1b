"""What a network takes and answers, whoever made it: the starter's own networks and any other checkpoint alike."""

from dataclasses import dataclass
from typing import Any, Protocol

import torch


@dataclass(frozen=True)
class TextOutput:
    """Captions, scored. All float32 on the network's device.

    Attributes:
        probabilities: (B, L) in [0, 1], in the order of the bundle's text labels.
        states: (B, N, D), what fusion attends over; N depends on the batch.
        state_mask: (B, N) bool, True where a state is real.
        token_scores: (B, S) in [0, 1], how much each id speaks for harm; 0 on padding.
    """

    probabilities: torch.Tensor
    states: torch.Tensor
    state_mask: torch.Tensor
    token_scores: torch.Tensor


@dataclass(frozen=True)
class VideoOutput:
    """Clips, scored. All float32 on the network's device.

    Attributes:
        probabilities: (B, L) in [0, 1], in the order of the bundle's video labels.
        states: (B, T', D), what fusion attends over.
        frame_scores: (B, T) in [0, 1], how much the moment around each frame speaks for harm.
    """

    probabilities: torch.Tensor
    states: torch.Tensor
    frame_scores: torch.Tensor


class Network(Protocol):
    """What every network can do."""

    def to(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - torch's own signature
        """Move to a device or dtype."""
        ...


class TextNetwork(Network, Protocol):
    """Caption ids → scores."""

    def __call__(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> TextOutput:
        """Score captions; both arguments are (B, S) int64, S at least 1, the mask 1 where an id is real."""
        ...


class VideoNetwork(Network, Protocol):
    """Clips → scores."""

    def __call__(self, clips: torch.Tensor) -> VideoOutput:
        """Score clips of (B, T, H, W, 3) uint8 RGB; the checkpoint's own mean and std are applied on the device."""
        ...


class FusionNetwork(Network, Protocol):
    """Both modalities' states → scores."""

    def __call__(
        self,
        text_states: torch.Tensor,
        text_state_mask: torch.Tensor,
        video_states: torch.Tensor,
        modality_mask: torch.Tensor,
    ) -> torch.Tensor:
        """Score posts: (B, L) in [0, 1].

        modality_mask is (B, 2) bool, columns text and video; where False that row's states are ignored, whatever they
        hold (zeros of shape (B, 1, D) do).
        """
        ...
