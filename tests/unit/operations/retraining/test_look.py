from datetime import UTC, datetime, timedelta

import pytest

from core.settings import RetrainingSettings
from operations.retraining.look import Decision, Look, decide

NOON = datetime(2026, 3, 8, 12, tzinfo=UTC)
STILL, MOVED = {"score": 0.05, "language": 0.19}, {"score": 0.31}


def decided(look: Look, *, last: datetime | None = None, forced: bool = False) -> Decision:
    return decide(look, RetrainingSettings(), now=NOON, last=last, forced=forced)


@pytest.mark.parametrize(
    ("look", "trains"),
    [
        (Look("text:3", 499, STILL), False),
        (Look("text:3", 500, STILL), True),
        (Look("text:3", 0, MOVED), True),
        (Look("text:3", 0, {"score": 0.2}), True),
        (Look("text:3", 0, {}, "it has given no verdict yet"), False),
    ],
)
def test_labels_or_drift_at_their_limit_train(look: Look, trains: bool) -> None:  # noqa: FBT001 - of the table above
    assert decided(look).trains is trains


def test_drift_trains_once_in_a_window_and_labels_at_any_time() -> None:
    yesterday, long_ago = NOON - timedelta(days=1), NOON - timedelta(days=7)

    assert not decided(Look("text:3", 0, MOVED), last=yesterday).trains
    assert decided(Look("text:3", 0, MOVED), last=long_ago).trains
    assert decided(Look("text:3", 600, MOVED), last=yesterday).trains


def test_one_line_says_why() -> None:
    paused = decided(Look("text:3", 12, MOVED), last=NOON - timedelta(days=1)).line
    unknown = decided(Look("text:3", 12, {}, "it has given no verdict yet"), forced=True)

    assert paused == (
        "12 new labels, 500 train; PSI of text:3: score 0.310; 0.2 trains; for drift again from 2026-03-14 12:00 on"
    )
    assert unknown.trains
    assert unknown.line == (
        "asked to; 12 new labels, 500 train; drift of text:3 not known: it has given no verdict yet"
    )
