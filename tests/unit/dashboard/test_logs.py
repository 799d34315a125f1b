"""A log's end is filtered, and no secret in it is shown."""

from pathlib import Path

import pytest

from core.access import Person, Role
from core.errors_console import Forbidden
from dashboard.data.logs import BLACKED, LINE_CHARS, TAIL_BYTES, Logs

ENGINEER = Person("an", "An", Role.ENGINEER)
LINES = """2026-03-01T12:00:00Z [info     ] flow.ready port=9100
2026-03-01T12:00:01Z [error    ] flow.broke reason=no
Traceback (most recent call last):
2026-03-01T12:00:02Z [warning  ] dependency.away reason=refused
{"event": "process.started", "level": "info"}
"""


def tail(folder: Path, *, least: str = "debug", words: str = "", secrets: tuple[str, ...] = ()) -> list[str]:
    return [line.text for line in Logs(folder, secrets).tail(ENGINEER, "flow-0", least=least, words=words)]


def test_lines_of_a_level_or_worse_pass_and_a_traceback_goes_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "flow-0.log").write_text(LINES, encoding="utf-8")

    assert [line[:9] for line in tail(tmp_path, least="error")] == ["2026-03-0", "Traceback"]
    assert len(tail(tmp_path, least="warning")) == 3
    assert tail(tmp_path, words="PORT=9100") == [LINES.splitlines()[0]]


@pytest.mark.parametrize(
    "line",
    [
        "dsn=postgresql://me:s3cret-one@host/db",
        "key s3cret-one",
        "Authorization: Bearer s3cret-one",
        "password=s3cret-one",
    ],
)
def test_a_secret_is_blacked_out(tmp_path: Path, line: str) -> None:
    (tmp_path / "flow-0.log").write_text(line, encoding="utf-8")

    (shown,) = tail(tmp_path, secrets=("s3cret-one",) if line.startswith("key") else ())

    assert "s3cret-one" not in shown
    assert BLACKED in shown


def test_only_the_end_is_read_and_a_line_is_cut(tmp_path: Path) -> None:
    (tmp_path / "flow-0.log").write_text(
        "first\n" + "x" * (TAIL_BYTES + 10) + "\nlast\n" + "y" * 5_000, encoding="utf-8"
    )

    shown = tail(tmp_path)

    assert shown[0] == "last"
    assert len(shown[1]) == LINE_CHARS


def test_no_file_outside_the_folder_is_read(tmp_path: Path) -> None:
    (tmp_path / "secret.log").write_text("no", encoding="utf-8")
    (tmp_path / "logs").mkdir()

    assert list(Logs(tmp_path / "logs").tail(ENGINEER, "../secret", least="debug", words="")) == []
    assert Logs(None).names(ENGINEER) == []


def test_who_may_not_see_the_platform_reads_no_log(tmp_path: Path) -> None:
    with pytest.raises(Forbidden):
        Logs(tmp_path).tail(Person("bo", "Bo", Role.MODERATOR), "flow-0", least="debug", words="")
