"""`python -m models.serving` as an operator meets it."""

import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from models.bundle import STARTER
from models.client import InferRequest
from tests.fixtures.inference import client_of, until

pytestmark = pytest.mark.integration
_ROOT = Path(__file__).parents[3]


def _start(bind: str, **settings: object) -> "subprocess.Popen[str]":
    named = {f"CLIPWARDEN_{name}": str(value) for name, value in settings.items()}
    environ = {name: value for name, value in os.environ.items() if not name.startswith("CLIPWARDEN_")}
    return subprocess.Popen(
        [sys.executable, "-m", "models.serving"],
        cwd=_ROOT,
        env=environ | {"CLIPWARDEN_SERVING__BIND": bind} | named,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _status(port: int, path: str) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except OSError:
        return 0


@pytest.fixture
def bind(tmp_path: Path) -> str:
    return f"ipc://{tmp_path}/worker.sock"


@pytest.mark.skipif(not STARTER.is_dir(), reason="no starter models")
def test_it_becomes_ready_without_redis_scores_and_drains(bind: str, free_port: int) -> None:
    redis = "redis://127.0.0.1:1/0"
    worker = _start(bind, SERVING__HTTP_PORT=free_port, SERVING__DEVICE="cpu", REDIS__URL=redis)
    try:
        until(lambda: _status(free_port, "/readyz") == 200, within_s=60)
        with client_of(bind) as client:
            served = client.served()
            with client.slot() as slot:
                slot.frames[:] = 127
                result = client.infer(InferRequest((3, 4, 5), slot)).result(60)
        assert set(served.labels["text"]) == set(result.text or ())
        assert set(served.labels["video"]) == set(result.video or ())
        assert result.codes == {}
        assert _status(free_port, "/livez") == _status(free_port, "/metrics") == 200
    finally:
        worker.send_signal(signal.SIGTERM)
        out, _ = worker.communicate(timeout=30)

    assert (worker.returncode, out) == (0, "")


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"SERVING__MODELS_DIR": "/nonexistent"}, "name a folder of models"),
        ({"SERVING__DEVICE": "cuda:99"}, "is not there"),
        ({"SERVING__DEVISE": "cpu"}, "did you mean"),
    ],
)
def test_a_wrong_setting_is_one_line_and_exit_code_2(bind: str, settings: dict[str, object], says: str) -> None:
    worker = _start(bind, **settings)
    out, err = worker.communicate(timeout=60)

    assert (worker.returncode, out) == (2, "")
    assert says in err
    assert err.count("\n") == 1
