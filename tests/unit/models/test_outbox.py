from collections.abc import Collection
from concurrent.futures import Future

import pytest

from core.errors import InferenceCrashed, InferenceFailed, InferenceRefused, InferenceStale, InferenceUnavailable
from models.client import InferRequest, InferResult
from models.outbox import PAUSE_S, Outbox, Pending

_RESULT = InferResult("v", text={"harmful": 0.5})
_PARTIAL = InferResult("v", video={"harmful": 0.5}, codes={"text": "inference.failed"})


class _Workers:
    """The first that is not left out; `stale` inputs nobody takes."""

    def __init__(self, *names: str, stale: str = "-") -> None:
        self._names = names
        self._stale = stale

    def choose(self, inputs_id: str, without: Collection[str]) -> str | None:
        return next((name for name in self._names if name not in without and inputs_id != self._stale), None)

    def is_stale(self, inputs_id: str) -> bool:
        return inputs_id == self._stale


_ONE = _Workers("w")
_TWO = _Workers("w", "x")


def _pending(inputs_id: str = "") -> Pending:
    future: Future[InferResult] = Future()
    future.set_running_or_notify_cancel()
    return Pending(InferRequest((1,)), inputs_id, future)


def _send_all(outbox: Outbox, *, ping: int = 0, now_s: float = 0.0, generation: str = "a") -> list[int]:
    return list(_send(outbox, ping=ping, now_s=now_s, generation=generation))


def _send(
    outbox: Outbox, *, ping: int = 0, now_s: float = 0.0, generation: str = "a", to: _Workers = _ONE
) -> dict[int, Pending]:
    sent = {}
    for request_id, pending in outbox.due(now_s, to):
        outbox.sent(request_id, pending, ping=ping, generation=generation)
        sent[request_id] = pending
    return sent


def _add(outbox: Outbox, count: int) -> list[Pending]:
    pendings = [_pending() for _ in range(count)]
    for pending in pendings:
        outbox.add(pending)
    return pendings


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

    assert outbox.pong("w", 5, {second}, generation="a", now_s=0.0) == 1
    (again,) = _send_all(outbox, ping=5)

    assert (again not in (first, second), lost.attempts, lost.deaths) == (True, 0, 0)
    outbox.result(first, _RESULT)
    assert not lost.future.done()
    outbox.result(again, _RESULT)
    assert lost.future.done()


def test_what_left_after_the_ping_is_not_taken_for_lost(outbox: Outbox) -> None:
    outbox.add(_pending())
    _send_all(outbox, ping=5)

    assert outbox.pong("w", 5, set(), generation="b", now_s=0.0) == 0


def test_who_was_there_when_a_worker_died_goes_alone_and_others_wait_meanwhile() -> None:
    outbox = Outbox(attempts=3, max_captions=8)
    first, second = _add(outbox, 2)
    _send(outbox)
    late = _add(outbox, 1)[0]
    outbox.pong("w", 1, set(), generation="b", now_s=0.0)

    turns = []
    while sent := _send(outbox, ping=1, generation="b"):
        turns.append(list(sent.values()))
        assert _send(outbox, ping=1, generation="b") == {}
        for request_id in sent:
            outbox.result(request_id, _RESULT)

    assert turns == [[first], [second], [late]]


def test_a_request_that_every_worker_dies_with_ends_as_crashed_and_the_innocent_are_scored() -> None:
    outbox = Outbox(attempts=3, max_captions=20)
    pendings = _add(outbox, 20)
    guilty, deaths = pendings[7], 0
    while not all(pending.future.done() for pending in pendings):
        sent = _send(outbox, ping=deaths, now_s=deaths * PAUSE_S, generation=str(deaths))
        if guilty in sent.values():
            deaths += 1
            outbox.pong("w", deaths, set(), generation=str(deaths), now_s=deaths * PAUSE_S - PAUSE_S)
            continue
        for request_id in sent:
            outbox.result(request_id, _RESULT)

    assert deaths == 3
    assert isinstance(guilty.future.exception(0), InferenceCrashed)
    assert all(pending.future.result(0) == _RESULT for pending in pendings if pending is not guilty)


def test_before_its_last_trial_a_suspect_waits_and_the_others_go_on(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.outbox.random.uniform", lambda low, high: (low + high) / 2)
    (suspect,) = _add(outbox, 1)
    for generation in "ab":
        _send(outbox, generation=generation)
        outbox.pong("w", 1, set(), generation=chr(ord(generation) + 1), now_s=0.0)

    (other,) = _add(outbox, 1)

    assert list(_send(outbox, generation="c").values()) == [other]
    assert outbox.next_s() == PAUSE_S / 2
    assert _send(outbox, now_s=PAUSE_S, generation="c") == {}
    outbox.result(3, _RESULT)
    assert list(_send(outbox, now_s=PAUSE_S, generation="c").values()) == [suspect]


def test_no_number_of_reconnections_and_refusals_of_one_worker_counts_as_a_death(outbox: Outbox) -> None:
    (pending,) = _add(outbox, 1)
    for number in range(1, 20):
        (sent,) = _send(outbox, ping=number - 1, now_s=float(number))
        if number % 2:
            outbox.pong("w", number, set(), generation="a", now_s=float(number))
        else:
            outbox.busy(sent, 0.01, float(number))

    assert (pending.deaths, pending.future.done()) == (0, False)


def test_closing_resolves_everything(outbox: Outbox) -> None:
    pendings = _add(outbox, 4)
    _send_all(outbox)
    outbox.pong("w", 1, set(), generation="b", now_s=0.0)
    _send_all(outbox)

    outbox.fail_all(InferenceUnavailable("closed"))

    assert all(isinstance(pending.future.exception(0), InferenceUnavailable) for pending in pendings)


def test_what_a_silent_worker_holds_goes_to_another_at_once_and_together(outbox: Outbox) -> None:
    pendings = _add(outbox, 2)
    _send(outbox)

    assert outbox.leave("w", 0.0) == 2
    again = _send(outbox, generation="b", to=_Workers("x"))

    assert list(again.values()) == pendings
    assert (outbox.sent_to("w"), outbox.sent_to("x")) == (0, 2)


def test_a_late_answer_of_a_worker_that_was_left_is_ignored(outbox: Outbox) -> None:
    (pending,) = _add(outbox, 1)
    (first,) = _send(outbox)
    outbox.leave("w", 0.0)
    (second,) = _send(outbox, generation="b", to=_Workers("x"))

    outbox.result(first, _PARTIAL)
    assert not pending.future.done()
    outbox.result(second, _RESULT)

    assert pending.future.result(0) == _RESULT


def test_a_worker_that_was_silent_and_is_back_counts_as_no_death(outbox: Outbox) -> None:
    (pending,) = _add(outbox, 1)
    for name in "wxwxwx":
        _send(outbox, generation=name, to=_Workers(name), now_s=PAUSE_S)
        outbox.leave(name, 0.0)
        outbox.learn(name, lives=True)

    assert (pending.deaths, pending.is_suspect, pending.future.done()) == (0, False, False)


def test_who_was_at_two_workers_that_fell_silent_goes_alone_while_others_go_to_the_rest(outbox: Outbox) -> None:
    (suspect,) = _add(outbox, 1)
    for name in "wx":
        _send(outbox, generation=name, to=_Workers(name))
        outbox.leave(name, 0.0)
    (other,) = _add(outbox, 1)

    sent = _send(outbox, generation="b", to=_TWO)

    assert [(pending, pending.worker) for pending in sent.values()] == [(suspect, "w"), (other, "x")]


def test_deaths_that_are_learned_of_later_count(outbox: Outbox) -> None:
    (guilty,) = _add(outbox, 1)
    for name in "abc":
        _send(outbox, generation=name, to=_Workers(name), now_s=PAUSE_S)
        outbox.leave(name, 0.0)
    for name in "abc":
        assert not guilty.future.done()
        outbox.learn(name, lives=False)

    assert isinstance(guilty.future.exception(0), InferenceCrashed)


def test_a_suspect_waits_until_its_worker_is_empty_and_the_rest_goes_elsewhere(outbox: Outbox) -> None:
    (suspect,) = _add(outbox, 1)
    _send(outbox)
    _add(outbox, 1)
    (busy,) = _send(outbox, ping=1)
    outbox.pong("w", 1, {busy}, generation="b", now_s=0.0)
    (late,) = _add(outbox, 1)

    assert [(pending, pending.worker) for pending in _send(outbox, to=_TWO).values()] == [(late, "x")]
    outbox.result(busy, _RESULT)
    assert [(pending, pending.worker) for pending in _send(outbox, to=_TWO).values()] == [(suspect, "w")]


def test_captions_are_bounded_for_each_worker(outbox: Outbox) -> None:
    _add(outbox, 9)

    sent = _send(outbox, to=_TWO)

    assert sorted(pending.worker for pending in sent.values()) == ["w", "w", "x", "x"]


def test_inputs_that_no_worker_takes_any_more_are_stale_and_the_others_leave(outbox: Outbox) -> None:
    old, new = _pending("old"), _pending("new")
    outbox.add(old)
    outbox.add(new)

    sent = _send(outbox, to=_Workers("w", stale="old"))

    assert list(sent.values()) == [new]
    assert isinstance(old.future.exception(0), InferenceStale)
