"""The snapshot → the strip of figures: is it well? Pure."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.events import Verdict
from core.labels import Action, VerdictKind
from core.storage.ports import Heartbeat, LiveSnapshot
from dashboard.audit_address import written
from dashboard.language import say
from dashboard.reading import FLOW, OLDEST_WAITING
from dashboard.wording import NOTHING, SHAPES, VERDICTS, count, duration

RATE_OVER_S = 600.0
RATE_BINS = 20
P95_LIMIT_S = 5.0
OLDEST_LIMIT_S = 10.0
PIPELINE = "pipeline"


@dataclass(frozen=True)
class Figure:
    """One figure of the strip.

    Attributes:
        tone: the verdict kind or `bad` that colours it; empty for a figure nobody has to look at.
        bars: a sparkline's heights, oldest first.
        meaning: one sentence for the person who hovers over it.
        opens: the page that explains it, as an address within the console; empty where none does.
    """

    name: str
    value: str
    unit: str = ""
    shape: str = ""
    tone: str = ""
    bars: tuple[float, ...] = ()
    meaning: str = ""
    opens: str = ""


@dataclass(frozen=True)
class Rate:
    """Videos per minute now, and per bin of the window, oldest first."""

    per_min: float
    bins: tuple[float, ...]
    window_s: float


def figures(snapshot: LiveSnapshot, now: datetime, *, live_size: int, sees_platform: bool = False) -> list[Figure]:
    """The strip, in reading order; each leads to the page that explains it, as far as the viewer may open that."""
    shown = zip(_strip(snapshot, now, live_size), _opens(now), strict=True)
    return [
        replace(figure, opens=opens) if sees_platform or not opens.startswith(PIPELINE) else figure
        for figure, opens in shown
    ]


def _opens(now: datetime) -> Iterator[str]:
    """Where each figure leads, in their order; videos are those that were counted."""
    last_hour = written(now - timedelta(hours=1))
    yield "analytics"
    for kind in (VerdictKind.HARMFUL, VerdictKind.REVIEW, VerdictKind.PARTIAL, VerdictKind.UNSCORED):
        yield f"audit?verdict={kind.value}&from={last_hour}"
    yield f"{PIPELINE}?part=letters"
    yield "analytics"
    yield PIPELINE


def _strip(snapshot: LiveSnapshot, now: datetime, live_size: int) -> list[Figure]:
    counts = snapshot.counts
    return [
        _rate(snapshot, now, live_size),
        _harmful(counts),
        _count(counts, VerdictKind.REVIEW, meaning=say("Close to a threshold: a person decides.")),
        _count(counts, VerdictKind.PARTIAL, meaning=say("Would be safe, but a part could not be scored.")),
        _count(counts, VerdictKind.UNSCORED, meaning=say("Nothing of the post could be scored.")),
        _dead(counts),
        _p95(snapshot.posted_to_alert_s),
        _oldest(oldest_waiting_s(snapshot.heartbeats)),
    ]


def rate(verdicts: Sequence[Verdict], now: datetime, *, full: bool) -> Rate:
    """How fast videos get their verdicts, over RATE_OVER_S or as far back as a full view reaches."""
    ages_s = [_age_s(verdict, now) for verdict in verdicts]
    # Verdicts nobody has to see are the first to leave a full view: it is complete as far back as they reach.
    reach_s = max((_age_s(verdict, now) for verdict in verdicts if verdict.action is Action.NONE), default=RATE_OVER_S)
    window_s = min(RATE_OVER_S, max(1.0, reach_s)) if full else RATE_OVER_S
    bin_s = window_s / RATE_BINS
    bins = [0] * RATE_BINS
    for age_s in ages_s:
        if age_s < window_s:
            bins[RATE_BINS - 1 - int(age_s / bin_s)] += 1
    recent_s = min(60.0, window_s)
    per_min = sum(age_s <= recent_s for age_s in ages_s) * 60.0 / recent_s
    return Rate(per_min, tuple(number * 60.0 / bin_s for number in bins), window_s)


def p95(samples: Iterable[float]) -> float | None:
    """The 95th percentile (nearest rank); None without samples."""
    ordered = sorted(samples)
    return ordered[math.ceil(0.95 * len(ordered)) - 1] if ordered else None


def oldest_waiting_s(heartbeats: Iterable[Heartbeat]) -> float | None:
    """Age of the oldest event that any flow still holds; None when no flow says."""
    waits = [
        beat.numbers[OLDEST_WAITING] for beat in heartbeats if beat.kind == FLOW and OLDEST_WAITING in beat.numbers
    ]
    return max(waits, default=None)


def _age_s(verdict: Verdict, now: datetime) -> float:
    return max(0.0, (now - verdict.decided_at).total_seconds())


def _rate(snapshot: LiveSnapshot, now: datetime, live_size: int) -> Figure:
    if snapshot.updated_at is None and not snapshot.heartbeats:
        return Figure(
            say("videos/min"), NOTHING, bars=(0.0,) * RATE_BINS, meaning=say("Unknown: nothing was read yet.")
        )
    found = rate(snapshot.verdicts, now, full=len(snapshot.verdicts) >= live_size)
    meaning = say("Verdicts per minute over the last {time}.", time=duration(found.window_s))
    return Figure(say("videos/min"), f"{found.per_min:.0f}", bars=found.bins, meaning=meaning)


def _harmful(counts: Mapping[str, int]) -> Figure:
    videos, harmful = counts.get("videos", 0), counts.get(VerdictKind.HARMFUL)
    share = f"{100 * harmful / videos:.1f} %" if videos and harmful is not None else ""
    meaning = say("Over a threshold of the policy, of {n} videos in the last hour.", n=count(videos))
    return Figure(say("harmful"), _known(harmful), share, SHAPES[VerdictKind.HARMFUL], meaning=meaning)


def _count(counts: Mapping[str, int], kind: VerdictKind, *, meaning: str) -> Figure:
    number = counts.get(kind)
    tone = kind.value if number and kind is not VerdictKind.REVIEW else ""
    meaning = f"{meaning} {say('In the last hour.')}"
    return Figure(say(VERDICTS[kind]), _known(number), shape=SHAPES[kind], tone=tone, meaning=meaning)


def _known(number: int | None) -> str:
    """A count, or a dash for one that nobody has taken yet: unknown is not zero."""
    return NOTHING if number is None else count(number)


def _dead(counts: Mapping[str, int]) -> Figure:
    number = counts.get("dead_letters")
    meaning = say("Events, or parts of them, that could not be used, in the last hour: `clipwarden dead-letters list`.")
    return Figure(say("dead letters"), _known(number), tone="bad" if number else "", meaning=meaning)


def _p95(samples: Sequence[float]) -> Figure:
    value = p95(samples)
    meaning = say("From posted to alert, 95 of 100 alerts were faster (last {n}).", n=len(samples))
    return _seconds(say("p95 to alert"), value, limit_s=P95_LIMIT_S, meaning=meaning)


def _oldest(value: float | None) -> Figure:
    meaning = say("Age of the oldest event without a verdict.")
    return _seconds(say("oldest waiting"), value, limit_s=OLDEST_LIMIT_S, meaning=meaning)


def _seconds(name: str, value: float | None, *, limit_s: float, meaning: str) -> Figure:
    if value is None:
        return Figure(name, NOTHING, meaning=meaning)
    number, _, unit = duration(value).partition(" ")
    return Figure(name, number, unit, tone="bad" if value > limit_s else "", meaning=meaning)
