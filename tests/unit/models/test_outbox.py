from concurrent.futures import Future

import pytest

from core.errors import InferenceFailed, InferenceRefused, InferenceUnavailable
from models.client import InferRequest, InferResult
from models.outbox import Outbox, Pending

_RESULT = InferResult("v", text={"harmful": 0.5})
_PARTIAL = InferResult("v", video={"harmful": 0.5}, codes={"text": "inference.failed"})


def _pending() -> Pending:
    future: Future[InferResult] = Future()
    future.set_running_or_notify_cancel()
    return Pending(InferRequest((1,)), "", future)


def _send_all(outbox: Outbox, *, ping: int = 0, now_s: float = 0.0) -> list[int]:
    ids = []
    for request_id, pending in outbox.due(now_s):
        outbox.sent(request_id, pending, ping=ping)
        ids.append(request_id)
    return ids


@pytest.fixture
def outbox() -> Outbox:
    return Outbox(attempts=3, max_captions=2)


def test_an_answer_resolves_its_request_and_a_repeated_one_is_ignored(outbox: Outbox) -> None:
    pending = _pending()
    outbox.add(pending)
    (sent,) = _send_all(outbox)

    outbox.result(sent, _RESULT)
    outbox.result(sent, _PARTIAL)
    outbox.error(sent, "inference.failed", "late")

    assert pending.future.result(0) == _RESULT
    assert len(outbox) == 0


def test_captions_at_the_worker_are_bounded_and_leave_in_order(outbox: Outbox) -> None:
    pendings = [_pending() for _ in range(4)]
    for pending in pendings:
        outbox.add(pending)

    first = _send_all(outbox)
    assert len(first) == 2
    outbox.result(first[0], _RESULT)
    assert len(_send_all(outbox)) == 1
    assert [pending.future.done() for pending in pendings] == [True, False, False, False]


def test_busy_waits_for_the_hint_and_never_counts(outbox: Outbox) -> None:
    pending, now_s = _pending(), 0.0
    outbox.add(pending)
    for _ in range(50):
        (sent,) = _send_all(outbox, now_s=now_s)
        outbox.busy(sent, 0.1, now_s)
        assert _send_all(outbox, now_s=now_s + 0.05) == []
        now_s += 0.2

    assert not pending.future.done()


def test_a_request_that_fails_as_often_as_allowed_is_given_up(outbox: Outbox) -> None:
    pending = _pending()
    outbox.add(pending)
    for attempt in range(3):
        assert pending.attempts == attempt
        (sent,) = _send_all(outbox)
        outbox.error(sent, "inference.failed", "it raised")

    assert isinstance(pending.future.exception(0), InferenceFailed)


def test_a_failing_modality_is_tried_again_and_then_the_partial_result_counts(outbox: Outbox) -> None:
    pending = _pending()
    outbox.add(pending)
    for _ in range(3):
        (sent,) = _send_all(outbox)
        outbox.result(sent, _PARTIAL)

    assert pending.future.result(0) == _PARTIAL


def test_a_refusal_is_final(outbox: Outbox) -> None:
    pending = _pending()
    outbox.add(pending)
    (sent,) = _send_all(outbox)

    outbox.error(sent, "inference.refused", "no")

    assert isinstance(pending.future.exception(0), InferenceRefused)


def test_what_the_worker_does_not_hold_is_sent_again_without_counting(outbox: Outbox) -> None:
    lost, held = _pending(), _pending()
    outbox.add(lost)
    outbox.add(held)
    first, second = _send_all(outbox, ping=4)

    assert outbox.pong(5, {second}) == 1
    (again,) = _send_all(outbox, ping=5)

    assert (again not in (first, second), lost.attempts) == (True, 0)
    outbox.result(first, _RESULT)
    assert not lost.future.done()
    outbox.result(again, _RESULT)
    assert lost.future.done()


def test_what_left_after_the_ping_is_not_taken_for_lost(outbox: Outbox) -> None:
    outbox.add(_pending())
    _send_all(outbox, ping=5)

    assert outbox.pong(5, set()) == 0


def test_closing_resolves_everything(outbox: Outbox) -> None:
    pendings = [_pending() for _ in range(4)]
    for pending in pendings:
        outbox.add(pending)
    _send_all(outbox)

    outbox.fail_all(InferenceUnavailable("closed"))

    assert all(isinstance(pending.future.exception(0), InferenceUnavailable) for pending in pendings)
