from core.storage import keys
from core.storage.live_rules import Seen, for_view, kept
from tests.fixtures.stores import make_alert, make_verdict


def test_seen_forgets_the_oldest_beyond_its_capacity() -> None:
    seen = Seen(2)
    one, two, three = (make_verdict(f"v:{n}") for n in range(3))

    assert [seen.is_new(v) for v in (one, two, one, three, two, one)] == [True, True, False, True, False, True]


def test_another_outcome_of_the_same_verdict_is_new() -> None:
    seen = Seen(10)

    assert seen.is_new(make_verdict())
    assert seen.is_new(make_alert())


def test_a_batch_brings_each_current_video_once_with_its_newest_verdict() -> None:
    newest = make_verdict("v:1", offset=2, minute=2)
    batch = [newest, make_alert("v:1", minute=1), make_alert("v:late"), make_verdict("v:2")]

    assert for_view(batch, current=frozenset({"v:1", "v:2"})) == [make_verdict("v:2"), newest]


def test_what_is_kept_is_the_newest_of_all_and_the_newest_flagged_in_order() -> None:
    alerts = [make_alert(f"v:a{n}", minute=n) for n in range(3)]
    safe = [make_verdict(f"v:s{n}", minute=3 + n) for n in range(3)]

    assert [v.video_id for v in kept([*alerts, *safe], size=2)] == ["v:s2", "v:s1", "v:a2", "v:a1"]
    assert [v.video_id for v in kept(alerts, size=2)] == ["v:a2", "v:a1"]


def test_keys_are_told_apart_by_what_they_are_of() -> None:
    assert keys.heartbeat("flow", "0/2") == "clipwarden:heartbeat:flow:0/2"
