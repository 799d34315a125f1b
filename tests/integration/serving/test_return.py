"""A new engine that breaks while it serves: the worker goes back to the one before by itself."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import InferenceStale
from models.client import InferRequest
from models.fake import FAKE_SERVED
from models.serving.job import EngineSickError, Job
from tests.fixtures.inference import StubEngine, client_of, running_worker, until

pytestmark = pytest.mark.integration


def _sick(_jobs: Sequence[Job]) -> None:
    raise EngineSickError("known inputs give other scores")


@pytest.fixture
def bind(tmp_path: Path) -> str:
    return f"ipc://{tmp_path}/worker.sock"


def test_the_batch_that_broke_a_new_engine_is_answered_by_the_one_before(bind: str) -> None:
    new = StubEngine(replace(FAKE_SERVED, model_version="text:2|video:2|fusion:-"), before=_sick)
    with running_worker(StubEngine(), bind=bind) as worker, client_of(bind, attempts=1) as client:
        client.served()
        worker.swap(new)
        until(lambda: worker.served == new.served)

        result = client.infer(InferRequest((5,))).result(10)

        assert (result.model_version, result.text) == (FAKE_SERVED.model_version, {"harmful": 0.05})
        assert worker.given_up.get(timeout=5) is new
        assert client.infer(InferRequest((7,))).result(10).model_version == FAKE_SERVED.model_version


def test_inputs_made_for_an_engine_that_broke_are_stale(bind: str) -> None:
    new = StubEngine(replace(FAKE_SERVED, model_version="text:2|video:2|fusion:-", max_tokens=32), before=_sick)
    with running_worker(StubEngine(), bind=bind) as worker, client_of(bind) as client:
        client.served()
        worker.swap(new)
        until(lambda: client.served() == new.served)

        assert isinstance(client.infer(InferRequest((5,))).exception(10), InferenceStale)
        until(lambda: client.served() == FAKE_SERVED)


def test_an_engine_that_breaks_after_it_has_proved_itself_ends_the_worker(
    bind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.serving.worker._PROVEN_REQUESTS", 1)
    breaks = False

    def later(_jobs: Sequence[Job]) -> None:
        if breaks:
            raise EngineSickError("the device is gone")

    new = StubEngine(replace(FAKE_SERVED, model_version="text:2|video:2|fusion:-"), before=later)
    with (
        client_of(bind) as client,
        running_worker(StubEngine(), bind=bind, ends_with=EngineSickError) as worker,
    ):
        client.served()
        worker.swap(new)
        until(lambda: worker.served == new.served)
        for number in range(3):
            client.infer(InferRequest((number,))).result(10)
        breaks = True
        client.infer(InferRequest((5,)))
