import os
import signal
import subprocess
import sys
from pathlib import Path

from core.clock import FixedClock
from dashboard.export_files import KEPT_S, ExportFiles, path_of
from tests.fixtures.stores import NOON

EXPORT_AND_WAIT = """
import time
from core.clock import SystemClock
from dashboard.export_files import ExportFiles, path_of

files = ExportFiles(SystemClock())
body = files.room()
path_of(body).write_text("a caption")
files.keep("an", body, "x.csv")
print("kept", flush=True)
time.sleep(60)
"""


def kept(files: ExportFiles, user_id: str, words: str) -> str:
    body = files.room()
    path_of(body).write_text(words)
    return files.keep(user_id, body, f"{words}.csv")


def read(files: ExportFiles, token: str, user_id: str) -> str | None:
    found = files.open(token, user_id)
    if found is None:
        return None
    with found[0] as body:
        return f"{found[1]}: {body.read().decode()}"


def test_a_file_is_for_its_person_alone_until_the_next_one_or_its_time_is_over() -> None:
    clock = FixedClock(NOON)
    files = ExportFiles(clock)
    first, others = kept(files, "an", "x"), kept(files, "bo", "z")

    assert read(files, first, "an") == read(files, first, "an") == "x.csv: x"
    assert read(files, first, "bo") is None
    assert read(files, "x", "an") is None

    second = kept(files, "an", "y")
    assert read(files, first, "an") is None
    assert read(files, second, "an") == "y.csv: y"
    assert read(files, others, "bo") == "z.csv: z"

    clock.elapsed_s += KEPT_S + 1
    assert read(files, second, "an") is None
    files.close()


def test_a_download_goes_on_when_another_file_takes_its_place() -> None:
    files = ExportFiles(FixedClock(NOON))
    found = files.open(kept(files, "an", "x"), "an")
    assert found is not None

    kept(files, "an", "y")

    with found[0] as body:
        assert body.read() == b"x"
    files.close()


def test_nothing_of_what_was_exported_is_left_of_a_console_that_was_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", EXPORT_AND_WAIT]
    with subprocess.Popen(command, env={**os.environ, "TMPDIR": str(tmp_path)}, stdout=subprocess.PIPE) as console:
        assert console.stdout is not None
        assert console.stdout.readline() == b"kept\n"
        console.send_signal(signal.SIGKILL)

    assert list(tmp_path.iterdir()) == []
