import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from core.media.protocol import Resize
from models.arena import DIRECTORY, Arena, ArenaReader, ArenaUnreadableError, reap_orphans
from models.spec import ClipSpec

_SPEC = ClipSpec(num_frames=2, size_px=8, resize=Resize.CROP)


@pytest.fixture
def arena(tmp_path: Path) -> object:
    arena = Arena(_SPEC, 3, directory=tmp_path)
    yield arena
    arena.close()


@pytest.fixture
def reader(tmp_path: Path) -> object:
    reader = ArenaReader(tmp_path)
    yield reader
    reader.close()


def _read(reader: ArenaReader, name: str, offset_bytes: int) -> np.ndarray:
    out = np.zeros(_SPEC.clip_bytes, np.uint8)
    reader.check(name, offset_bytes, _SPEC.clip_bytes)
    reader.read_into(name, offset_bytes, out.data)
    return out.reshape(_SPEC.shape)


def test_a_reader_sees_each_slot_as_it_was_written(arena: Arena, reader: ArenaReader) -> None:
    for number, slot in enumerate(arena.slots):
        slot.frames[:] = number + 1

    for number, slot in enumerate(arena.slots):
        assert slot.shm_name is not None
        assert np.unique(_read(reader, slot.shm_name, slot.offset_bytes)).tolist() == [number + 1]


def test_another_process_may_write_a_slot_by_name_and_leaves_the_block_behind(tmp_path: Path, arena: Arena) -> None:
    slot = arena.slots[1]
    code = (
        f"import mmap; f = open('{tmp_path}/{slot.shm_name}', 'r+b'); m = mmap.mmap(f.fileno(), 0);"
        f"m[{slot.offset_bytes}:{slot.offset_bytes + _SPEC.clip_bytes}] = b'\\x2a' * {_SPEC.clip_bytes}"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

    assert np.unique(slot.frames).tolist() == [42]
    assert (tmp_path / str(slot.shm_name)).exists()


def test_a_full_memory_disk_gives_private_slots(tmp_path: Path) -> None:
    arena = Arena(_SPEC, 2, directory=tmp_path / "missing")
    arena.slots[1].frames[:] = 3

    assert arena.slots[1].shm_name is None
    assert np.unique(arena.slots[1].frames).tolist() == [3]
    arena.close()


@pytest.mark.parametrize(
    "name",
    [
        "",
        "x",
        "../etc/passwd",
        "/etc/passwd",
        "clipwarden-1-zz",
        "clipwarden-1-0123456789abcdef/..",
        "clipwarden-1-0123456789abcdef",
    ],
)
def test_names_that_are_no_arena_of_ours_are_unreadable(reader: ArenaReader, name: str) -> None:
    with pytest.raises(ArenaUnreadableError):
        reader.check(name, 0, 1)


def test_links_and_special_files_are_unreadable(tmp_path: Path, reader: ArenaReader) -> None:
    link = tmp_path / "clipwarden-1-00000000000000aa"
    link.symlink_to("/etc/hostname")
    os.mkfifo(tmp_path / "clipwarden-1-00000000000000bb")

    for name in (link.name, "clipwarden-1-00000000000000bb"):
        with pytest.raises(ArenaUnreadableError):
            reader.check(name, 0, 1)


def test_a_slot_outside_the_block_is_unreadable(arena: Arena, reader: ArenaReader) -> None:
    with pytest.raises(ArenaUnreadableError, match="outside"):
        reader.check(str(arena.name), arena.slots[2].offset_bytes + 4096, _SPEC.clip_bytes)


def test_a_block_cut_after_it_was_checked_is_an_error_not_a_crash(
    tmp_path: Path, arena: Arena, reader: ArenaReader
) -> None:
    slot = arena.slots[2]
    reader.check(str(slot.shm_name), slot.offset_bytes, _SPEC.clip_bytes)
    os.truncate(tmp_path / str(slot.shm_name), 4096)

    with pytest.raises(ArenaUnreadableError, match="cut"):
        reader.read_into(str(slot.shm_name), slot.offset_bytes, memoryview(bytearray(_SPEC.clip_bytes)))


def test_closing_removes_the_block_and_the_reader_lets_go(tmp_path: Path, arena: Arena, reader: ArenaReader) -> None:
    _read(reader, str(arena.name), 0)
    arena.close()

    reader.sweep()

    assert list(tmp_path.iterdir()) == []
    assert reader._open == {}


def test_a_killed_owners_block_is_reaped_and_a_living_owners_is_not(tmp_path: Path, arena: Arena) -> None:
    code = (
        "import sys; from pathlib import Path; from models.arena import *; from models.spec import *;"
        f"a = Arena(ClipSpec(2, 8, Resize.CROP), 3, directory=Path('{tmp_path}'));"
        "print(a.name, flush=True); sys.stdin.read()"
    )
    owner = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with owner:
        assert owner.stdout is not None
        name = owner.stdout.readline().strip()
        reap_orphans(tmp_path)
        assert (tmp_path / name).exists()

        owner.send_signal(signal.SIGKILL)
        owner.wait(10)

    reap_orphans(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [arena.name]


def test_a_block_that_is_being_created_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "clipwarden-1-00000000000000cc"
    path.touch()

    reap_orphans(tmp_path)
    assert path.exists()

    os.utime(path, (0, 0))
    reap_orphans(tmp_path)
    assert not path.exists()


def test_nothing_of_this_file_is_left_in_shared_memory() -> None:
    assert not list(DIRECTORY.glob(f"clipwarden-{os.getpid()}-*"))
