"""Verdicts and dead letters as columns of a multi-row insert, and back: the border between events and SQL."""

import base64
import json
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

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
    for verdict in sorted(verdicts, key=recency):
        chosen[verdict.video_id] = verdict
    return list(chosen.values())


def facts(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """One verdict per content and per verdict_id: the one with the fewest failures, the oldest of those."""
    ranked = sorted(verdicts, key=lambda verdict: (failures(verdict), recency(verdict)))
    by_content: dict[uuid.UUID, Verdict] = {}
    for verdict in ranked:
        by_content.setdefault(content_id(verdict), verdict)
    by_id: dict[str, Verdict] = {}
    for verdict in by_content.values():
        by_id.setdefault(verdict.verdict_id, verdict)
    return list(by_id.values())


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
    "content_id": content_id,
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
    rows = sorted(records.values(), key=lambda v: (v.video_id, content_id(v), recency(v)))
    columns: Columns = {name: [value(row) for row in rows] for name, value in _VERDICT.items()}
    for name, chosen in (("is_fact", facts(rows)), ("is_current", newest(rows))):
        members = {id(verdict) for verdict in chosen}
        columns[name] = [id(row) in members for row in rows]
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
