"""bench decode reads from the pixels which frames were shown, so no decoder can be believed by mistake."""

from pathlib import Path

import pytest

from operations.bench.decode import bench_decode
from operations.bench.made import MadeClip

pytestmark = pytest.mark.integration

CLIPS = [
    MadeClip("plain", 144, seconds=2, gop=15),
    MadeClip("uneven", 144, seconds=2, is_uneven=True),
    MadeClip("rotated", 144, seconds=2, rotation=-90),
]


def test_every_decoder_shows_sixteen_frames_where_they_belong(tmp_path: Path) -> None:
    result = bench_decode(tmp_path, rounds=1, clips=CLIPS)

    rows = result["rows"]
    assert isinstance(rows, list)
    assert {"ours", "pyav-forward"} <= {row["decoder"] for row in rows}
    for row in rows:
        if row["decoder"] in ("ours", "pyav-forward"):
            # Frames of up to twice the mean length.
            most = 1.0 if row["clip"] == "uneven" else 0.5
            assert (row["distinct_frames"], row["worst_error_frames"] <= most) == (16, True), row
            assert row["cpu_ms"] > 0


def test_a_clip_that_is_there_is_not_made_again(tmp_path: Path) -> None:
    bench_decode(tmp_path, rounds=1, clips=CLIPS[:1])
    before = (tmp_path / "plain.mp4").stat().st_mtime_ns

    bench_decode(tmp_path, rounds=1, clips=CLIPS[:1])

    assert (tmp_path / "plain.mp4").stat().st_mtime_ns == before
