"""Made-up verdicts and decisions for a database to be measured on: the same ones each time, of harmless words only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.events import RecordRef, Verdict, verdict_id
from core.labels import HARMFUL_LABEL, Action, Modality, Mode, VerdictKind

SPAN = timedelta(days=90)
BLOCK = 10_000
SEED = 20_260_301
POLICIES = ("starter@5f1c", "starter@9a02")
POLICY_BEFORE = "starter@31e8"
MODELS = tuple(f"text:{text}|video:{video}|fusion:-" for text, video in ((1, 1), (2, 1), (2, 2), (3, 2), (3, 3)))
LABELS = ("hate", "harassment", "violence")
KINDS = (VerdictKind.SAFE, VerdictKind.REVIEW, VerdictKind.HARMFUL, VerdictKind.PARTIAL, VerdictKind.UNSCORED)
KIND_SHARES = (0.93, 0.03, 0.025, 0.012, 0.003)
SCORES = {VerdictKind.SAFE: (0.01, 0.4), VerdictKind.REVIEW: (0.4, 0.5), VerdictKind.HARMFUL: (0.5, 0.99)}
ACTIONS = {VerdictKind.HARMFUL: Action.ALERT, VerdictKind.REVIEW: Action.REVIEW}
LANGUAGES = ("vi", "en", "es", "id", "th", None)
LANGUAGE_SHARES = (0.45, 0.3, 0.08, 0.08, 0.04, 0.05)
SOURCES = ("crawl", "gateway", "download", "live")
SOURCE_SHARES = (0.6, 0.25, 0.1, 0.05)
EARLIER_SHARE = 0.05
AUTHORS, HASHTAGS = 80_000, 3_000
REVIEWERS = tuple(f"reviewer-{number}" for number in range(1, 9))

_ENGLISH = (
    "the my a day with cooking dance cat dog garden coffee morning street music song easy recipe funny travel beach "
    "home school friends game football bike summer winter rain light paint wood bread cake market train river hill"
)
_VIETNAMESE = (
    "và của một ngày với nấu ăn nhảy mèo chó vườn cà phê buổi sáng đường phố âm nhạc bài hát công thức dễ vui du lịch "
    "biển nhà trường bạn bè trò chơi bóng đá xe đạp mùa hè mưa nắng vẽ gỗ bánh mì chợ tàu sông đồi quê hương đẹp"
)
_WORDS = tuple(_ENGLISH.split()), tuple(_VIETNAMESE.split())
_SYLLABLES = ("ba", "do", "ki", "lu", "me", "na", "po", "ri", "sa", "tu", "vo", "ze")
RARE_WORDS = tuple("".join(parts) for parts in product(_SYLLABLES, repeat=4))
"""Words that few captions hold: a search for one must find its needle."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Block:
    """What is stored in one transaction.

    Attributes:
        current: what each video's verdict is.
        earlier: what an older model had said of some of them.
        decisions: rows of `review_decisions`, in the order of DECISION_COLUMNS.
    """

    current: Sequence[Verdict]
    earlier: Sequence[Verdict]
    decisions: Sequence[Sequence[object]]


DECISION_COLUMNS = (
    *("decision_id", "video_id", "verdict_id", "event_time", "reviewer", "decision"),
    *("labels", "reason", "decided_at"),
)


def block(number: int, size: int, decisions: int, *, total: int, until: datetime) -> Block:
    """The block's rows; blocks follow each other in time, the last one ends at `until`."""
    chance = np.random.default_rng([SEED, number])
    draws = _Draws(chance, size)
    current = [_verdict(draws, place, number * BLOCK + place, total=total, until=until) for place in range(size)]
    chosen = chance.random(size) < EARLIER_SHARE
    earlier = [_before(verdict) for verdict, is_chosen in zip(current, chosen, strict=True) if is_chosen]
    return Block(current, earlier, _decisions(current, decisions, chance))


class _Draws:
    """All chances of a block, drawn at once: a call per row would cost more than the row."""

    def __init__(self, chance: np.random.Generator, size: int) -> None:
        self.kind = chance.choice(len(KINDS), size, p=KIND_SHARES)
        self.language = chance.choice(len(LANGUAGES), size, p=LANGUAGE_SHARES)
        self.source = chance.choice(len(SOURCES), size, p=SOURCE_SHARES)
        self.author = _zipf(chance, AUTHORS, size, 1.05)
        self.hashtags = _zipf(chance, HASHTAGS, (size, 5), 1.1)
        self.hashtag_count = chance.integers(0, 6, size)
        self.words = _zipf(chance, len(_WORDS[0]), (size, 14), 0.9)
        self.word_count = chance.integers(3, 15, size)
        self.rare = chance.integers(0, len(RARE_WORDS), (size, 2))
        self.label = chance.choice(len(LABELS), size, p=(0.5, 0.3, 0.2))
        self.level = chance.beta(1.2, 4.0, size)
        self.shape = chance.random((size, 16))
        self.lateness_s = chance.gamma(2.0, 0.7, size)
        self.is_text_only = chance.random(size) < 0.1  # noqa: PLR2004 - one post of ten


def _zipf(chance: np.random.Generator, count: int, size: int | tuple[int, int], exponent: float) -> Ints:
    weights = np.cumsum(1.0 / np.arange(1, count + 1) ** exponent)
    drawn: Ints = np.searchsorted(weights, chance.random(size) * weights[-1])
    return drawn


def _verdict(draws: _Draws, place: int, at: int, *, total: int, until: datetime) -> Verdict:
    share = (at + 0.5) / total
    event_time = until - SPAN * (1 - share)
    kind = KINDS[int(draws.kind[place])]
    # An odd factor: every number once, scattered as the ids of a platform are.
    video_id = f"bench:{at * 0x9E3779B97F4A7C15 % 2**64:020d}"
    model = MODELS[min(int(share * len(MODELS)), len(MODELS) - 1)]
    policy = POLICIES[share > 0.4]  # noqa: PLR2004 - a policy changed some time
    fields: dict[str, Any] = {
        "verdict_id": verdict_id(video_id, event_time, model, policy),
        "video_id": video_id,
        "event_time": event_time,
        "decided_at": event_time + timedelta(seconds=float(draws.lateness_s[place])),
        "posted_at": event_time,
        "verdict": kind,
        "action": ACTIONS.get(kind, Action.NONE),
        "model_version": model,
        "policy_version": policy,
        "author_id": f"author{int(draws.author[place])}",
        "platform": "bench",
        "language": LANGUAGES[int(draws.language[place])],
        "source": SOURCES[int(draws.source[place])],
        "record": RecordRef(topic="bench", partition=at % 6, offset=at // 6),
        "timings_ms": {"decode": 180.0, "infer": 42.0, "decide": 0.1},
        **_post(draws, place, at),
        **_scores(draws, place, kind),
    }
    return Verdict.model_validate(fields)


def _post(draws: _Draws, place: int, at: int) -> dict[str, object]:
    vocabulary = _WORDS[LANGUAGES[int(draws.language[place])] == "vi"]
    words = [vocabulary[number % len(vocabulary)] for number in draws.words[place][: draws.word_count[place]]]
    caption = " ".join([*words, *(RARE_WORDS[number] for number in draws.rare[place])])
    tags = [f"tag{number}" for number in draws.hashtags[place][: draws.hashtag_count[place]]]
    text_only = bool(draws.is_text_only[place])
    return {
        "caption": f"{caption} {' '.join(f'#{tag}' for tag in tags)}".strip(),
        "caption_sha256": f"{at:064x}",
        "hashtags": tuple(dict.fromkeys(tags)),
        "media_uri": None if text_only else f"s3://bench/{at:09d}.mp4",
        "media_sha256": None if text_only else f"{at:064x}",
    }


def _scores(draws: _Draws, place: int, kind: VerdictKind) -> dict[str, object]:
    low, high = SCORES.get(kind, SCORES[VerdictKind.SAFE])
    level = round(low + (high - low) * float(draws.level[place]), 4)
    label = LABELS[int(draws.label[place])] if kind in ACTIONS else None
    if kind is VerdictKind.UNSCORED:
        lost = {"code": "media.undecodable"}
        return {
            "mode": Mode.NONE,
            "label": None,
            "score": None,
            "label_scores": {},
            "modalities": {Modality.VIDEO: lost},
        }
    named = {name: level if name == label else round(level * 0.3, 4) for name in LABELS}
    said = {Modality.TEXT: {"scores": named}, Modality.VIDEO: {"scores": {HARMFUL_LABEL: level}}}
    if kind is VerdictKind.PARTIAL:
        said[Modality.VIDEO] = {"code": "media.undecodable"}  # type: ignore[dict-item] # a modality has one or the other
    shape = draws.shape[place] * level
    return {
        "mode": Mode.TEXT_ONLY if kind is VerdictKind.PARTIAL else Mode.LATE_SCORE,
        "label": label,
        "score": level,
        "label_scores": {**named, HARMFUL_LABEL: level},
        "modalities": said,
        "segments": [
            {"start_s": at, "end_s": at + 1.0, "score": round(float(value), 4)} for at, value in enumerate(shape)
        ],
        "caption_spans": [{"start": 0, "end": 3, "score": round(float(shape[0]), 4)}],
    }


def _before(verdict: Verdict) -> Verdict:
    """What the model before said of it, an hour earlier."""
    at = verdict.event_time - timedelta(hours=1)
    model = MODELS[max(0, MODELS.index(verdict.model_version) - 1)]
    changes = {
        "event_time": at,
        "decided_at": at + timedelta(seconds=1),
        "model_version": model,
        "policy_version": POLICY_BEFORE,
        "verdict_id": verdict_id(verdict.video_id, at, model, POLICY_BEFORE),
        "record": verdict.record.model_copy(update={"topic": "bench.before"}),
    }
    return verdict.model_copy(update=changes)


def _decisions(current: Sequence[Verdict], count: int, chance: np.random.Generator) -> list[list[object]]:
    """Of what was flagged first; of anything once that is used up."""
    flagged = [verdict for verdict in current if verdict.action is not Action.NONE]
    rest = [verdict for verdict in current if verdict.action is Action.NONE]
    rows = []
    for place, verdict in enumerate([*flagged, *rest][:count]):
        confirms = bool(chance.random() < verdict.score if verdict.score else False)
        reviewer = REVIEWERS[int(chance.integers(len(REVIEWERS)))]
        after = timedelta(minutes=float(chance.gamma(2.0, 20.0)))
        labels = f'["{verdict.label}"]' if confirms and verdict.label else "[]"
        word = "confirm" if confirms else "reject"
        row = [f"bench-{verdict.verdict_id}-{place}", verdict.video_id, verdict.verdict_id, verdict.event_time]
        rows.append([*row, reviewer, word, labels, "bench", verdict.decided_at + after])
    return rows
