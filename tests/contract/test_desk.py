"""Media links and wellness, in memory and in the database: each look is recorded, nobody outruns the clock."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from pydantic import SecretStr

from core.access import Person, Role
from core.clock import SystemClock
from core.errors import MediaMissing, StoreUnavailable
from core.errors_console import Forbidden, SettingRefused
from core.settings import StoreSettings
from core.storage.audit_log import Act, AuditLog
from core.storage.database import Database
from core.storage.history import TimescaleHistory
from core.storage.memory import MemoryHistory, MemoryMedia
from core.storage.policies import PolicyNote, Thresholds
from core.storage.ports import VerdictHistory
from dashboard.data.media import AuditedMedia, Look, RawMedia
from dashboard.data.wellness import MAX_STEP_S, Blur, Speed, StoredWellness, Wellness, WellnessStore
from tests.fixtures.desk import BUCKETS, MemoryDesk
from tests.fixtures.stores import empty_tables, make_alert

AN = Person("an", "An", Role.MODERATOR)
BO = Person("bo", "Bo", Role.MODERATOR)
LEAD = Person("le", "Lê", Role.LEAD)
VIEWER = Person("vi", "Vi", Role.VIEWER)
TODAY = date(2026, 1, 31)


@dataclass
class Desk:
    """Media and wellness over a history; the log where there is one."""

    media: RawMedia
    wellness: WellnessStore
    history: VerdictHistory
    log: AuditLog | MemoryDesk

    def note_policy(self, version: str, labels: list[str]) -> None:
        if isinstance(self.log, MemoryDesk):
            self.log.policy = tuple(labels)
        elif isinstance(self.history, TimescaleHistory):
            self.history.note_policy(PolicyNote(version, dict.fromkeys(labels, Thresholds(0.8, 0.5))))

    def looks(self) -> list[tuple[str, str, str]]:
        if isinstance(self.log, MemoryDesk):
            return [(who, video_id, look.value) for who, video_id, look in self.log.looks]
        rows = [row for row in self.log.newest(LEAD, 50) if row.act is Act.SAW_MEDIA]
        return [(row.user_id, row.subject, row.detail["look"]) for row in reversed(rows)]


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.integration)])
def desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    """One video, nobody looked yet."""
    if request.param == "memory":
        history = MemoryHistory()
        twin = MemoryDesk(history, MemoryMedia(), SystemClock())
        history.write([make_alert("v:1")], [])
        yield Desk(twin, twin, history, twin)
        return
    dsn: str = request.getfixturevalue("postgres_dsn")
    empty_tables(dsn)
    settings = StoreSettings(dsn=SecretStr(dsn))
    database, stored = Database(settings, "desk"), TimescaleHistory(settings)
    stored.write([make_alert("v:1")], [])
    yield Desk(AuditedMedia(database, MemoryMedia(), BUCKETS), StoredWellness(database), stored, AuditLog(database))
    database.close()
    stored.close()


def test_no_link_is_given_without_a_look_of_its_own_in_the_log(desk: Desk) -> None:
    for look in (Look.OPENED, Look.OPENED, Look.RENEWED, Look.UNBLURRED):
        assert desk.media.see_media(AN, "v:1", look, visit="a") == "memory://clipwarden-media/v:1.mp4"

    assert [(who, video_id) for who, video_id, _ in desk.looks()] == [("an", "v:1")] * 4
    assert [look for _, _, look in desk.looks()] == ["opened", "opened", "renewed", "unblurred"]


def test_who_may_not_see_media_gets_no_link_and_leaves_no_look(desk: Desk) -> None:
    for role in (Role.VIEWER, Role.ENGINEER):
        with pytest.raises(Forbidden):
            desk.media.see_media(Person("x", "X", role), "v:1", visit="a")
    assert desk.looks() == []


@pytest.mark.parametrize("uri", [None, "s3://clipwarden-dead/secret", "file:///etc/passwd", "s3://clips"])
def test_only_videos_in_their_own_buckets_are_given(desk: Desk, uri: str | None) -> None:
    desk.history.write([make_alert("v:2", offset=1, media_uri=uri)], [])

    for video_id in ("v:2", "v:none"):
        with pytest.raises(MediaMissing):
            desk.media.see_media(AN, video_id, visit="a")
    assert desk.looks() == []


def test_what_cannot_be_recorded_is_not_shown() -> None:
    nowhere = Database(StoreSettings(dsn=SecretStr("postgresql://nobody@127.0.0.1:1/none")), "nowhere")

    with pytest.raises(StoreUnavailable):
        AuditedMedia(nowhere, MemoryMedia(), BUCKETS).see_media(AN, "v:1", visit="a")
    nowhere.close()


def test_the_default_is_careful(desk: Desk) -> None:
    found = desk.wellness.of(AN)

    assert (found.blur, found.muted, found.autoplay, found.stills) == (Blur.STRONG, True, False, True)
    assert (found.greyscale, found.speed) == (False, Speed.NORMAL)


def test_a_persons_own_wish_makes_the_default_stricter_and_is_theirs_alone(desk: Desk) -> None:
    default = Wellness(blur=Blur.MEDIUM, muted=False, autoplay=True, limit_min=45)
    desk.wellness.set_default(LEAD, default)
    desk.wellness.set_own(AN, {"blur": "strong", "muted": True, "autoplay": False, "stills": False, "warn": ["hate"]})

    assert desk.wellness.of(AN) == Wellness(stills=False, warn=("hate", "violence"), limit_min=45)
    assert desk.wellness.of(BO) == desk.wellness.default(BO) == default
    desk.wellness.set_own(AN, {})
    assert desk.wellness.of(AN) == default


def test_a_wish_for_grey_adds_to_the_default_and_the_speed_replaces_it(desk: Desk) -> None:
    desk.wellness.set_default(LEAD, Wellness(greyscale=True, speed=Speed.DOUBLE))
    desk.wellness.set_own(AN, {"greyscale": False, "speed": "1.5"})

    assert desk.wellness.of(AN) == Wellness(greyscale=True, speed=Speed.FASTER)
    assert desk.wellness.of(BO).speed is Speed.DOUBLE


def test_no_wish_of_ones_own_is_looser_than_the_default(desk: Desk) -> None:
    desk.wellness.set_own(AN, {"blur": "light", "muted": False, "autoplay": True, "stills": True, "warn": []})
    assert desk.wellness.of(AN) == Wellness()

    desk.wellness.set_default(LEAD, Wellness(blur=Blur.STRONG, stills=False))
    assert desk.wellness.of(AN) == Wellness(stills=False)


def test_videos_can_be_warned_of_by_every_label_of_the_last_policy(desk: Desk) -> None:
    desk.note_policy("desk+1", ["violence"])
    desk.note_policy("desk+2", ["hate", "violence"])

    assert desk.wellness.labels(AN) == ["hate", "violence"]


def test_the_default_is_set_by_a_lead_alone_and_the_limit_by_nobody_for_themselves(desk: Desk) -> None:
    with pytest.raises(Forbidden):
        desk.wellness.set_default(AN, Wellness(blur=Blur.LIGHT))
    for wrong in ({"limit_min": 1000}, {"blur": "none"}, {"speed": "16"}, {"greyscale": "rather"}):
        with pytest.raises(SettingRefused):
            desk.wellness.set_own(AN, wrong)
    assert desk.wellness.of(AN) == Wellness()


def test_exposure_adds_up_weighed_and_never_faster_than_the_clock(desk: Desk) -> None:
    first = desk.wellness.add_exposure(AN, 4.0, weight=0.5, day=TODAY)
    assert (first.seconds, first.weighted_s) == (4.0, 2.0)

    for _ in range(5):
        last = desk.wellness.add_exposure(AN, 3600.0, weight=1.0, day=TODAY)

    assert 4.0 < last.seconds < 4.0 + 5.0
    assert desk.wellness.exposure(AN, TODAY) == last
    assert desk.wellness.exposure(BO, TODAY).seconds == 0.0


def test_a_day_is_the_persons_own_wherever_the_server_is(desk: Desk) -> None:
    tomorrow = TODAY + timedelta(days=1)

    desk.wellness.add_exposure(AN, 4.0, weight=1.0, day=TODAY)
    desk.wellness.add_exposure(AN, 3.0, weight=1.0, day=tomorrow)

    assert desk.wellness.exposure(AN, TODAY).seconds == 4.0
    assert desk.wellness.exposure(AN, tomorrow).seconds == 3.0


def test_one_report_is_bounded_and_nothing_is_taken_back(desk: Desk) -> None:
    assert desk.wellness.add_exposure(AN, 1e9, weight=1.0, day=TODAY).seconds == MAX_STEP_S
    assert desk.wellness.add_exposure(BO, -5.0, weight=1.0, day=TODAY).seconds == 0.0
    with pytest.raises(Forbidden):
        desk.wellness.add_exposure(VIEWER, 1.0, weight=1.0, day=TODAY)
