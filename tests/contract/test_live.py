import threading
from datetime import timedelta

import pytest
import redis

from core.labels import Action
from core.storage import keys
from core.storage.beats import PartitionBeat, Silent
from core.storage.live import RedisLive
from core.storage.memory import MemoryLive
from core.storage.ports import Heartbeat, LiveSnapshot, LiveView
from tests.fixtures.live import Follower, publish
from tests.fixtures.stores import NOON, eventually, make_alert, make_verdict


def test_an_empty_view_shows_nothing(live: LiveView) -> None:
    live.ping()

    assert live.snapshot() == LiveSnapshot((), {}, None, (), (), None)


def test_current_verdicts_are_shown_newest_first(live: LiveView) -> None:
    older, newer = make_verdict("v:1", caption="<b>cũ</b> 👍"), make_alert("v:2", minute=1)

    publish(live, older, newer)

    snapshot = live.snapshot()
    assert snapshot.verdicts == (newer, older)
    assert snapshot.updated_at == newer.event_time + timedelta(seconds=1.5)


def test_a_verdict_that_is_not_current_is_not_shown(live: LiveView) -> None:
    current = make_verdict("v:1", minute=5)
    publish(live, current)

    live.publish([make_alert("v:1", minute=1)], current=frozenset(), now=NOON)

    assert live.snapshot().verdicts == (current,)


def test_a_view_that_was_read_before_shows_what_changed_and_nothing_that_left(live: LiveView) -> None:
    kept, left = make_verdict("v:1"), make_verdict("v:2", minute=1)
    publish(live, kept, left, make_verdict("v:3", minute=2))
    assert len(live.snapshot().verdicts) == 3

    changed = make_alert("v:3", minute=3)
    publish(live, changed)
    live.forget("v:2")

    assert live.snapshot().verdicts == (changed, kept)


def test_of_two_posts_of_one_video_in_a_batch_the_newest_is_shown(live: LiveView) -> None:
    newest = make_alert("v:1", offset=2, minute=2)

    publish(live, newest, make_verdict("v:1", offset=1, minute=1))

    assert live.snapshot().verdicts == (newest,)


def test_an_older_verdict_never_replaces_a_newer_one_in_the_view(live: LiveView) -> None:
    newest = make_alert("v:1", minute=2)
    publish(live, newest)

    live.rebuild([make_verdict("v:1", minute=1), make_verdict("v:2")], NOON)

    assert [v.video_id for v in live.snapshot().verdicts] == ["v:1", "v:2"]
    assert live.snapshot().verdicts[0] == newest


def test_the_view_keeps_only_the_newest(live: LiveView) -> None:
    for n in range(12):
        publish(live, make_verdict(f"v:{n}", minute=n))

    assert [v.video_id for v in live.snapshot().verdicts] == [f"v:{n}" for n in reversed(range(2, 12))]


def test_posted_to_alert_counts_current_alerts_that_are_no_replay(live: LiveView) -> None:
    batch = [
        make_alert("v:alert"),
        make_alert("v:replay", replay_of="video.posted.v1:0:1"),
        make_alert("v:late"),
        make_verdict("v:review", action=Action.REVIEW),
        make_verdict("v:safe"),
    ]

    live.publish(batch, current=frozenset({v.video_id for v in batch} - {"v:late"}), now=NOON + timedelta(seconds=2.5))

    assert live.snapshot().posted_to_alert_s == (2.5,)


def test_posted_to_alert_reaches_back_one_hour(live: LiveView) -> None:
    publish(live, make_alert("v:1"), now_s=1.0)
    publish(live, make_alert("v:2", minute=50), now_s=2.0)
    publish(live, make_alert("v:3", minute=70), now_s=3.0)

    assert live.snapshot().posted_to_alert_s == (2.0, 3.0)


def test_counters_are_replaced_whole(live: LiveView) -> None:
    live.count({"harmful": 3, "safe": 9}, NOON)
    live.count({"safe": 10}, NOON + timedelta(minutes=1))

    snapshot = live.snapshot()
    assert (snapshot.counts, snapshot.counted_at) == ({"safe": 10}, NOON + timedelta(minutes=1))


def test_a_heartbeat_is_shown_until_it_runs_out(live: LiveView) -> None:
    beat = Heartbeat("flow", "0/2", "waiting", "0.1.0", NOON, "store.unavailable", {"waiting_s": 2.5}, 9100)
    live.beat(Heartbeat("flow", "0/2", "starting", "0.1.0", NOON))
    live.beat(beat)

    assert live.snapshot().heartbeats == (beat,)
    eventually(lambda: live.snapshot().heartbeats == ())


def test_only_a_rebuild_builds_the_view(live: LiveView) -> None:
    assert live.is_empty()
    publish(live, make_verdict())
    assert live.is_empty()

    live.rebuild([make_verdict("v:2")], NOON)

    assert not live.is_empty()
    assert len(live.snapshot().verdicts) == 2


def test_an_empty_history_builds_an_empty_view(live: LiveView) -> None:
    live.rebuild([], NOON)

    assert not live.is_empty()
    assert live.snapshot().updated_at is None


def test_a_view_that_lost_its_data_is_empty(live: LiveView, request: pytest.FixtureRequest) -> None:
    live.rebuild([make_verdict()], NOON)

    if isinstance(live, MemoryLive):
        live.clear()
    else:
        with redis.Redis.from_url(request.getfixturevalue("redis_settings").url.get_secret_value()) as client:
            client.flushdb()

    assert live.is_empty()
    assert live.snapshot() == LiveSnapshot((), {}, None, (), (), None)


def test_following_starts_with_the_view_oldest_first(live: LiveView) -> None:
    publish(live, make_alert("v:1"), make_verdict("v:2", minute=1), make_alert("v:3", minute=2))

    follower = Follower(live)

    follower.wait_for("v:3")
    assert follower.seen == ["v:1", "v:3"]


def test_following_goes_on_with_what_is_published_each_once(live: LiveView) -> None:
    publish(live, make_alert("v:1"))
    follower = Follower(live)
    follower.wait_for("v:1")

    publish(live, make_alert("v:1"), make_verdict("v:safe", minute=1), make_verdict("v:2", action=Action.REVIEW))
    publish(live, make_alert("v:2", offset=1, minute=3), make_alert("v:end", minute=4))

    follower.wait_for("v:end")
    assert follower.seen == ["v:1", "v:2", "v:2", "v:end"]


def test_following_everything_tells_of_safe_verdicts_too(live: LiveView) -> None:
    follower = Follower(live, alerts_only=False)
    live.publish([make_verdict("v:before")], current=frozenset({"v:before"}), now=NOON)
    follower.wait_for("v:before")

    live.publish([make_verdict("v:late")], current=frozenset(), now=NOON)

    follower.wait_for("v:late")


def test_a_replay_with_another_outcome_is_told(live: LiveView) -> None:
    follower = Follower(live)
    publish(live, make_verdict("v:1", action=Action.REVIEW))
    follower.wait_for("v:1")

    publish(live, make_alert("v:1", replay_of="video.posted.v1:0:1"))

    eventually(lambda: follower.seen == ["v:1", "v:1"])


def test_closing_ends_following(live: LiveView) -> None:
    following = threading.Thread(target=lambda: list(live.follow()), daemon=True)
    following.start()

    live.close()

    following.join(timeout=5)
    assert not following.is_alive()


@pytest.mark.parametrize("kind", ["memory", "redis"])
def test_nothing_published_around_the_snapshot_is_missed(kind: str, request: pytest.FixtureRequest) -> None:
    real: type[MemoryLive | RedisLive] = MemoryLive if kind == "memory" else RedisLive

    class Interrupted(real):  # type: ignore[valid-type,misc]  # either of two
        """Something is published right before and right after the view is read."""

        def snapshot(self) -> LiveSnapshot:
            publish(self, make_alert("v:before"))
            snapshot: LiveSnapshot = super().snapshot()
            publish(self, make_alert("v:after", minute=1))
            return snapshot

    live = Interrupted() if kind == "memory" else Interrupted(request.getfixturevalue("redis_settings"))
    following = live.follow()

    assert [next(following).video_id for _ in range(2)] == ["v:before", "v:after"]
    following.close()
    live.close()


def test_all_keys_are_ours(live: LiveView, request: pytest.FixtureRequest) -> None:
    if isinstance(live, MemoryLive):
        return
    publish(live, make_alert())
    live.rebuild([make_alert()], NOON)
    live.count({"safe": 1}, NOON)
    live.beat(Heartbeat("worker", "0", "ready", "0.1.0", NOON))

    with redis.Redis.from_url(request.getfixturevalue("redis_settings").url.get_secret_value()) as client:
        names = {name.decode() for name in client.keys("*")}

    assert len(names) == 9
    assert all(name.startswith(keys.PREFIX) for name in names)


def test_a_forgotten_video_leaves_the_view(live: LiveView) -> None:
    live.publish([make_alert("v:1"), make_alert("v:2")], current=frozenset({"v:1", "v:2"}), now=NOON)

    live.forget("v:1")
    live.forget("v:1")

    assert [verdict.video_id for verdict in live.snapshot().verdicts] == ["v:2"]


def test_who_stops_beating_is_silent_not_forgotten(live: LiveView) -> None:
    beat = Heartbeat("worker", "host:7", "ready", "0.1.0", NOON, partitions=(PartitionBeat(1, 5, 4, 1, NOON),))
    live.beat(beat)
    assert live.beats().alive == (beat,)
    assert live.beats().silent == ()

    eventually(lambda: not live.beats().alive)

    assert live.beats().silent == (Silent("worker", "host:7", NOON),)
