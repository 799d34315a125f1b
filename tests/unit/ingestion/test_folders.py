import os
from pathlib import Path

import pytest

from core.clock import FixedClock
from ingestion.folders import FolderWatch, find_videos, fingerprint
from tests.fixtures.stores import NOON


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOON)


@pytest.fixture
def watch(tmp_path: Path, clock: FixedClock) -> FolderWatch:
    return FolderWatch([tmp_path], clock, settle_s=2.0)


def write(path: Path, content: bytes = b"x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_a_file_is_taken_when_it_has_stopped_growing_and_once(
    watch: FolderWatch, clock: FixedClock, tmp_path: Path
) -> None:
    path = write(tmp_path / "clip.mp4")
    told = []
    for second, size in enumerate((1, 2, 3, 3, 3, 3, 3)):
        write(path, b"x" * size)
        os.utime(path, (size, size))
        clock.elapsed_s = float(second)
        told.append(watch.look())

    assert told == [[], [], [], [], [path], [], []]


def test_a_file_moved_in_is_taken_however_old_it_is(watch: FolderWatch, clock: FixedClock, tmp_path: Path) -> None:
    path = write(tmp_path / "in" / "clip.mp4")
    os.utime(path, (1, 1))

    assert watch.look() == []
    clock.elapsed_s = 2.0
    assert watch.look() == [path]


def test_a_file_that_is_written_to_again_is_told_again(watch: FolderWatch, clock: FixedClock, tmp_path: Path) -> None:
    path = write(tmp_path / "clip.mp4")
    told = []
    for second in (0.0, 2.0, 4.0, 6.0):
        clock.elapsed_s = second
        if second == 4.0:
            write(path, b"another")
        told.append(watch.look())

    assert told == [[], [path], [], [path]]


def test_a_file_that_went_away_is_forgotten(watch: FolderWatch, clock: FixedClock, tmp_path: Path) -> None:
    path = write(tmp_path / "clip.mp4")
    watch.look()
    path.unlink()
    clock.elapsed_s = 2.0

    assert watch.look() == []


def test_only_video_files_are_looked_for_and_none_that_is_hidden(tmp_path: Path) -> None:
    wanted = [write(tmp_path / name) for name in ("a.mp4", "b/C.MOV")]
    for name in (".a.mp4.Xy12", ".hidden.mp4", ".rsync/d.mp4", "e.mp4.part", "f.txt"):
        write(tmp_path / name)

    assert find_videos([tmp_path]) == wanted


def test_a_files_mark_stays_until_it_is_written_to(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4")
    before = fingerprint(path)

    assert fingerprint(path) == before
    os.utime(path, (5, 5))
    assert fingerprint(path) != before
    assert fingerprint(tmp_path / "none.mp4") is None
