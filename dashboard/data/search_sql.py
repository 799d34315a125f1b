"""A query → SQL: only the conditions that are set, so that the planner sees the question that was asked."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from psycopg import sql

from dashboard.data.search_query import Place, Query, Sort

VERDICT_ID = re.compile(r"^[0-9a-f]{32}$")

# Of what the covering index `videos_recent` holds: an answer in any of these orders reads no row it does not return.
_SORTS: Mapping[Sort, sql.SQL | None] = {
    Sort.TIME: None,
    Sort.SCORE: sql.SQL("coalesce(score, -1)"),
    Sort.VERDICT: sql.SQL("verdict"),
    Sort.LABEL: sql.SQL("coalesce(label, '')"),
    Sort.LANGUAGE: sql.SQL("coalesce(language, '')"),
    Sort.SOURCE: sql.SQL("source"),
    Sort.MODEL: sql.SQL("model_version"),
}
# starts_with, unlike LIKE, has no wildcards, and what search_caption makes of words no operators.
_CONDITIONS: Mapping[str, sql.SQL] = {
    "video_id": sql.SQL("starts_with(video_id, {})"),
    "author": sql.SQL("author_id = {}"),
    "hashtag": sql.SQL("search_words(body, verdict, label) @@ search_hashtag({})"),
    "words": sql.SQL("search_words(body, verdict, label) @@ search_caption({})"),
    "verdicts": sql.SQL("verdict = ANY({}::text[])"),
    "label": sql.SQL("label = {}"),
    "score_min": sql.SQL("score >= {}"),
    "score_max": sql.SQL("score <= {}"),
    "model_version": sql.SQL("model_version = {}"),
    "source": sql.SQL("source = {}"),
    "language": sql.SQL("language = {}"),
    "since": sql.SQL("event_time >= {}"),
    "until": sql.SQL("event_time < {}"),
}
# The same again for the index of words, which then finds no video that another filter leaves out.
_AMONG_WORDS: Mapping[str, sql.SQL] = {
    "verdicts": sql.SQL("search_words(body, verdict, label) @@ {}"),
    "label": sql.SQL("search_words(body, verdict, label) @@ search_label({})"),
}
_OF_VERDICT = sql.SQL("video_id IN (SELECT video_id FROM verdicts WHERE verdict_id = {0} UNION ALL SELECT {0})")

COLUMNS = sql.SQL("""
video_id, event_time, decided_at, verdict, action, mode, label, score, author_id, body->>'caption' AS caption,
ARRAY(SELECT json_array_elements_text(body->'hashtags')) AS hashtags, language, source, platform,
model_version, policy_version, verdict_id, media_sha256, body->>'media_uri' IS NOT NULL AS has_video
""")
"""What a row of the answer is made of, in the order of its fields."""

_PAGE = sql.SQL("""
SELECT {columns}, {value} FROM (SELECT video_id FROM videos WHERE {where} ORDER BY {order} LIMIT {limit}) AS found
JOIN videos USING (video_id) ORDER BY {order}
""")
_ALL = sql.SQL("SELECT {columns} FROM videos WHERE {where} ORDER BY {order}")
_COUNT_TO = sql.SQL("SELECT count(*) FROM (SELECT FROM videos WHERE {where} LIMIT {limit}) AS counted")
_COUNT = sql.SQL("SELECT count(*) FROM videos WHERE {where}")
_EXISTS = sql.SQL("EXISTS (SELECT FROM videos WHERE {})")

# The planner takes the making of words for cheap, and would make them of every video rather than read their index;
# and where the places of a common word need more memory than this, the words of their neighbours are made as well.
PREFER_THE_INDEX = b"SELECT set_config('enable_seqscan', 'off', true), set_config('work_mem', '64MB', true)"
CHOICES = b"""
SELECT array_agg(DISTINCT label), array_agg(DISTINCT model_version), array_agg(DISTINCT source),
    array_agg(DISTINCT language)
FROM (
    SELECT label, model_version, source, language FROM videos ORDER BY event_time DESC, video_id DESC LIMIT %(newest)s
) AS newest
"""
VERDICT = b"SELECT body::text FROM videos WHERE video_id = %(video_id)s"
VERSIONS = b"""
SELECT verdict_id, event_time, decided_at, verdict, label, score, model_version, policy_version FROM verdicts
WHERE video_id = %(video_id)s ORDER BY event_time DESC, verdict_id LIMIT %(limit)s
"""
SIGHTINGS = b"""
SELECT event_time, topic, partition, "offset", verdict_id, replay_of FROM sightings
WHERE video_id = %(video_id)s ORDER BY event_time DESC LIMIT %(limit)s
"""


def page(query: Query, place: Place | None, limit: int) -> sql.Composed:
    """The rows on one side of a place, nearest to it first; one more column says what they are ordered by."""
    backwards = place is not None and place.is_before
    is_rising = query.ascending != backwards
    where = [_where(query)]
    if place is not None:
        where.append(_beyond(query.sort, place, is_rising=is_rising))
    return _PAGE.format(
        columns=COLUMNS,
        value=_SORTS[query.sort] or sql.SQL("video_id"),
        where=sql.SQL(" AND ").join(where),
        order=_order(query.sort, is_rising=is_rising),
        limit=sql.Literal(limit),
    )


def everything(query: Query) -> sql.Composed:
    """All matching rows, in their order."""
    order = _order(query.sort, is_rising=query.ascending)
    return _ALL.format(columns=COLUMNS, where=_where(query), order=order)


def count(query: Query) -> sql.Composed:
    """How many there are."""
    return _COUNT.format(where=_where(query))


def count_to(query: Query, most: int) -> sql.Composed:
    """How many there are, counted no further than `most`."""
    return _COUNT_TO.format(where=_where(query), limit=sql.Literal(most))


def any_of(queries: Iterable[Query]) -> sql.Composed:
    """Whether each of them has an answer, in one row."""
    return sql.SQL("SELECT {}").format(sql.SQL(", ").join(_EXISTS.format(_where(query)) for query in queries))


def has_words(query: Query) -> bool:
    """Whether the index of words answers it."""
    return bool(query.words or query.hashtag)


def _where(query: Query) -> sql.Composable:
    parts = [_condition(query, name) for name in query.narrowed]
    if has_words(query):
        parts += [_among_words(query, name) for name in _AMONG_WORDS if name in query.narrowed]
    return sql.SQL(" AND ").join(parts) if parts else sql.SQL("true")


def _condition(query: Query, name: str) -> sql.Composed:
    value: Any = getattr(query, name)
    if name == "video_id" and VERDICT_ID.match(value):
        return _OF_VERDICT.format(sql.Literal(value))
    return _CONDITIONS[name].format(sql.Literal(list(value) if name == "verdicts" else value))


def _among_words(query: Query, name: str) -> sql.Composed:
    if name == "label":
        return _AMONG_WORDS[name].format(sql.Literal(query.label))
    kinds = (sql.SQL("search_verdict({})").format(sql.Literal(kind.value)) for kind in query.verdicts)
    return _AMONG_WORDS[name].format(sql.SQL("({})").format(sql.SQL(" || ").join(kinds)))


def _key(sort: Sort) -> list[sql.Composable]:
    value = _SORTS[sort]
    return [*([value] if value else []), sql.SQL("event_time"), sql.SQL("video_id")]


def _order(sort: Sort, *, is_rising: bool) -> sql.Composed:
    direction = sql.SQL(" ASC" if is_rising else " DESC")
    return sql.SQL(", ").join(part + direction for part in _key(sort))


def _beyond(sort: Sort, place: Place, *, is_rising: bool) -> sql.Composed:
    values: list[Any] = [*([place.value] if _SORTS[sort] else []), place.event_time, place.video_id]
    return sql.SQL("({}) {} ({})").format(
        sql.SQL(", ").join(_key(sort)),
        sql.SQL(">" if is_rising else "<"),
        sql.SQL(", ").join(map(sql.Literal, values)),
    )
