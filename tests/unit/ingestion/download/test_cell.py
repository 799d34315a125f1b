import os
from pathlib import Path

import pytest

from core.errors_ingest import IngestAddressRefused
from ingestion.download.cell import check

GATE = 4000


def ask(folder: Path, event: str, *arguments: object) -> None:
    check(event, arguments, port=GATE, folder=folder)


@pytest.mark.parametrize(
    ("event", "target"),
    [
        ("socket.connect", ("127.0.0.1", GATE + 1)),
        ("socket.connect", ("93.184.215.14", 443)),
        ("socket.connect", "/run/docker.sock"),
        ("socket.sendto", ("8.8.8.8", 53)),
    ],
)
def test_nothing_is_connected_to_but_the_gate(tmp_path: Path, event: str, target: object) -> None:
    ask(tmp_path, "socket.connect", None, ("127.0.0.1", GATE))

    with pytest.raises(IngestAddressRefused):
        ask(tmp_path, event, None, target)


def test_no_name_is_looked_up_here(tmp_path: Path) -> None:
    ask(tmp_path, "socket.getaddrinfo", "127.0.0.1", GATE, 0, 0, 0)

    with pytest.raises(IngestAddressRefused):
        ask(tmp_path, "socket.getaddrinfo", "tiktok.com", 443, 0, 0, 0)


@pytest.mark.parametrize("event", ["subprocess.Popen", "os.system", "os.posix_spawn", "os.rename", "os.symlink"])
def test_no_program_is_started_and_no_file_moved(tmp_path: Path, event: str) -> None:
    with pytest.raises(PermissionError):
        ask(tmp_path, event, "ffmpeg", [], None, None)


@pytest.mark.parametrize("name", ["../elsewhere", "/etc/cron.d/job", ".", "media/../../elsewhere"])
def test_nothing_is_written_outside_the_folder(tmp_path: Path, name: str) -> None:
    ask(tmp_path, "open", str(tmp_path / "media"), "x", os.O_WRONLY | os.O_CREAT)
    ask(tmp_path, "open", "/etc/ssl/openssl.cnf", "r", os.O_RDONLY)

    with pytest.raises(PermissionError):
        ask(tmp_path, "open", str(tmp_path / name), "w", os.O_WRONLY | os.O_CREAT)
