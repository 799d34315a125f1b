"""Decoding what code has written: each frame carries its number."""

from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import MediaTooLarge, MediaTooLong, MediaUndecodable
from core.media.decode import decode_clip
from core.media.probe import probe
from core.media.protocol import ClipTarget, DecodedClip, MediaLimits, Resize, Sampling
from tests.fixtures.media import VideoShelf, read_number

pytestmark = pytest.mark.integration

LIMITS = MediaLimits(max_bytes=10_000_000, max_pixels=4096 * 2304, max_duration_s=60.0, min_distinct_frames=8)
EVERY_CODEC = ("clip.mp4", "hevc.mp4", "vp9.webm", "av1.mp4", "mpeg4.avi")
EVERY_STRUCTURE = ("open_gop.mp4", "open_gop.ts", "one_key_frame.mp4", "intra_refresh.mp4", "understated.mp4")


def _decode(
    videos: VideoShelf, name: str, target: ClipTarget, limits: MediaLimits = LIMITS
) -> tuple[DecodedClip, NDArray[np.uint8]]:
    out = np.zeros(target.shape, np.uint8)
    return decode_clip(videos.get(name), target, limits, out=out), out


def _numbers(clip: NDArray[np.uint8]) -> list[int]:
    return [read_number(frame) for frame in clip]


def _decode_whole(videos: VideoShelf, name: str, size_px: int) -> list[NDArray[np.uint8]]:
    with av.open(str(videos.get(name))) as container:
        frames: list[Any] = list(container.decode(video=0))
    return [frame.reformat(size_px, size_px, "rgb24", interpolation="BILINEAR").to_ndarray() for frame in frames]


@pytest.mark.parametrize("name", EVERY_CODEC + EVERY_STRUCTURE)
def test_frames_are_those_of_a_full_decode_spread_evenly(videos: VideoShelf, name: str) -> None:
    clip, out = _decode(videos, name, ClipTarget(16, 64))

    whole = _decode_whole(videos, name, 64)
    wanted = [(row + 0.5) * len(whole) / 16 for row in range(16)]
    # Encoders repeat frames: of equal ones, the one that was meant.
    same = [[place for place, frame in enumerate(whole) if np.array_equal(frame, row)] for row in out]
    places = [min(equal, key=lambda place: abs(place - at)) for equal, at in zip(same, wanted, strict=True)]
    assert clip.distinct_frames == len(set(places)) == 16
    # AVI keeps the order of decoding only.
    assert places == pytest.approx(wanted, abs=2 if name.endswith(".avi") else 0.51)


def test_times_say_when_each_frame_is_shown(videos: VideoShelf) -> None:
    clip, out = _decode(videos, "clip.mp4", ClipTarget(5, 80))

    assert _numbers(out) == [5, 15, 25, 35, 45]
    assert clip.times_s == pytest.approx([0.2, 0.6, 1.0, 1.4, 1.8])


def test_a_variable_frame_rate_is_sampled_by_time(videos: VideoShelf) -> None:
    clip, out = _decode(videos, "variable_rate.mp4", ClipTarget(8, 80))

    assert _numbers(out) == [23, 41, 42, 43, 45, 46, 47, 48]
    assert clip.times_s == pytest.approx([0.575, 1.9, 2.8, 3.7, 5.5, 6.4, 7.3, 8.2])


def test_a_trimmed_file_shows_only_what_its_edit_list_shows(videos: VideoShelf) -> None:
    clip, out = _decode(videos, "trimmed.mp4", ClipTarget(16, 80))

    assert clip.distinct_frames == 16
    assert clip.probe.duration_s == pytest.approx(2.0)
    assert min(_numbers(out)) >= 325
    assert max(_numbers(out)) <= 374


def test_a_rotated_video_stands_upright(videos: VideoShelf) -> None:
    clip, out = _decode(videos, "rotated.mp4", ClipTarget(5, 80))

    assert clip.probe.rotation == -90
    assert _numbers(np.rot90(out, 1, axes=(1, 2))) == [5, 15, 25, 35, 45]
    top_right, bottom_right = out[0, 10, 70], out[0, 70, 70]
    assert top_right.argmax() == 0
    assert bottom_right.argmax() == 2


def test_crop_keeps_the_proportions_of_the_centre(videos: VideoShelf) -> None:
    _, stretched = _decode(videos, "clip.mp4", ClipTarget(1, 96))
    _, cropped = _decode(videos, "clip.mp4", ClipTarget(1, 96, Resize.CROP))

    with av.open(str(videos.get("clip.mp4"))) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert np.abs(cropped[0].astype(int) - frames[25][:, 32:128]).mean() < 2
    assert np.abs(stretched[0].astype(int) - frames[25][:, 32:128]).mean() > 10


@pytest.mark.parametrize(("name", "frames"), [("one_frame.mp4", 1), ("five_frames.mp4", 5)])
def test_a_short_video_is_padded_by_repeating(videos: VideoShelf, name: str, frames: int) -> None:
    clip, out = _decode(videos, name, ClipTarget(16, 80))

    assert clip.distinct_frames == frames
    assert _numbers(out) == [min(round((2 * row + 1) * frames / 32), frames - 1) for row in range(16)]


def test_key_frames_stand_in_where_they_are_near(videos: VideoShelf) -> None:
    few, near = _decode(videos, "clip.mp4", ClipTarget(8, 80, sampling=Sampling.NEAR_KEYS))
    enough, keys = _decode(videos, "clip.mp4", ClipTarget(4, 80, sampling=Sampling.KEYS))

    assert _numbers(near) == [0, 12, 16, 24, 28, 36, 41, 48]
    assert _numbers(keys) == [0, 12, 36, 48]
    assert (few.sampling, enough.sampling) == (Sampling.NEAR_KEYS, Sampling.KEYS)


def test_frames_lost_to_damage_are_replaced_by_their_neighbours(videos: VideoShelf) -> None:
    clip, out = _decode(videos, "flipped.mp4", ClipTarget(16, 80))

    assert 8 <= clip.distinct_frames < 16
    assert all(frame.any() for frame in out)
    assert list(clip.times_s) == sorted(clip.times_s)


def test_what_is_left_of_a_cut_file_is_enough_if_enough_is_left(videos: VideoShelf) -> None:
    clip, _ = _decode(videos, "cut_at_60_percent.mp4", ClipTarget(16, 80))
    assert clip.distinct_frames >= 8

    with pytest.raises(MediaUndecodable, match="distinct"):
        _decode(videos, "cut_at_5_percent.mp4", ClipTarget(16, 80))


@pytest.mark.parametrize(
    ("limits", "refusal"),
    [
        (MediaLimits(1000, 4096 * 2304, 60.0, 8), MediaTooLarge),
        (MediaLimits(10_000_000, 160 * 95, 60.0, 8), MediaTooLarge),
        (MediaLimits(10_000_000, 4096 * 2304, 1.9, 8), MediaTooLong),
    ],
)
def test_limits_hold_before_anything_is_decoded(
    videos: VideoShelf, limits: MediaLimits, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        _decode(videos, "clip.mp4", ClipTarget(16, 80), limits)


def test_frames_larger_than_the_container_says_are_refused(videos: VideoShelf) -> None:
    limits = MediaLimits(max_bytes=10_000_000, max_pixels=100 * 100, max_duration_s=60.0, min_distinct_frames=8)

    with pytest.raises((MediaTooLarge, MediaUndecodable)):
        _decode(videos, "understated.mp4", ClipTarget(16, 80), limits)


def test_an_array_of_another_shape_is_refused(videos: VideoShelf) -> None:
    with pytest.raises(ValueError, match="target"):
        decode_clip(videos.get("clip.mp4"), ClipTarget(16, 80), LIMITS, out=np.zeros((16, 80, 80), np.uint8))


@pytest.mark.parametrize(
    ("name", "codec", "content_type"),
    [
        ("clip.mp4", "h264", "video/mp4"),
        ("quicktime.mov", "h264", "video/quicktime"),
        ("hevc.mp4", "hevc", "video/mp4"),
        ("vp9.webm", "vp9", "video/webm"),
        ("av1.mp4", "av1", "video/mp4"),
        ("mpeg4.avi", "mpeg4", "video/x-msvideo"),
        ("open_gop.ts", "h264", "video/mp2t"),
    ],
)
def test_a_probe_says_what_the_video_is(videos: VideoShelf, name: str, codec: str, content_type: str) -> None:
    found = probe(videos.get(name), LIMITS)

    assert (found.width_px, found.height_px, found.frames) == (160, 96, 50)
    assert (found.codec, found.content_type, found.rotation) == (codec, content_type, 0)
    assert found.duration_s == pytest.approx(2.0, abs=0.1)
