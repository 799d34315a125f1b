"""Every client of the inference worker keeps the port's promises."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import InferenceFailed, InferenceRefused, InferenceStale, InferenceUnavailable
from models.client import InferenceClient, InferRequest, InferResult
from models.fake import FAKE_SERVED, FakeClient, fake_scores
from tests.fixtures.inference import FAILING_ID, StubEngine, client_of, running_worker


def _scores(*arguments: object) -> InferResult:
    if FAILING_ID in (arguments[1] or ()):  # type: ignore[operator]  # token ids, or none
        raise InferenceFailed("as asked")
    return fake_scores(*arguments)  # type: ignore[arg-type]  # passed on as they came


@pytest.fixture(params=["fake", "ipc", "tcp"])
def client(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[InferenceClient]:
    if request.param == "fake":
        fake = FakeClient(slots=4, score=_scores)
        yield fake
        fake.close()
        return
    bind = f"ipc://{tmp_path}/worker.sock" if request.param == "ipc" else "tcp://127.0.0.1:*"
    with running_worker(StubEngine(), bind=bind) as worker, client_of(worker.endpoint) as remote:
        yield remote


def test_served_says_what_clips_and_captions_to_prepare(client: InferenceClient) -> None:
    assert client.served() == FAKE_SERVED
    assert client.served().inputs_id == FAKE_SERVED.inputs_id


def test_a_caption_is_scored_by_itself(client: InferenceClient) -> None:
    client.served()

    result = client.infer(InferRequest((1, 90, 3))).result(10)

    assert result.text == {"harmful": 0.9}
    assert result.token_scores == (0.01, 0.9, 0.03)
    assert (result.video, result.fusion, result.codes) == (None, None, {})
    assert result.model_version == FAKE_SERVED.model_version


def test_a_clip_and_its_caption_are_scored_together(client: InferenceClient) -> None:
    client.served()
    with client.slot() as slot:
        slot.frames[:] = 51
        slot.frames[3] = 102
        result = client.infer(InferRequest((80,), slot)).result(10)

    assert result.video == pytest.approx({"harmful": 0.4})
    assert result.fusion == pytest.approx({"harmful": 0.6})
    assert result.frame_scores == pytest.approx((0.2, 0.2, 0.2, 0.4, 0.2, 0.2, 0.2, 0.2))


def test_each_of_many_concurrent_posts_gets_its_own_scores(client: InferenceClient) -> None:
    client.served()

    def score(number: int) -> tuple[int, InferResult]:
        with client.slot() as slot:
            slot.frames[:] = number
            return number, client.infer(InferRequest((number % 60,), slot)).result(30)

    with ThreadPoolExecutor(12) as pool:
        for number, result in pool.map(score, range(100)):
            assert result.video == pytest.approx({"harmful": number / 255})
            assert result.text == {"harmful": number % 60 / 100}


def test_slots_are_writable_clips_of_the_served_shape_and_do_not_overlap(client: InferenceClient) -> None:
    client.served()
    with client.slot() as one, client.slot() as other:
        one.frames[:] = 7
        other.frames[:] = 9

        assert one.frames.shape == FAKE_SERVED.clip.shape
        assert np.unique(one.frames).tolist() == [7]


def test_a_slot_waits_until_one_is_given_back(client: InferenceClient) -> None:
    client.served()
    with ThreadPoolExecutor(1) as pool:
        held = [client.slot() for _ in range(4)]
        for slot in held:
            slot.__enter__()
        waiting: Future[object] = pool.submit(lambda: client.slot().__enter__().frames.shape)

        assert not waiting.done()
        held[0].__exit__(None, None, None)
        assert waiting.result(10) == FAKE_SERVED.clip.shape


@pytest.mark.parametrize("ids", [(), tuple(range(65))], ids=["empty", "too long"])
def test_captions_out_of_bounds_are_refused(client: InferenceClient, ids: tuple[int, ...]) -> None:
    client.served()

    assert isinstance(client.infer(InferRequest(ids)).exception(10), InferenceRefused)


def test_a_request_without_inputs_is_refused(client: InferenceClient) -> None:
    client.served()

    assert isinstance(client.infer(InferRequest()).exception(10), InferenceRefused)


def test_inputs_prepared_for_other_models_are_stale(client: InferenceClient) -> None:
    other = replace(FAKE_SERVED, max_tokens=32).inputs_id

    assert isinstance(client.infer(InferRequest((1,), inputs_id=other)).exception(10), InferenceStale)


def test_an_input_that_fails_on_a_live_worker_is_given_up(client: InferenceClient) -> None:
    client.served()

    assert isinstance(client.infer(InferRequest((FAILING_ID,))).exception(10), InferenceFailed)


def test_after_close_requests_raise_unavailable(client: InferenceClient) -> None:
    client.served()
    client.close()

    assert isinstance(client.infer(InferRequest((1,))).exception(10), InferenceUnavailable)
    with pytest.raises(InferenceUnavailable):
        client.slot().__enter__()
