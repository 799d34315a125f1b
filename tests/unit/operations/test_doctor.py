import os
from pathlib import Path

import pytest

from operations import doctor as module
from operations.doctor import doctor
from operations.findings import Finding
from operations.state import Identity, Paths, RunState


def by_name(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.what: finding for finding in findings}


def test_a_finding_is_one_line_with_what_why_and_advice() -> None:
    assert str(Finding("bad", "broker", "does not answer", "clipwarden up")) == (
        "bad  broker: does not answer; clipwarden up"
    )


def test_an_untouched_root_is_told_how_to_start_and_stays_untouched(tmp_path: Path) -> None:
    found = by_name(doctor(tmp_path))

    assert (found["platform"].level, found["platform"].advice) == ("warn", "start it with: clipwarden up")
    assert list(tmp_path.iterdir()) == []


def test_a_killed_supervisor_is_found(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    paths.home.mkdir()
    RunState(supervisor=Identity(pid=os.getpid(), created_at_s=1.0)).write(paths.run)

    assert by_name(doctor(tmp_path))["platform"].level == "bad"


def test_a_misspelt_setting_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIPWARDEN_KAFKA__BROKRES", "x:1")

    assert "CLIPWARDEN_KAFKA__BROKRES" in by_name(doctor(tmp_path))["settings"].why


def test_a_missing_package_is_found_with_its_purpose(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PACKAGES", {"the embedded servers": ("no-such-package",)})

    found = by_name(doctor(tmp_path))["the embedded servers"]

    assert (found.level, found.why) == ("bad", "no-such-package not installed")
