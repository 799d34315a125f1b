import io
import json

import pytest
import structlog

from core.settings import TelemetrySettings
from core.telemetry import configure_logging


def test_json_logs_go_to_stderr_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(TelemetrySettings(log_json=True))

    structlog.get_logger().info("verdict.stored", video_id="a")

    out, err = capsys.readouterr()
    line = json.loads(err)
    assert (out, line["event"], line["video_id"], line["level"]) == ("", "verdict.stored", "a", "info")


def test_levels_below_the_set_one_are_silent(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(TelemetrySettings(log_level="warning"))

    structlog.get_logger().info("verdict.stored")

    assert capsys.readouterr().err == ""


def test_a_stderr_that_was_closed_since_breaks_no_line(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = io.StringIO(), io.StringIO()
    monkeypatch.setattr("sys.stderr", first)
    configure_logging(TelemetrySettings(log_json=True))
    first.close()
    monkeypatch.setattr("sys.stderr", second)

    structlog.get_logger().info("verdict.stored")

    assert json.loads(second.getvalue())["event"] == "verdict.stored"
