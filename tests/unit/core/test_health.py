import json
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from core.errors import ConfigError
from core.health import Health, HealthServer


@pytest.fixture
def health() -> Health:
    return Health()


@pytest.fixture
def server(health: Health) -> Iterator[HealthServer]:
    with HealthServer(0, health) as server:
        yield server


def _get(server: HealthServer, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_a_process_that_noted_nothing_is_alive_but_not_ready(server: HealthServer) -> None:
    assert _get(server, "/livez")[0] == 200
    assert _get(server, "/readyz")[0] == 503


def test_one_bad_check_makes_the_process_unready_and_is_named(server: HealthServer, health: Health) -> None:
    health.set("models", ok=True)
    health.set("kafka", ok=False, detail="no broker answers")

    status, body = _get(server, "/readyz")

    assert status == 503
    assert json.loads(body)["checks"]["kafka"] == {"ok": False, "detail": "no broker answers"}
    assert health.waiting_for() == "kafka: no broker answers"


def test_ready_once_every_check_is_well(server: HealthServer, health: Health) -> None:
    health.set("kafka", ok=False)
    health.set("kafka", ok=True)

    assert _get(server, "/readyz")[0] == 200
    assert health.waiting_for() == ""


def test_metrics_are_exposed_and_other_paths_are_not_found(server: HealthServer) -> None:
    import core.telemetry  # noqa: F401, PLC0415 - importing defines the metrics

    status, body = _get(server, "/metrics")

    assert status == 200
    assert "worker_queue_requests" in body
    assert _get(server, "/secrets")[0] == 404


def test_a_taken_port_is_a_configuration_error(server: HealthServer) -> None:
    with pytest.raises(ConfigError, match="choose another port"):
        HealthServer(server.port, Health())
