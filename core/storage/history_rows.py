"""Verdicts and dead letters as columns of a multi-row insert, and back: the border between events and SQL."""

import base64
import json
import uuid
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple

from core.events import DeadLetter, RecordRef, Verdict
from core.storage.ports import DeadLetterRow

Columns = dict[str, list[Any]]

NUL = "\x00"


def content_id(verdict: Verdict) -> uuid.UUID:
    """What makes a fact: the same video, media, caption, models and policy have the same one."""
    parts = (
        verdict.video_id,
        verdict.media_sha256,
        verdict.caption_sha256,
        verdict.model_version,
        verdict.policy_version,
    )
    return uuid.UUID(bytes=sha256(repr(parts).encode()).digest()[:16])


def failures(verdict: Verdict) -> int:
    """How many modalities failed; a fact is improved by a verdict with fewer."""
    return sum(score.code is not None for score in verdict.modalities.values())


def recency(verdict: Verdict) -> tuple[datetime, int, int]:
    """What decides which of a video's verdicts is current: the largest."""
    return (verdict.event_time, verdict.record.partition, verdict.record.offset)


def newest(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """One verdict per video, the most recent."""
    chosen: dict[str, Verdict] = {}
    for verdict in verdicts:
        # Most videos come once in a batch: only a repeat is compared.
        known = chosen.setdefault(verdict.video_id, verdict)
        if known is not verdict and recency(verdict) >= recency(known):
            chosen[verdict.video_id] = verdict
    return list(chosen.values())


def facts(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """One verdict per content and per verdict_id: the one with the fewest failures, the oldest of those."""
    return [row.verdict for row in _facts(map(_row, verdicts))]


class _Row(NamedTuple):
    """A verdict with what is costly to derive from it, derived once."""

    verdict: Verdict
    content_id: uuid.UUID
    rank: tuple[int, datetime, int, int]
    """Of equal contents, or of equal verdict_ids, the lowest is the fact."""


def _row(verdict: Verdict) -> _Row:
    return _Row(verdict, content_id(verdict), (failures(verdict), *recency(verdict)))


def _facts(rows: Iterable[_Row]) -> list[_Row]:
    by_content = _lowest(rows, lambda row: row.content_id)
    return _lowest(by_content, lambda row: row.verdict.verdict_id)


def _lowest(rows: Iterable[_Row], key: Callable[[_Row], Hashable]) -> list[_Row]:
    chosen: dict[Hashable, _Row] = {}
    for row in rows:
        known = chosen.setdefault(key(row), row)
        if row.rank < known.rank:
            chosen[key(row)] = row
    return list(chosen.values())


def storable(text: str) -> str:
    """The text without NUL, which PostgreSQL cannot hold; what we write about hostile input may quote it."""
    return text.replace(NUL, "\ufffd")


def body_of(verdict: Verdict) -> str:
    """The verdict as JSON that jsonb accepts."""
    body = verdict.as_json
    # The escape also matches a backslash somebody typed; only the slow path can tell, and it leaves that alone.
    return json.dumps(_without_nul(json.loads(body)), ensure_ascii=False) if "\\u0000" in body else body


def _without_nul(value: Any) -> Any:  # noqa: ANN401 - any JSON
    match value:
        case str():
            return storable(value)
        case list():
            return [_without_nul(part) for part in value]
        case dict():
            return {_without_nul(key): _without_nul(part) for key, part in value.items()}
    return value


_VERDICT: Mapping[str, Callable[[Verdict], Any]] = {
    "video_id": lambda v: v.video_id,
    "verdict_id": lambda v: v.verdict_id,
    "event_time": lambda v: v.event_time,
    "decided_at": lambda v: v.decided_at,
    "verdict": lambda v: v.verdict.value,
    "action": lambda v: v.action.value,
    "mode": lambda v: v.mode.value,
    "label": lambda v: v.label,
    "score": lambda v: v.score,
    "failures": failures,
    "source": lambda v: v.source,
    "language": lambda v: v.language,
    "platform": lambda v: v.platform,
    "author_id": lambda v: v.author_id,
    "media_sha256": lambda v: v.media_sha256,
    "caption_sha256": lambda v: v.caption_sha256,
    "model_version": lambda v: v.model_version,
    "policy_version": lambda v: v.policy_version,
    "body": body_of,
    "topic": lambda v: v.record.topic,
    "partition": lambda v: v.record.partition,
    "offset": lambda v: v.record.offset,
    "replay_of": lambda v: v.replay_of and storable(v.replay_of),
}

_DEAD_LETTER: Mapping[str, Callable[[DeadLetter], Any]] = {
    "topic": lambda d: d.record.topic,
    "partition": lambda d: d.record.partition,
    "offset": lambda d: d.record.offset,
    "stage": lambda d: storable(d.stage),
    "code": lambda d: storable(d.code),
    "message": lambda d: storable(d.message),
    "attempts": lambda d: d.attempts,
    "key": lambda d: d.key,
    "headers": lambda d: json.dumps([[storable(name), base64.b64encode(value).decode()] for name, value in d.headers]),
    "payload": lambda d: d.payload,
    "payload_uri": lambda d: d.payload_uri,
    "video_id": lambda d: d.video_id and storable(d.video_id),
    "record_time": lambda d: d.record_time,
    "died_at": lambda d: d.died_at,
}


def verdict_columns(verdicts: Sequence[Verdict]) -> Columns:
    """The batch's records, each once, in key order, with `is_fact` and `is_current` saying what each may become.

    The order is the same in every process: two writers lock rows in the same order, and never each other out.
    """
    records = {(v.record.topic, v.record.partition, v.record.offset): v for v in verdicts}
    rows = sorted(map(_row, records.values()), key=lambda row: (row.verdict.video_id, row.content_id, row.rank[1:]))
    ordered = [row.verdict for row in rows]
    columns: Columns = {name: list(map(value, ordered)) for name, value in _VERDICT.items()}
    columns["content_id"] = [row.content_id for row in rows]
    for name, chosen in (("is_fact", [row.verdict for row in _facts(rows)]), ("is_current", newest(ordered))):
        members = set(map(id, chosen))
        columns[name] = [id(verdict) in members for verdict in ordered]
    return columns


def dead_letter_columns(dead_letters: Sequence[DeadLetter]) -> Columns:
    """The batch's dead letters, each key once (the first), in key order."""
    keyed: dict[tuple[str, int, int, str], DeadLetter] = {}
    for letter in dead_letters:
        keyed.setdefault((letter.record.topic, letter.record.partition, letter.record.offset, letter.stage), letter)
    rows = [keyed[key] for key in sorted(keyed)]
    return {name: [value(row) for row in rows] for name, value in _DEAD_LETTER.items()}


def read_dead_letter(row: Mapping[str, Any]) -> DeadLetterRow:
    """A row of `dead_letters` as it was written."""
    fields = {name: row[name] for name in _DEAD_LETTER if name not in {"topic", "partition", "offset", "headers"}}
    dead_letter = DeadLetter(
        record=RecordRef(topic=row["topic"], partition=row["partition"], offset=row["offset"]),
        headers=tuple((name, base64.b64decode(value)) for name, value in row["headers"]),
        **fields,
    )
    return DeadLetterRow(dead_letter, row["replayed_at"])
