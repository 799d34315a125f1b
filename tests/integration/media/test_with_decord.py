"""decord in the same cage: the rows of the other backend where it answers, and killed where it hangs."""

import importlib.util
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import ConfigError, MediaError
from core.media.cage import Cage
from core.media.protocol import Backend, ClipTarget, DecodedClip, Resize, Sampling
from core.settings import DecodeSettings
from tests.fixtures.media import VideoShelf, read_number

IS_INSTALLED = importlib.util.find_spec("decord") is not None
needs_decord = pytest.mark.skipif(not IS_INSTALLED, reason="decord is not installed: pip install clipwarden[decord]")
pytestmark = pytest.mark.integration

WALL_LIMIT_S = 6.0


@pytest.fixture(scope="module")
def cages() -> Iterator[tuple[Cage, Cage]]:
    settings = DecodeSettings(children=1, wall_limit_s=WALL_LIMIT_S)
    with Cage(settings) as ours, Cage(settings.model_copy(update={"backend": Backend.DECORD})) as other:
        yield ours, other


def _decode(cage: Cage, videos: VideoShelf, name: str, target: ClipTarget) -> tuple[DecodedClip, NDArray[np.uint8]]:
    out = np.zeros(target.shape, np.uint8)
    return cage.decode_into(videos.get(name), target, out), out


@needs_decord
@pytest.mark.parametrize("name", ["clip.mp4", "open_gop.mp4", "one_key_frame.mp4", "variable_rate.mp4", "hevc.mp4", "vp9.webm", "rotated.mp4", "five_frames.mp4", "open_gop.ts", "trimmed.mp4", "mpeg4.avi"])  # fmt: skip  # noqa: E501
@pytest.mark.parametrize(
    "target", [ClipTarget(16, 80), ClipTarget(4, 80, sampling=Sampling.KEYS), ClipTarget(8, 64, Resize.CROP)]
)
def test_its_rows_are_those_of_the_other_backend(
    cages: tuple[Cage, Cage], videos: VideoShelf, name: str, target: ClipTarget
) -> None:
    (ours, our_rows), (other, other_rows) = (_decode(cage, videos, name, target) for cage in cages)

    assert (other.times_s, other.distinct_frames, other.sampling) == (ours.times_s, ours.distinct_frames, ours.sampling)
    assert other.probe == ours.probe
    assert np.abs(other_rows.astype(int) - our_rows).mean() < 4
    if target.resize == Resize.STRETCH and name != "rotated.mp4":
        assert [read_number(frame) for frame in other_rows] == [read_number(frame) for frame in our_rows]


def _answer(cage: Cage, videos: VideoShelf, name: str) -> str:
    try:
        _decode(cage, videos, name, ClipTarget(16, 80))
    except MediaError as error:
        return error.code
    return "ok"


@needs_decord
@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("flipped.mp4", "media.undecodable"),
        ("cut_at_5_percent.mp4", "media.undecodable"),
        ("no_index.mp4", "media.undecodable"),
        ("understated.mp4", "ok"),
    ],
)
def test_broken_media_end_in_a_reason_or_a_clip(
    cages: tuple[Cage, Cage], videos: VideoShelf, name: str, answer: str
) -> None:
    assert _answer(cages[1], videos, name) == answer


@pytest.mark.skipif(IS_INSTALLED, reason="decord is installed")
def test_without_it_nothing_starts() -> None:
    with pytest.raises(ConfigError, match=r"clipwarden\[decord\]"):
        Cage(DecodeSettings(backend=Backend.DECORD))
