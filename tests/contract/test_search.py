"""The search finds what is asked for, whatever the data look like, on plain PostgreSQL and on TimescaleDB."""

from collections.abc import Iterator, Sequence
from datetime import UTC, timedelta

import psycopg
import pytest
from pydantic import SecretStr

from core.access import Person, Role
from core.errors_console import Forbidden
from core.events import Verdict
from core.labels import VerdictKind
from core.settings import StoreSettings
from core.storage.database import Database
from core.storage.history import TimescaleHistory
from dashboard import audit_cards
from dashboard.data import search_sql
from dashboard.data.search import Search
from dashboard.data.search_query import Place, Query, Sort
from tests.fixtures.stores import MODELS, NOON, make_alert, make_verdict

pytestmark = pytest.mark.integration

VIEWER = Person("v", "V", Role.VIEWER)
HOSTILE = """'; DROP TABLE videos; -- %_%s {} \\ "' <script>alert(1)</script>"""


@pytest.fixture
def settings(database: str) -> StoreSettings:
    return StoreSettings(dsn=SecretStr(database), pool_max=1)


@pytest.fixture
def search(settings: StoreSettings) -> Iterator[Search]:
    found = Search(Database(settings, "search"))
    yield found
    found.close()


def store(settings: StoreSettings, *verdicts: Verdict) -> None:
    history = TimescaleHistory(settings)
    history.write(verdicts, [])
    history.close()


def ids(search: Search, **filters: object) -> list[str]:
    query = Query(**filters)  # type: ignore[arg-type]
    found = [row.video_id for row in search.page(VIEWER, query, limit=50).rows]
    assert search.count(VIEWER, query) == len(found)
    return found


def three(settings: StoreSettings) -> None:
    store(
        settings,
        make_verdict("v:a", offset=0, minute=0, caption="Đường phố Hà Nội, cà-phê!", hashtags=("Đẹp", "a_b")),
        make_alert(
            "v:b", offset=1, minute=1, caption="see https://shop.example/street", author_id="b_c", language=None
        ),
        make_verdict("w:c", offset=2, minute=2, caption=HOSTILE, hashtags=(HOSTILE,), author_id=HOSTILE, score=None),
    )


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, ["w:c", "v:b", "v:a"]),
        ({"words": "duong PHO"}, ["v:a"]),
        ({"words": "phố đường"}, ["v:a"]),
        ({"words": "ca phe"}, ["v:a"]),
        ({"words": "street shop"}, ["v:b"]),
        ({"words": "đẹp"}, []),
        ({"words": "alert script"}, ["w:c"]),
        ({"words": HOSTILE}, ["w:c"]),
        ({"words": "% _"}, []),
        ({"words": "pho | street"}, []),
        ({"hashtag": "dep"}, ["v:a"]),
        ({"hashtag": "#ĐẸP"}, ["v:a"]),
        ({"hashtag": "A_B"}, ["v:a"]),
        ({"hashtag": "pho"}, []),
        ({"hashtag": HOSTILE}, ["w:c"]),
        ({"author": "b_c"}, ["v:b"]),
        ({"author": "b%"}, []),
        ({"author": HOSTILE}, ["w:c"]),
        ({"video_id": "v:"}, ["v:b", "v:a"]),
        ({"video_id": "_:"}, []),
        ({"video_id": HOSTILE}, []),
        ({"verdicts": (VerdictKind.HARMFUL,)}, ["v:b"]),
        ({"verdicts": (VerdictKind.HARMFUL, VerdictKind.SAFE), "words": "street"}, ["v:b"]),
        ({"verdicts": (VerdictKind.SAFE,), "words": "street"}, []),
        ({"label": "violence", "words": "street"}, ["v:b"]),
        ({"label": "violence"}, ["v:b"]),
        ({"score_min": 0.5}, ["v:b"]),
        ({"score_max": 0.5}, ["v:a"]),
        ({"model_version": MODELS}, ["w:c", "v:b", "v:a"]),
        ({"source": "live", "language": "vi"}, ["w:c", "v:a"]),
        ({"since": NOON + timedelta(minutes=1)}, ["w:c", "v:b"]),
        ({"until": NOON + timedelta(minutes=1)}, ["v:a"]),
        ({"sort": Sort.SCORE}, ["v:b", "v:a", "w:c"]),
        ({"sort": Sort.LANGUAGE, "ascending": True}, ["v:b", "v:a", "w:c"]),
    ],
)
def test_a_filter_leaves_what_it_names(
    settings: StoreSettings, search: Search, filters: dict[str, object], expected: list[str]
) -> None:
    three(settings)

    assert ids(search, **filters) == expected


def test_a_verdicts_id_finds_its_video_also_when_it_is_an_earlier_one(settings: StoreSettings, search: Search) -> None:
    before = make_verdict("v:1", offset=0, verdict_id="a" * 32)
    store(settings, before, make_verdict("v:1", offset=1, minute=5, model_version="text:4", verdict_id="b" * 32))

    assert ids(search, video_id="a" * 32) == ["v:1"]


@pytest.mark.parametrize("sort", Sort)
@pytest.mark.parametrize("ascending", [False, True])
def test_pages_follow_each_other_without_a_gap_and_back_again(
    settings: StoreSettings, search: Search, *, sort: Sort, ascending: bool
) -> None:
    # Many equals, and videos without score, label or language.
    rows = [
        make_verdict(f"v:{n}", offset=n, minute=n // 3, score=(None, 0.25, 0.5)[n % 3], language=("vi", None)[n % 2])
        for n in range(11)
    ]
    store(settings, *rows)
    query = Query(sort=sort, ascending=ascending)

    forward = walk(search, query, "after")
    whole = [row.video_id for row in search.page(VIEWER, query, limit=50).rows]

    assert [name for page in forward for name in page] == whole
    assert len(set(whole)) == len(rows)
    assert walk(search, query, "before", start=last_token(search, query)) == forward[-2::-1]


def walk(search: Search, query: Query, way: str, start: str = "") -> list[list[str]]:
    pages, token = [], start
    while True:
        page = search.page(VIEWER, query, limit=3, token=token)
        pages.append([row.video_id for row in page.rows])
        token = getattr(page, way)
        if not token:
            return pages


def last_token(search: Search, query: Query) -> str:
    token = before = ""
    while True:
        page = search.page(VIEWER, query, limit=3, token=token)
        token, before = page.after, page.before
        if not token:
            return before


HOSTILE_PLACES = [
    Place(value, at, video_id).token()
    for value, at, video_id in (
        (True, NOON, "v:a"),
        (float("inf"), NOON, "v:a"),
        ("x\x00", NOON, "v:a"),
        ("x", NOON, "v:a\x00"),
        ("x", NOON, "\ud800"),
    )
]


@pytest.mark.parametrize("sort", Sort)
@pytest.mark.parametrize("token", HOSTILE_PLACES)
def test_a_hostile_place_is_a_page_like_any_other(
    settings: StoreSettings, search: Search, token: str, sort: Sort
) -> None:
    three(settings)

    assert len(search.page(VIEWER, Query(sort=sort), limit=3, token=token).rows) <= 3


@pytest.mark.parametrize("token", ["x", "W10", "é", Place(1.0, NOON, "v:a").token(), Place("x", NOON, "v:a").token()])
def test_a_place_that_is_none_in_this_order_is_the_beginning(
    settings: StoreSettings, search: Search, token: str
) -> None:
    three(settings)
    sort = Sort.LABEL if Place.parse(token) is None or isinstance(Place.parse(token).value, float) else Sort.SCORE  # type: ignore[union-attr]

    assert len(search.page(VIEWER, Query(sort=sort), limit=3, token=token).rows) == 3


def test_an_empty_answer_names_the_filters_to_blame(settings: StoreSettings, search: Search) -> None:
    three(settings)

    assert search.blocking(VIEWER, Query(author="nobody", words="pho")) == ["author"]
    assert search.blocking(VIEWER, Query(author="nobody", label="none")) == []


def test_a_video_tells_every_verdict_decision_and_record_of_it(settings: StoreSettings, search: Search) -> None:
    again = make_verdict(
        "v:1",
        offset=1,
        minute=5,
        model_version="text:4",
    )
    store(settings, make_verdict("v:1"), again, make_verdict("v:2", offset=2))
    with psycopg.connect(settings.dsn.get_secret_value()) as connection:
        connection.execute(
            "INSERT INTO people (user_id, name, sign_in_name, role) VALUES ('u_7', 'An Nguyễn', 'search an', 'lead')"
            " ON CONFLICT DO NOTHING"
        )
        connection.execute(
            "INSERT INTO review_decisions"
            " (decision_id, video_id, verdict_id, event_time, reviewer, decision, answers, reason, decided_at)"
            " VALUES (gen_random_uuid()::text, 'v:1', 'x', now(), 'u_7', 'reject', '{\"hate\": \"reject\"}',"
            " 'misread', now())"
        )

    story = search.story(VIEWER, "v:1")

    assert [version.model_version for version in story.versions] == ["text:4", MODELS]
    (decision,) = story.decisions
    assert (decision.reviewer_name, decision.answers, len(story.sightings)) == ("An Nguyễn", {"hate": "reject"}, 2)
    told = audit_cards.story(story, UTC)
    assert all(words in told for words in ("An Nguyễn", "hate: rejected", "The model misread it"))
    assert "u_7" not in told
    assert search.verdict(VIEWER, "v:1") == again


def test_choices_are_what_videos_hold(settings: StoreSettings, search: Search) -> None:
    three(settings)

    choices = search.choices(VIEWER)

    assert (choices.label, choices.language, choices.source) == (["violence"], ["vi"], ["live"])


def test_the_longest_event_that_is_let_in_can_still_be_stored(settings: StoreSettings, search: Search) -> None:
    longest = "".join(chr(0x20000 + n) for n in range(256))
    expanding = "\ufdfa" * 256
    fields = {"source": longest, "language": longest[::-1], "author_id": longest, "caption": "\ufdfa" * 20_000}

    store(settings, make_verdict("v" * 128, hashtags=(expanding,) * 100, **fields))

    assert ids(search, author=longest) == ["v" * 128]


def test_who_may_not_see_verdicts_gets_nothing(search: Search, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.access.CAPABILITIES", {role: frozenset() for role in Role})

    for call in (search.page, search.count, search.blocking):
        with pytest.raises(Forbidden):
            call(VIEWER, Query(), **({"limit": 1} if call == search.page else {}))
    for ask in (search.verdict, search.story):
        with pytest.raises(Forbidden):
            ask(VIEWER, "v:1")


def test_words_are_looked_up_and_not_made_again(settings: StoreSettings) -> None:
    three(settings)
    with psycopg.connect(settings.dsn.get_secret_value(), prepare_threshold=None) as connection:
        connection.execute(search_sql.PREFER_THE_INDEX)
        plan: Sequence[tuple[str]] = connection.execute(
            b"EXPLAIN " + search_sql.count(Query(words="pho", hashtag="dep")).as_bytes()
        ).fetchall()

    assert any("videos_words" in line for (line,) in plan)
