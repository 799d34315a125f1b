"""Workers on a network: who has an allowed key is answered, encrypted; nobody else gets or harms anything."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from core.clock import SystemClock
from core.errors import ConfigError
from core.health import Health
from core.settings import InferenceSettings, ServingSettings
from models.client import InferRequest
from models.curve import make_keys
from models.remote import RemoteClient
from models.serving.worker import Worker
from tests.fixtures.inference import StubEngine, client_of, raw_dealer, running_worker, until

pytestmark = pytest.mark.integration


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """Pairs of a worker, a client that is allowed and one that is not."""
    for name in ("worker", "flow", "stranger"):
        make_keys(tmp_path / "keys", name)
    allowed = tmp_path / "allowed"
    allowed.mkdir()
    (allowed / "flow.pub").write_bytes((tmp_path / "keys" / "flow.pub").read_bytes())
    return tmp_path / "keys"


@pytest.fixture
def worker(keys: Path) -> Iterator[Worker]:
    bind, allowed = "tcp://127.0.0.1:*", keys.parent / "allowed"
    with running_worker(
        StubEngine(), bind=bind, curve_key_file=keys / "worker.key", curve_clients_dir=allowed
    ) as worker:
        yield worker


def _keys(keys: Path, own: str = "flow", worker: str = "worker") -> dict[str, Path]:
    return {"curve_key_file": keys / f"{own}.key", "curve_worker_key_file": keys / f"{worker}.pub"}


def _is_scored(client: RemoteClient, number: int = 51) -> bool:
    client.served()
    with client.slot() as slot:
        slot.frames[:] = number
        result = client.infer(InferRequest((9,), slot)).result(20)
    return result.video == pytest.approx({"harmful": number / 255})


def test_an_allowed_client_is_answered(worker: Worker, keys: Path) -> None:
    with client_of(worker.endpoint, **_keys(keys)) as client:
        assert _is_scored(client)


@pytest.mark.parametrize("wrong", [{"own": "stranger"}, {"worker": "stranger"}, None], ids=["own", "worker", "none"])
def test_a_wrong_key_or_none_gets_nothing_and_harms_nobody(
    worker: Worker, keys: Path, wrong: dict[str, str] | None
) -> None:
    bad_keys = {} if wrong is None else _keys(keys, **wrong)
    with client_of(worker.endpoint, **bad_keys) as bad, client_of(worker.endpoint, **_keys(keys)) as good:
        waiting = bad.infer(InferRequest((1,)))

        assert all(_is_scored(good, number) for number in range(20))

        assert not waiting.done()
        until(lambda: "no handshake" in bad.state().detail)
        assert not bad.state().is_connected
        assert worker.numbers()["clients"] == 1


def test_bytes_that_are_no_handshake_harm_nobody(worker: Worker, keys: Path) -> None:
    host, port = worker.endpoint.removeprefix("tcp://").split(":")
    with socket.create_connection((host, int(port))) as noise, raw_dealer(worker.endpoint) as plain:
        noise.sendall(bytes(range(256)) * 64)
        plain.send(b"x" * 10_000)
        with client_of(worker.endpoint, **_keys(keys)) as client:
            assert _is_scored(client)


def test_a_stranger_that_keeps_knocking_is_one_line_in_the_log(
    worker: Worker, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.peer.REDIAL_S", 0.2)
    with (
        structlog.testing.capture_logs() as lines,
        client_of(worker.endpoint, **_keys(keys, own="stranger")),
        client_of(worker.endpoint, **_keys(keys, own="stranger")),
    ):
        until(lambda: worker._door._gate is not None and worker._door._gate._refused > 2, 20)

    refused = [line for line in lines if line["event"] == "worker.client_refused"]
    assert len(refused) == 1
    assert (keys / "stranger.key").read_text().strip() not in str(lines)


def test_a_client_may_be_allowed_and_refused_while_the_worker_runs(
    worker: Worker, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.peer.REDIAL_S", 0.5)
    monkeypatch.setattr("models.serving.gate._LOOK_S", 0.0)
    entry = keys.parent / "allowed" / "late.pub"
    with client_of(worker.endpoint, **_keys(keys, own="stranger")) as late:
        until(lambda: "does not allow" in late.state().detail)
        entry.write_bytes((keys / "stranger.pub").read_bytes())
        assert _is_scored(late)
    entry.unlink()
    with client_of(worker.endpoint, **_keys(keys, own="stranger")) as late:
        until(lambda: "does not allow" in late.state().detail)


@pytest.mark.parametrize(
    "bind", ["tcp://0.0.0.0:0", "tcp://*:0", "tcp://eth0:0", "tcp://lo:0", "tcp://[::]:0", "tcp://example.test:0"]
)
def test_a_worker_without_keys_does_not_leave_loopback(bind: str) -> None:
    with pytest.raises(ConfigError, match=r"serving\.curve_key_file"):
        Worker(StubEngine(), settings=ServingSettings(bind=bind), clock=SystemClock(), health=Health())


@pytest.mark.parametrize("endpoint", ["tcp://10.0.0.7:5555", "tcp://gpu-host:5555", "tcp://[fe80::1]:5555"])
def test_a_client_without_keys_does_not_leave_loopback(endpoint: str) -> None:
    with pytest.raises(ConfigError, match=r"inference\.curve_key_file"):
        RemoteClient(InferenceSettings(endpoints=("ipc:///tmp/x", endpoint)))


def test_with_keys_a_worker_binds_every_interface_and_serves(keys: Path, free_port: int) -> None:
    protected = {"curve_key_file": keys / "worker.key", "curve_clients_dir": keys.parent / "allowed"}
    with (
        running_worker(StubEngine(), bind=f"tcp://127.0.0.1:{free_port}", **protected) as worker,
        client_of(f"tcp://localhost:{free_port}", **_keys(keys)) as client,
    ):
        assert _is_scored(client)
        assert worker.numbers()["clients"] == 1
