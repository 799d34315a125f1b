"""What is no good video never gets past inspection, has its code, and takes nothing else along."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import av
import pytest

from core.errors import MediaUndecodable, PlatformError
from core.errors_ingest import IngestTruncated
from core.media.cage import Cage
from core.settings import DecodeSettings
from ingestion.inspect import Inspector
from tests.fixtures.hostile_files import HOSTILE, ODD_NAMES
from tests.fixtures.media import VideoShelf
from tests.fixtures.tripwire import Bait

pytestmark = pytest.mark.integration
SETTINGS = DecodeSettings(children=1)


@pytest.fixture(scope="module")
def cage() -> Iterator[Cage]:
    with Cage(SETTINGS) as shared:
        yield shared


@pytest.fixture(scope="module")
def inspector(cage: Cage) -> Inspector:
    return Inspector(cage, SETTINGS)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_with_its_code_and_nothing_else_is_opened(
    inspector: Inspector, cage: Cage, bait: Bait, videos: VideoShelf, tmp_path: Path, *, name: str
) -> None:
    code, make = HOSTILE[name]
    path = make(tmp_path / "clip.mp4", bait) or tmp_path / "clip.mp4"
    with inspector.inspected(videos.get("clip.mp4")):
        children = cage.pids()
    bait.opened()

    with pytest.raises(PlatformError) as refusal, inspector.inspected(path):
        pass

    assert refusal.value.code == code
    assert str(refusal.value).isprintable()
    assert not bait.opened()
    assert not bait.requests
    assert cage.pids() == children


@pytest.mark.parametrize("name", [name for name in HOSTILE if name.startswith(("a playlist", "a concat", "a station"))])
def test_a_file_that_names_others_stays_closed_in_the_cage_alone(
    cage: Cage, bait: Bait, tmp_path: Path, name: str
) -> None:
    HOSTILE[name][1](tmp_path / "clip.mp4", bait)
    bait.opened()

    with pytest.raises(MediaUndecodable):
        cage.probe(tmp_path / "clip.mp4")

    assert not bait.opened()
    assert not bait.requests


def test_the_bait_is_alive(bait: Bait, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text(f"ffconcat version 1.0\nfile {bait.file}\n")
    bait.opened()

    av.open(str(script), format="concat", options={"safe": "0"}).close()

    assert "bait.mp4" in bait.opened()


@pytest.mark.parametrize("name", ODD_NAMES, ids=ascii)
def test_no_name_means_anything(inspector: Inspector, videos: VideoShelf, tmp_path: Path, name: str) -> None:
    clip = videos.get("clip.mp4").read_bytes()
    (tmp_path / name).write_bytes(clip)

    with inspector.inspected(tmp_path / name) as video:
        assert video.sha256 == hashlib.sha256(clip).hexdigest()
        assert name not in video.object_key


@pytest.mark.parametrize(
    "name", ["clip.mp4", "open_gop.ts", "quicktime.mov", "vp9.webm", "av1.mp4", "mpeg4.avi", "understated.mp4"]
)
def test_a_good_video_passes_with_what_it_is(inspector: Inspector, videos: VideoShelf, name: str) -> None:
    path = videos.get(name)

    with inspector.inspected(path) as video:
        assert video.size_bytes == path.stat().st_size
        assert video.content_type.startswith("video/")
        assert video.probe.frames > 0


def test_what_was_inspected_is_what_is_read_whoever_swaps_the_file(
    inspector: Inspector, videos: VideoShelf, tmp_path: Path
) -> None:
    path, clip = tmp_path / "clip.mp4", videos.get("clip.mp4").read_bytes()
    path.write_bytes(clip)

    with inspector.inspected(path) as video:
        (tmp_path / "other").write_bytes(b"something else")
        (tmp_path / "other").rename(path)

        assert video.handle.read_bytes() == clip


def test_a_file_written_to_while_it_is_read_is_not_taken(
    inspector: Inspector, videos: VideoShelf, tmp_path: Path
) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(videos.get("clip.mp4").read_bytes())

    with pytest.raises(IngestTruncated), inspector.inspected(path), path.open("ab") as file:
        file.write(b"more")


def test_no_handle_is_left_open(inspector: Inspector, bait: Bait, tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for code, make in (HOSTILE["a page"], HOSTILE["sound only"]):
        path = tmp_path / f"{code}.mp4"
        make(path, bait)
        with pytest.raises(PlatformError), inspector.inspected(path):
            pass

    assert len(list(Path("/proc/self/fd").iterdir())) == before
