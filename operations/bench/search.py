"""bench search: the console's search, filter by filter, over the database that `bench filled` made."""

import random
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from psycopg.conninfo import make_conninfo
from pydantic import SecretStr
from rich.progress import track
from rich.table import Table

from core.access import Person, Role
from core.labels import VerdictKind
from core.settings import StoreSettings
from core.storage.database import Database
from dashboard.data.search import Search
from dashboard.data.search_query import Query, Sort
from operations.bench.filled import NAME
from operations.bench.filled_rows import MODELS, RARE_WORDS, SOURCES
from operations.seat import screen

PAGE_ROWS = 24
_PERSON = Person("bench", "bench", Role.VIEWER)
_HARMFUL, _SAFE = (VerdictKind.HARMFUL,), (VerdictKind.SAFE,)

Chance = random.Random
CASES: Mapping[str, Callable[[Chance], Query]] = {
    "nothing": lambda _: Query(),
    "id, its beginning": lambda chance: Query(video_id=f"bench:{chance.randrange(1000, 9999)}"),
    "author, often": lambda chance: Query(author=f"author{chance.randrange(3)}"),
    "author, rare": lambda chance: Query(author=f"author{chance.randrange(1000, 80_000)}"),
    "hashtag, often": lambda chance: Query(hashtag=f"tag{chance.randrange(3)}"),
    "hashtag, rare": lambda chance: Query(hashtag=f"tag{chance.randrange(500, 3000)}"),
    "word, in a third": lambda chance: Query(words=chance.choice(["the", "my", "và", "cua"])),
    "word, in few": lambda chance: Query(words=chance.choice(RARE_WORDS)),
    "two words": lambda chance: Query(words=chance.choice(["pho duong", "river hill", "cafe the", "mua he"])),
    "verdict harmful": lambda _: Query(verdicts=_HARMFUL),
    "verdict safe": lambda _: Query(verdicts=_SAFE),
    "label": lambda chance: Query(label=chance.choice(["hate", "harassment", "violence"])),
    "label that none has": lambda _: Query(label="none"),
    "score": lambda chance: Query(score_min=0.9 + chance.random() / 20),
    "model version": lambda chance: Query(model_version=chance.choice(MODELS)),
    "source": lambda chance: Query(source=chance.choice(SOURCES)),
    "language": lambda chance: Query(language=chance.choice(["vi", "en", "th"])),
    "an hour": lambda chance: _from(chance, timedelta(hours=1)),
    "a month": lambda chance: _from(chance, timedelta(days=30)),
    "by score": lambda _: Query(sort=Sort.SCORE),
    "by label, of one source": lambda chance: Query(sort=Sort.LABEL, source=chance.choice(SOURCES)),
    "word and verdict": lambda chance: Query(words=chance.choice(["dance", "river", "cho"]), verdicts=_HARMFUL),
    "author, verdict, month": lambda chance: Query(
        author="author0", verdicts=_SAFE, since=datetime.now(UTC) - timedelta(days=chance.randrange(20, 40))
    ),
}


def bench_search(server: str, rounds: int) -> dict[str, Any]:
    """Milliseconds of a page with its count, and of the page alone; the second page counts as much as the first."""
    search = Search(Database(StoreSettings(dsn=SecretStr(make_conninfo(server, dbname=NAME))), "bench"))
    chance = random.Random(0)  # noqa: S311 - the same questions each time
    rows: list[dict[str, Any]] = []
    for name, ask in track(CASES.items(), "searching", console=screen, transient=True):
        spent = [_spent_ms(search, ask(chance)) for _ in range(rounds)]
        pages, wholes = zip(*spent, strict=True)
        rows.append({"filter": name, **_percentiles("page", pages), **_percentiles("page_and_count", wholes)})
    videos = search.count(_PERSON, Query())
    search.close()
    worst = max(row["page_and_count_p95_ms"] for row in rows)
    return {"bench": "search", "counted": videos, "rounds": rounds, "worst_p95_ms": worst, "rows": rows}


def show(result: Mapping[str, Any]) -> None:
    """A table for people."""
    table = Table("filter", "page p50, ms", "p95", "with count p50, ms", "p95")
    for row in result["rows"]:
        table.add_row(*(str(value) for value in row.values()))
    screen.print(table)


def _from(chance: Chance, length: timedelta) -> Query:
    since = datetime.now(UTC) - timedelta(days=chance.randrange(31, 80))
    return Query(since=since, until=since + length)


def _spent_ms(search: Search, query: Query) -> tuple[float, float]:
    started_s = time.perf_counter()
    page = search.page(_PERSON, query, limit=PAGE_ROWS)
    found_s = time.perf_counter()
    search.count(_PERSON, query)
    counted_s = time.perf_counter()
    if page.after:
        search.page(_PERSON, query, limit=PAGE_ROWS, token=page.after)
        found_s = max(found_s, started_s + time.perf_counter() - counted_s)
    return (found_s - started_s) * 1e3, (counted_s - started_s) * 1e3


def _percentiles(name: str, spent_ms: tuple[float, ...]) -> dict[str, float]:
    return {f"{name}_p{share}_ms": round(float(np.percentile(spent_ms, share)), 1) for share in (50, 95)}
