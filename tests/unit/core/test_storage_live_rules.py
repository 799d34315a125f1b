from core.storage import keys
from core.storage.live_rules import Seen, for_view
from tests.fixtures.stores import make_alert, make_verdict


def test_seen_forgets_the_oldest_beyond_its_capacity() -> None:
    seen = Seen(2)
    one, two, three = (make_verdict(f"v:{n}") for n in range(3))

    assert [seen.is_new(v) for v in (one, two, one, three, two, one)] == [True, True, False, True, False, True]


def test_another_outcome_of_the_same_verdict_is_new() -> None:
    seen = Seen(10)

    assert seen.is_new(make_verdict())
    assert seen.is_new(make_alert())


def test_the_view_takes_no_more_than_it_holds_and_the_newest_last() -> None:
    batch = [make_verdict(f"v:{n}", minute=n) for n in (3, 1, 2)]

    assert [v.video_id for v in for_view(batch, current=frozenset({"v:1", "v:2", "v:3"}), size=2)] == ["v:2", "v:3"]


def test_keys_are_told_apart_by_what_they_are_of() -> None:
    assert keys.live_verdict("v:1") == "clipwarden:live:verdict:v:1"
    assert keys.heartbeat("flow", "0/2") == "clipwarden:heartbeat:flow:0/2"
