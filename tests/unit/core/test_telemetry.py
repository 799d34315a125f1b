import json

import pytest
import structlog

from core.settings import TelemetrySettings
from core.telemetry import configure_logging


@pytest.fixture(autouse=True)
def _reset() -> object:
    yield
    structlog.reset_defaults()


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
