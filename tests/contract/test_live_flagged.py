"""What a moderator should see stays in the live view, however many safe verdicts come after it."""

import redis

from core.labels import Action
from core.settings import RedisSettings
from core.storage import keys
from core.storage.live import RedisLive
from core.storage.memory import MemoryHistory
from core.storage.ports import LiveView
from tests.fixtures.live import publish
from tests.fixtures.stores import NOON, make_alert, make_verdict


def _publish_safe(live: LiveView, count: int, *, minute: float = 10) -> None:
    """Safe verdicts of as many videos, in batches, within ten minutes from `minute` on."""
    batch = [make_verdict(f"v:safe-{n}", minute=minute + n / 100) for n in range(count)]
    for start in range(0, count, 100):
        publish(live, *batch[start : start + 100])


def test_a_thousand_safe_verdicts_leave_an_alert_in_the_view(live: LiveView) -> None:
    alert = make_alert("v:alert")
    publish(live, alert)

    _publish_safe(live, 1000)

    shown = live.snapshot().verdicts
    assert [v.video_id for v in shown[:10]] == [f"v:safe-{n}" for n in reversed(range(990, 1000))]
    assert shown[10:] == (alert,)


def test_the_view_keeps_the_newest_flagged_ones(live: LiveView) -> None:
    actions = (Action.ALERT, Action.REVIEW)
    publish(live, *(make_alert(f"v:{n}", minute=n / 10, action=actions[n % 2]) for n in range(12)))

    _publish_safe(live, 20)

    assert [v.video_id for v in live.snapshot().verdicts[10:]] == [f"v:{n}" for n in reversed(range(2, 12))]


def test_an_alert_is_one_of_all_once_its_video_is_safe(live: LiveView) -> None:
    publish(live, make_alert("v:1"))
    _publish_safe(live, 20)

    safe = make_verdict("v:1", offset=1, minute=50)
    publish(live, safe)
    assert live.snapshot().verdicts[0] == safe
    assert len(live.snapshot().verdicts) == 10

    _publish_safe(live, 20, minute=60)
    assert "v:1" not in {v.video_id for v in live.snapshot().verdicts}


def test_a_batch_larger_than_the_view_still_ends_a_flag(live: LiveView) -> None:
    publish(live, make_alert("v:1"))

    publish(live, make_verdict("v:1", offset=1, minute=1), *(make_verdict(f"v:x{n}", minute=2) for n in range(20)))

    assert "v:1" not in {v.video_id for v in live.snapshot().verdicts}


def test_an_older_safe_verdict_does_not_take_a_flag_away(live: LiveView) -> None:
    alert = make_alert("v:1", offset=1, minute=1)
    publish(live, alert)
    _publish_safe(live, 20)

    live.rebuild([make_verdict("v:1")], NOON)

    assert live.snapshot().verdicts[10:] == (alert,)


def test_publishing_again_changes_nothing(live: LiveView) -> None:
    for _ in range(2):
        publish(live, make_alert("v:1"), make_verdict("v:2", minute=1))
        _publish_safe(live, 20)

    assert len(live.snapshot().verdicts) == 11


def test_a_rebuild_brings_alerts_back_from_behind_safe_verdicts(live: LiveView) -> None:
    history, alert = MemoryHistory(), make_alert("v:alert")
    history.write([alert, *(make_verdict(f"v:{n}", offset=n + 1, minute=1 + n / 100) for n in range(1000))], [])

    live.rebuild([*history.recent(10), *history.recent(10, flagged_only=True)], NOON)

    assert len(live.snapshot().verdicts) == 11
    assert live.snapshot().verdicts[10] == alert


def test_no_more_bodies_are_kept_than_verdicts_are_shown(redis_settings: RedisSettings) -> None:
    live = RedisLive(redis_settings)
    publish(live, *(make_alert(f"v:{n}", minute=n / 10) for n in range(12)))
    _publish_safe(live, 20)

    with redis.Redis.from_url(redis_settings.url.get_secret_value()) as client:
        assert client.hlen(keys.LIVE_VERDICTS) == len(live.snapshot().verdicts) == 20
    live.close()
