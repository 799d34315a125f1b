"""Counts → the rows of charts and the figures of the strip: gaps stay gaps, small labels become `other`. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from core.labels import VerdictKind
from dashboard.numbers import NOTHING
from dashboard.period import Window
from dashboard.statistics import change, percentile, wilson
from dashboard.trend_rows import Bin, Histogram, Point, Wait

Row = dict[str, Any]
FLAGGED = (VerdictKind.HARMFUL, VerdictKind.REVIEW, VerdictKind.PARTIAL, VerdictKind.UNSCORED)
EVERY = (*FLAGGED, VerdictKind.SAFE)
LABELS = 4
"""Labels with a shade of their own; the rest is one."""
PERCENTILES = {"p50": 0.50, "p95": 0.95, "p99": 0.99}
BIN = 0.05


def verdict_rows(points: Iterable[Point], window: Window, names: Mapping[VerdictKind, str]) -> list[Row]:
    """Stacked bars of these kinds of verdicts."""
    counts: Counter[tuple[datetime, VerdictKind]] = Counter()
    for point in _labelled(points, window.label):
        counts[point.at, point.verdict] += point.videos
    order = {kind: place for place, kind in enumerate(names)}
    rows = (
        {**_step(at, window), "name": names[kind], "videos": videos, "order": order[kind]}
        for (at, kind), videos in sorted(counts.items())
        if kind in names
    )
    return _stacked(rows, by="at")


def label_names(points: Iterable[Point], other: str) -> list[str]:
    """The labels of flagged videos, the most frequent first; `other` last if there are more."""
    counts: Counter[str] = Counter()
    for point in points:
        if point.label:
            counts[point.label] += point.videos
    ordered = [label for label, _ in sorted(counts.items(), key=lambda found: (-found[1], found[0]))]
    return ordered if len(ordered) <= LABELS + 1 else [*ordered[:LABELS], other]


def label_rows(points: Iterable[Point], window: Window, names: Sequence[str], other: str) -> list[Row]:
    """Stacked bars of flagged videos by label."""
    counts: Counter[tuple[datetime, str]] = Counter()
    for point in _labelled(points, window.label):
        if point.label:
            counts[point.at, point.label if point.label in names else other] += point.videos
    order = {name: place for place, name in enumerate(names)}
    rows = (
        {**_step(at, window), "name": name, "videos": videos, "order": order[name]}
        for (at, name), videos in sorted(counts.items())
    )
    return _stacked(rows, by="at")


def rate_rows(points: Iterable[Point], window: Window) -> list[Row]:
    """The harmful rate of every step, in percent; a step without videos has none."""
    videos: Counter[datetime] = Counter()
    harmful: Counter[datetime] = Counter()
    for point in points:
        videos[point.at] += point.videos
        if point.verdict is VerdictKind.HARMFUL and window.label in (None, point.label):
            harmful[point.at] += point.videos
    return [_rate(at, harmful[at], videos[at], window) for at in window.steps]


def bin_rows(bins: Iterable[Bin], names: Mapping[VerdictKind, str]) -> list[Row]:
    """The histogram's bars."""
    order = {kind: place for place, kind in enumerate(names)}
    rows = (
        {
            "low": round(found.place * BIN, 2),
            "high": round((found.place + 1) * BIN, 2),
            "name": names[found.verdict],
            "videos": found.videos,
            "order": order[found.verdict],
        }
        for found in bins
    )
    return _stacked(rows, by="low")


def threshold_rows(found: Histogram, label: str | None, *, harmful: str, review: str) -> list[Row]:
    """The policy's lines: of the chosen label, else each threshold that any label has, once."""
    if found.policy is None:
        return []
    labels = found.policy.labels
    chosen = [labels[label]] if label is not None and label in labels else list(labels.values())
    lines = {(at.harmful, harmful, False) for at in chosen} | {(at.review, review, True) for at in chosen}
    return [
        {"score": at, "words": f"{words} {at:.2f}", "is_dashed": is_dashed, "place": 14 * place}
        for place, (at, words, is_dashed) in enumerate(sorted(lines, reverse=True))
    ]


def wait_rows(waits: Sequence[Wait], window: Window) -> list[Row]:
    """The percentiles of every step; a step without alerts has none."""
    by_step: dict[datetime, list[tuple[float, int]]] = {}
    for wait in waits:
        by_step.setdefault(wait.at, []).append((wait.seconds, wait.alerts))
    return [
        {
            "at": _iso(at),
            "name": name,
            "seconds": _rounded(percentile(by_step.get(at, ()), share)),
            "n": _sum(by_step, at),
        }
        for at in window.steps
        for name, share in PERCENTILES.items()
    ]


def per_hour(number: int, hours: float) -> float:
    """So many an hour: what counts of a window that is not over are compared by."""
    return number / hours if hours > 0 else 0.0


def relative(now: float | None, before: float | None) -> str:
    """`+12 %`, or a dash where nothing can be compared."""
    grown = change(now, before)
    return NOTHING if grown is None else f"{round(100 * grown) + 0:+d} %"


def points(now: float | None, before: float | None, *, scale: float = 100.0, digits: int = 1) -> str:
    """A difference: of shares in percentage points."""
    return NOTHING if now is None or before is None else f"{scale * (now - before):+.{digits}f}"


def _labelled(found: Iterable[Point], label: str | None) -> Iterable[Point]:
    return (point for point in found if label is None or point.label == label)


def _step(at: datetime, window: Window) -> Row:
    return {"at": _iso(at), "until": _iso(min(at + window.step, window.end))}


def _rate(at: datetime, harmful: int, videos: int, window: Window) -> Row:
    rate = wilson(harmful, videos)
    middle = at + window.step / 2
    if rate is None:
        return {"at": _iso(middle), "rate": None, "low": None, "high": None, "n": 0}
    low, value, high = (round(100 * part, 2) for part in (rate.low, rate.value, rate.high))
    return {"at": _iso(middle), "rate": value, "low": low, "high": high, "n": videos}


def _sum(by_step: Mapping[datetime, Sequence[tuple[float, int]]], at: datetime) -> int:
    return sum(alerts for _, alerts in by_step.get(at, ()))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def _iso(at: datetime) -> str:
    return at.isoformat()


def _stacked(rows: Iterable[Row], *, by: str) -> list[Row]:
    """The rows, each on top of those before it in the same place."""
    tops: Counter[Any] = Counter()
    placed = []
    for row in sorted(rows, key=lambda row: row["order"]):
        base = tops[row[by]]
        tops[row[by]] += row["videos"]
        placed.append({**row, "base": base, "top": tops[row[by]]})
    return placed
