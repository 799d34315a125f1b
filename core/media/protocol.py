"""What the cage and its decoder children say to each other: plain data and its framing. Neither av nor numpy here."""

import json
import struct
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Message = dict[str, Any]

HEADER = struct.Struct(">I")
"""Each message is its length in bytes, then that many bytes of JSON."""

MAX_MESSAGE_BYTES = 1 << 20


class Resize(StrEnum):
    """How a frame of any shape becomes a square."""

    STRETCH = "stretch"
    CROP = "crop"


class Backend(StrEnum):
    """Who decodes, in the same cage, to the same rows."""

    PYAV = "pyav"
    DECORD = "decord"


class Sampling(StrEnum):
    """Which frames stand for the clip.

    `even` takes the frame nearest to each target time. `near_keys` takes a key frame instead where one lies in the
    target's own segment. `keys` takes key frames only, where the container lists enough of them, else it is
    `near_keys`.
    """

    EVEN = "even"
    NEAR_KEYS = "near_keys"
    KEYS = "keys"


@dataclass(frozen=True)
class ClipTarget:
    """The clip to decode: (num_frames, size_px, size_px, 3) uint8 RGB.

    Attributes:
        resize: a `Resize`; crop scales the shorter side to size_px and keeps the centre.
        sampling: a `Sampling`; each step to the right is cheaper and less even.
        deblock: whether the codec smooths the edges of its blocks, as a player shows them; without, it costs less.
    """

    num_frames: int
    size_px: int
    resize: str = Resize.STRETCH
    sampling: str = Sampling.EVEN
    deblock: bool = True

    def __post_init__(self) -> None:
        Resize(self.resize)
        Sampling(self.sampling)
        if self.num_frames < 1 or self.size_px < 1:
            raise ValueError(f"a clip of {self.num_frames} frames of {self.size_px} px is none")

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(T, H, W, 3)."""
        return (self.num_frames, self.size_px, self.size_px, 3)

    @property
    def nbytes(self) -> int:
        """How many bytes the clip takes."""
        return self.num_frames * self.size_px * self.size_px * 3


@dataclass(frozen=True)
class MediaLimits:
    """What one video may ask of a decoder."""

    max_bytes: int
    max_pixels: int
    max_duration_s: float
    min_distinct_frames: int


@dataclass(frozen=True)
class Probe:
    """What a video is.

    Attributes:
        width_px: as stored, before rotation.
        height_px: as stored, before rotation.
        duration_s: from the first shown frame to the end of the last one, whatever the container claims.
        frames: how many frames are shown.
        codec: its canonical name: `h264`, `hevc`, `av1`.
        rotation: degrees counter-clockwise that a player turns the picture by: 0, 90, 180, -90.
        content_type: of the container.
    """

    width_px: int
    height_px: int
    duration_s: float
    frames: int
    codec: str
    rotation: int
    content_type: str


@dataclass(frozen=True)
class DecodedClip:
    """What became of a clip's frames.

    Attributes:
        times_s: when each frame is shown, from the first frame on; a repeated frame repeats its time.
        distinct_frames: how many different, undamaged frames of the video the clip holds.
        sampling: how its frames were chosen, which the container decides with the target.
    """

    times_s: tuple[float, ...]
    distinct_frames: int
    sampling: Sampling
    probe: Probe


def to_frame(message: Message) -> bytes:
    """A message with its length in front."""
    body = json.dumps(message).encode()
    return HEADER.pack(len(body)) + body


def parse_length(header: bytes) -> int:
    """How many bytes follow.

    Raises:
        ValueError: the other side does not speak this protocol.
    """
    (length,) = HEADER.unpack(header)
    if length > MAX_MESSAGE_BYTES:
        raise ValueError(f"a message of {length} bytes is over {MAX_MESSAGE_BYTES}")
    return int(length)


def parse_message(body: bytes) -> Message:
    """The message itself.

    Raises:
        ValueError, TypeError: the other side does not speak this protocol.
    """
    message = json.loads(body)
    if not isinstance(message, dict):
        raise TypeError("a message is a JSON object")
    return message
