"""Analytics' answers on both kinds of database: known verdicts give known figures, fresh ones show after a refresh."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, timedelta

import pytest
from pydantic import SecretStr

from core.access import CAPABILITIES, Person, Role
from core.clock import FixedClock
from core.errors_console import Forbidden
from core.events import ModalityScore, Verdict
from core.labels import Modality, VerdictKind
from core.settings import StoreSettings
from core.storage.database import Database
from core.storage.history import TimescaleHistory
from core.storage.policies import PolicyNote, Thresholds
from dashboard.data.trends import Trends
from dashboard.period import Choice, Period, Window, window_of
from dashboard.trend_rows import Bin, Challenge, Pair, Point, Tally, Totals
from tests.fixtures.stores import NOON, make_alert, make_dead_letter, make_shadow, make_verdict

PERSON = Person("p", "P", Role.VIEWER)
NOW = NOON + timedelta(minutes=50)
BOTH = {Modality.TEXT: ModalityScore(scores={"hate": 0.8}), Modality.VIDEO: ModalityScore(scores={"harmful": 0.6})}


def window(period: Period = Period.DAY, **filters: str) -> Window:
    return window_of(Choice(period, **filters), NOW, UTC)


@pytest.fixture
def history(database: str) -> Iterator[TimescaleHistory]:
    found = TimescaleHistory(StoreSettings(dsn=SecretStr(database), pool_max=1))
    with found._database.connection() as connection:
        connection.execute("TRUNCATE author_tallies, hashtag_tallies, policies, trends_refreshed")
    yield found
    found.close()


@pytest.fixture
def trends(history: TimescaleHistory) -> Trends:
    # Over the history's own connection: the compiled TimescaleDB takes one at a time.
    database: Database = history._database
    return Trends(database, FixedClock(NOW))


@pytest.fixture
def posted(history: TimescaleHistory) -> list[Verdict]:
    """Eight videos of one author, three of them harmful, and one of the day before."""
    safe = [
        make_verdict(f"v:{n}", author_id="a1", offset=n, minute=n, hashtags=("calm",), score=0.12) for n in range(4)
    ]
    alerts = [
        make_alert(f"v:a{n}", author_id="a1", offset=10 + n, minute=16 + n, label="hate", modalities=BOTH)
        for n in range(2)
    ]
    other = make_alert(
        "v:b", author_id="a1", offset=20, minute=20, source="crawl", language="en", hashtags=("calm", "<b>")
    )
    review = make_verdict(
        "v:r", author_id="a1", offset=21, minute=21, verdict=VerdictKind.REVIEW, label="hate", score=0.45
    )
    before = make_verdict("v:old", author_id="a1", offset=22, minute=-25 * 60)
    verdicts = [*safe, *alerts, other, review, before]
    history.write(verdicts, [make_dead_letter(offset=1)])
    history.write_shadow([make_shadow(), make_shadow("v:2", challenger_verdict=VerdictKind.HARMFUL)])
    history.note_policy(PolicyNote("7+ab", {"hate": Thresholds(0.5, 0.4)}))
    history.refresh_aggregates(NOON - timedelta(days=40))
    return verdicts


def test_totals_are_of_the_window_and_of_the_one_before(trends: Trends, posted: list[Verdict]) -> None:
    now, before = trends.totals(PERSON, window())

    assert replace(now, score_sum=0) == Totals(videos=8, harmful=3, review=1, scored=8, dead_letters=1)
    assert now.score_sum == pytest.approx(4 * 0.12 + 3 * 0.9 + 0.45)
    assert before == Totals(videos=1, scored=1, score_sum=0.25)
    assert trends.totals(PERSON, window(Period.MONTH))[0].videos == 9


def test_a_label_narrows_what_was_flagged_and_not_the_videos(trends: Trends, posted: list[Verdict]) -> None:
    now, _ = trends.totals(PERSON, window(label="hate"))
    assert (now.videos, now.harmful, now.review) == (8, 2, 1)

    now, _ = trends.totals(PERSON, window(source="crawl", language="en"))
    assert (now.videos, now.harmful) == (1, 1)


def test_the_series_is_per_step_kind_and_label(trends: Trends, posted: list[Verdict]) -> None:
    found = trends.series(PERSON, window(Period.HOUR))

    later = NOON + timedelta(minutes=15)
    assert found == (
        Point(NOON, VerdictKind.SAFE, None, 4),
        Point(later, VerdictKind.HARMFUL, "hate", 2),
        Point(later, VerdictKind.HARMFUL, "violence", 1),
        Point(later, VerdictKind.REVIEW, "hate", 1),
    )


def test_scores_stand_beside_the_thresholds_of_their_policy(trends: Trends, posted: list[Verdict]) -> None:
    found = trends.scores(PERSON, window())

    bins = (Bin(2, VerdictKind.SAFE, 4), Bin(9, VerdictKind.REVIEW, 1), Bin(18, VerdictKind.HARMFUL, 3))
    assert found.bins == bins
    assert found.policy == PolicyNote("7+ab", {"hate": Thresholds(0.5, 0.4)})


def test_pairs_are_videos_with_both_scores(trends: Trends, posted: list[Verdict]) -> None:
    assert trends.pairs(PERSON, window()) == (Pair(0.8, 0.6, VerdictKind.HARMFUL),) * 2
    assert trends.pairs(PERSON, window(source="crawl")) == ()


def test_names_are_ranked_by_what_is_sure(trends: Trends, posted: list[Verdict]) -> None:
    assert trends.authors(PERSON, window()) == (Tally("a1", 8, 3),)
    assert trends.hashtags(PERSON, window()) == (Tally("calm", 5, 1),)
    assert trends.hashtags(PERSON, window(label="hate")) == ()


def test_waits_are_of_alerts(trends: Trends, posted: list[Verdict]) -> None:
    waits = trends.waits(PERSON, window(Period.HOUR))

    assert [(wait.at, wait.seconds, wait.alerts) for wait in waits] == [(NOON + timedelta(minutes=15), 1.0, 3)]


def test_models_and_challengers_are_side_by_side(trends: Trends, posted: list[Verdict]) -> None:
    (model,) = trends.models(PERSON, window())
    assert (model.version, model.videos, model.harmful) == ("text:3|video:5|fusion:-", 8, 3)
    assert model.waits == ((1.0, 3),)

    assert trends.challenges(PERSON, window()) == (Challenge("text:3", "text:4", 2, 1, 0.0),)


def test_each_model_version_has_its_own_waits_within_the_filters(
    trends: Trends, posted: list[Verdict], history: TimescaleHistory
) -> None:
    at = NOON + timedelta(minutes=25)
    slow = make_alert("v:slow", offset=60, event_time=at, decided_at=at + timedelta(seconds=9), model_version="text:4")
    calm = make_verdict("v:calm", offset=61, minute=26, model_version="text:4", label=None)
    history.write([slow, calm], [])
    history.refresh_aggregates(NOON)

    new, old = trends.models(PERSON, window())
    assert new.waits == ((pytest.approx(9, rel=0.05), 1),)
    assert (new.videos, old.waits) == (2, ((1.0, 3),))
    assert [model.waits for model in trends.models(PERSON, window(label="hate"))] == [(), ((1.0, 2),)]


def test_a_fresh_verdict_shows_after_a_refresh(
    trends: Trends, posted: list[Verdict], history: TimescaleHistory
) -> None:
    history.write([make_alert("v:new", offset=50, minute=40)], [])
    assert trends.totals(PERSON, window())[0].harmful == 3

    history.refresh_aggregates(NOON + timedelta(minutes=35))

    assert trends.totals(PERSON, window())[0].harmful == 4
    assert trends.totals(PERSON, window(Period.MONTH))[0].harmful == 4


def test_filters_offer_what_there_is(trends: Trends, posted: list[Verdict]) -> None:
    values = trends.values(PERSON, window())

    assert (values.sources, values.languages, values.labels) == (("crawl", "live"), ("en", "vi"), ("hate", "violence"))


@pytest.mark.parametrize("name", [name for name in vars(Trends) if not name.startswith("_")])
def test_nobody_reads_without_the_right(name: str, trends: Trends, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.access.CAPABILITIES", dict.fromkeys(CAPABILITIES, frozenset()))

    with pytest.raises(Forbidden):
        getattr(trends, name)(PERSON, window())
