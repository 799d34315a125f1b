import os
import subprocess
from pathlib import Path

import pytest

from operations.embedded import postgres
from operations.state import Paths

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only as root PostgreSQL needs another user")


def test_the_cluster_lies_in_the_root_where_its_user_may_enter(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    assert postgres.data_dir(Paths(tmp_path)) == tmp_path / ".clipwarden" / "data" / "postgres"


@as_root
def test_the_cluster_lies_beside_a_root_that_its_user_may_not_enter(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)

    assert postgres.data_dir(Paths(tmp_path)) == Paths(tmp_path).annex / "postgres"


@as_root
def test_the_programs_work_as_a_copy_that_another_user_may_run(tmp_path: Path) -> None:
    annex = Paths(tmp_path).annex
    annex.mkdir(mode=0o711)
    try:
        postgres._copy_programs(annex / postgres.PACKAGE)
        programs = annex / postgres.PACKAGE / "pginstall" / "bin"

        for program in ("postgres", "initdb"):
            result = subprocess.run(
                [programs / program, "--version"], user="nobody", cwd="/", capture_output=True, text=True, check=True
            )
            assert "PostgreSQL" in result.stdout
    finally:
        subprocess.run(["rm", "-rf", annex], check=True)


def test_a_stale_lock_file_with_a_strangers_pid_is_removed_and_the_stranger_lives(tmp_path: Path) -> None:
    stranger = subprocess.Popen(["sleep", "300"])
    (tmp_path / "postmaster.pid").write_text(f"{stranger.pid}\n{tmp_path}\n")

    postgres._end_stale_server(tmp_path)

    assert not (tmp_path / "postmaster.pid").exists()
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()
