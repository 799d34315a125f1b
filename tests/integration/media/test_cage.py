"""What hostile media, hostile signals and dying parents do to the cage: nothing that reaches us."""

import fcntl
import os
import signal
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from core.errors import (
    DependencyError,
    MediaCrashed,
    MediaEmpty,
    MediaError,
    MediaMissing,
    MediaNoVideo,
    MediaTimeout,
    MediaTooLarge,
    MediaTooLong,
    MediaUndecodable,
)
from core.media import cage as cage_module
from core.media.cage import Cage
from core.media.process import DecoderProcess
from core.media.protocol import ClipTarget, Message
from core.settings import DecodeSettings
from tests.fixtures.media import VideoShelf, read_number

pytestmark = pytest.mark.integration

TARGET = ClipTarget(5, 80)
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - where POSIX blocks lie
NUMBERS = [5, 15, 25, 35, 45]
REFUSALS = {
    "zero_bytes.mp4": MediaEmpty,
    "garbage.mp4": MediaUndecodable,
    "page.mp4": MediaUndecodable,
    "playlist.mp4": MediaUndecodable,
    "script.mp4": MediaUndecodable,
    "no_index.mp4": MediaUndecodable,
    "no_data.mp4": MediaUndecodable,
    "cut_at_5_percent.mp4": MediaUndecodable,
    "audio_only.mp4": MediaNoVideo,
    "hours.mp4": MediaTooLong,
    "8192x8192.mp4": MediaTooLarge,
}


@pytest.fixture(scope="module")
def cage() -> Iterator[Cage]:
    with Cage(DecodeSettings(children=1)) as shared:
        yield shared


def _until(is_true: Callable[[], bool], *, limit_s: float = 20.0) -> None:
    deadline = time.monotonic() + limit_s
    while not is_true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)


def _decode(cage: Cage, path: Path) -> list[int]:
    out = np.zeros(TARGET.shape, np.uint8)
    cage.decode_into(path, TARGET, out)
    return [read_number(frame) for frame in out]


def _is_gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state in "ZX"


def _memory_bytes(pid: int, kind: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(kind)) * 1024


@pytest.mark.parametrize("name", REFUSALS)
def test_bad_media_is_refused_with_its_reason_and_the_child_lives_on(cage: Cage, videos: VideoShelf, name: str) -> None:
    cage.probe(videos.get("clip.mp4"))
    before = cage.pids()

    with pytest.raises(REFUSALS[name]):
        cage.probe(videos.get(name))
    with pytest.raises(REFUSALS[name]):
        _decode(cage, videos.get(name))

    assert cage.pids() == before
    assert _decode(cage, videos.get("clip.mp4")) == NUMBERS


def test_a_missing_file_and_a_folder_are_missing_media(cage: Cage, tmp_path: Path) -> None:
    for path in (tmp_path / "none.mp4", tmp_path):
        with pytest.raises(MediaMissing):
            cage.probe(path)


def test_a_huge_picture_is_refused_before_it_is_decoded(videos: VideoShelf) -> None:
    with Cage(DecodeSettings(children=1)) as cage:
        with pytest.raises(MediaTooLarge):
            _decode(cage, videos.get("8192x8192.mp4"))

        assert _memory_bytes(cage.pids()[0], "VmHWM") < 150_000_000


def test_media_that_takes_too_much_memory_is_too_large(videos: VideoShelf) -> None:
    with Cage(DecodeSettings(children=1)) as cage:
        _decode(cage, videos.get("clip.mp4"))
        enough_bytes = _memory_bytes(cage.pids()[0], "VmPeak") + 5_000_000
        _decode(cage, videos.get("3072x3072.mp4"))

    with Cage(DecodeSettings(children=1, memory_limit_bytes=enough_bytes)) as cage:
        with pytest.raises(MediaTooLarge):
            _decode(cage, videos.get("3072x3072.mp4"))
        assert _decode(cage, videos.get("clip.mp4")) == NUMBERS


def test_a_decoder_that_hangs_is_killed_in_time(videos: VideoShelf) -> None:
    with Cage(DecodeSettings(children=1, wall_limit_s=2.0)) as cage:
        cage.probe(videos.get("clip.mp4"))
        (hung,) = cage.pids()
        os.kill(hung, signal.SIGSTOP)

        started = time.monotonic()
        with pytest.raises(MediaTimeout):
            _decode(cage, videos.get("clip.mp4"))

        assert 1.9 < time.monotonic() - started < 10
        assert _is_gone(hung)
        assert _decode(cage, videos.get("clip.mp4")) == NUMBERS


def test_a_child_killed_under_a_request_loses_nothing(videos: VideoShelf) -> None:
    with Cage(DecodeSettings(children=1)) as cage, ThreadPoolExecutor(1) as threads:
        cage.probe(videos.get("clip.mp4"))
        (child,) = cage.pids()
        os.kill(child, signal.SIGSTOP)
        decoding = threads.submit(_decode, cage, videos.get("clip.mp4"))
        _until(lambda: _unread_bytes(cage) > 0)
        os.kill(child, signal.SIGKILL)

        assert decoding.result(20) == NUMBERS
        assert child not in cage.pids()


def _unread_bytes(cage: Cage) -> int:
    # What a stopped child has been sent and cannot read yet lies in our socket's send queue.
    (child,) = cage._alive.values()
    return int.from_bytes(fcntl.ioctl(child._socket, termios.TIOCOUTQ, b"\0" * 4), sys.byteorder)


def test_a_child_killed_while_idle_costs_no_retry(cage: Cage, videos: VideoShelf) -> None:
    cage.probe(videos.get("clip.mp4"))
    (child,) = cage.pids()
    os.kill(child, signal.SIGKILL)
    _until(lambda: not cage.pids())

    assert _decode(cage, videos.get("clip.mp4")) == NUMBERS


class _Mortal(DecoderProcess):
    """Dies of every request."""

    def ask(self, request: Message | None, *, limit_s: float) -> Message:
        if request is not None:
            self.kill()
        return super().ask(request, limit_s=limit_s)


def test_media_that_kills_two_decoders_has_crashed(videos: VideoShelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cage_module, "DecoderProcess", _Mortal)
    with Cage(DecodeSettings(children=1)) as cage, pytest.raises(MediaCrashed):
        cage.probe(videos.get("clip.mp4"))


def test_a_child_is_replaced_after_its_share_of_requests(videos: VideoShelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cage_module, "_RECYCLE_AFTER_REQUESTS", 3)
    with Cage(DecodeSettings(children=1)) as cage:
        served = [(cage.probe(videos.get("clip.mp4")), cage.pids())[1] for _ in range(4)]

    assert served[0] == served[1] != served[2] == served[3]


def test_many_threads_share_few_children(videos: VideoShelf) -> None:
    names = ["clip.mp4", "one_key_frame.mp4", "open_gop.mp4", "garbage.mp4"] * 8
    with Cage(DecodeSettings(children=2)) as cage, ThreadPoolExecutor(6) as threads:
        results = [threads.submit(_decode, cage, videos.get(name)) for name in names]
        for name, result in zip(names, results, strict=True):
            if name == "garbage.mp4":
                assert isinstance(result.exception(30), MediaError)
            else:
                assert result.result(30) == NUMBERS
        assert len(cage.pids()) <= 2


def test_a_child_outlives_the_thread_that_first_asked(videos: VideoShelf) -> None:
    with Cage(DecodeSettings(children=1)) as cage:
        first = threading.Thread(target=cage.probe, args=(videos.get("clip.mp4"),))
        first.start()
        first.join()
        before = cage.pids()
        cage.probe(videos.get("clip.mp4"))

        assert cage.pids() == before != ()


def test_nothing_is_left_in_shared_memory(videos: VideoShelf) -> None:
    before = set(SHARED_MEMORY.iterdir())
    with Cage(DecodeSettings(children=1)) as cage:
        _decode(cage, videos.get("clip.mp4"))
        children = cage.pids()

    assert set(SHARED_MEMORY.iterdir()) <= before
    assert all(_is_gone(pid) for pid in children)


def test_closing_ends_the_requests_under_way(videos: VideoShelf) -> None:
    cage = Cage(DecodeSettings(children=1))
    with ThreadPoolExecutor(1) as threads:
        cage.probe(videos.get("clip.mp4"))
        os.kill(cage.pids()[0], signal.SIGSTOP)
        decoding = threads.submit(_decode, cage, videos.get("clip.mp4"))
        _until(lambda: _unread_bytes(cage) > 0)
        cage.close()

        assert isinstance(decoding.exception(20), DependencyError)
        with pytest.raises(DependencyError):
            cage.probe(videos.get("clip.mp4"))


_PARENT = """
import sys, time
from pathlib import Path
from core.media.cage import Cage
from core.settings import DecodeSettings
cage = Cage(DecodeSettings(children=1))
cage.probe(Path(sys.argv[1]))
print(*cage.pids(), flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("is_hung", [False, True])
def test_children_die_with_their_parent_even_when_hung(videos: VideoShelf, *, is_hung: bool) -> None:
    command = [sys.executable, "-c", _PARENT, str(videos.get("clip.mp4"))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(next(line for line in parent.stdout if line.strip().isdigit()))
        if is_hung:
            os.kill(child, signal.SIGSTOP)
        parent.kill()

    _until(lambda: _is_gone(child))


def test_the_child_sees_none_of_our_environment(videos: VideoShelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIPWARDEN_MEDIA__SECRET_KEY", "hush")
    with Cage(DecodeSettings(children=1)) as cage:
        cage.probe(videos.get("clip.mp4"))

        assert b"hush" not in Path(f"/proc/{cage.pids()[0]}/environ").read_bytes()


def test_the_parent_never_loads_libav() -> None:
    check = "import sys, core.media.cage; sys.exit('av' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
