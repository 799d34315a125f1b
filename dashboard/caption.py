"""A caption with the words that carry the verdict tinted: exact text, never HTML of its own."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from core.events import CaptionSpan, Verdict
from dashboard.language import say
from dashboard.markup import Markup, tag, text

EXCERPT_CHARS = 280
LEAD_CHARS = 60
STRONG = 0.8
"""From this weight on a tint is the darker of the two."""


def caption(verdict: Verdict) -> Markup:
    """The whole caption; the direction of writing follows its first letter."""
    return _paragraph(verdict.caption or "", _spans(verdict), cls="cw-caption")


def excerpt(verdict: Verdict) -> Markup:
    """What fits on a card: EXCERPT_CHARS around the heaviest words."""
    whole, spans = verdict.caption or "", _spans(verdict)
    start = excerpt_start(whole, spans)
    end = start + EXCERPT_CHARS
    moved = [
        CaptionSpan(start=max(part.start - start, 0), end=part.end - start, score=part.score)
        for part in spans
        if part.end > start and part.start < end
    ]
    return _paragraph(whole[start:end], moved, cls="cw-excerpt", before="… " if start else "", cut=end < len(whole))


def excerpt_start(whole: str, spans: Sequence[CaptionSpan]) -> int:
    """Where an excerpt begins so that the heaviest words are among its first; 0 when they are anyway."""
    if not spans:
        return 0
    heaviest = max(spans, key=lambda part: part.score)
    if heaviest.start <= LEAD_CHARS:
        return 0
    # Begin at a word's start where there is one close by.
    blank = whole.rfind(" ", heaviest.start - LEAD_CHARS, heaviest.start - LEAD_CHARS // 2)
    return blank + 1 if blank >= 0 else heaviest.start - LEAD_CHARS


def pieces(whole: str, spans: Sequence[CaptionSpan]) -> Iterator[tuple[str, float]]:
    """The text cut where the tint changes, each piece with its weight; joined they are the text again.

    Spans may overlap (the heavier wins), come in any order, or reach past the text.
    """
    size = len(whole)
    edges = {0, size, *(min(max(edge, 0), size) for part in spans for edge in (part.start, part.end))}
    for start, end in pairwise(sorted(edges)):
        over = [part.score for part in spans if part.start <= start and end <= part.end]
        yield whole[start:end], max(over, default=0.0)


def _spans(verdict: Verdict) -> list[CaptionSpan]:
    # A rule that fired is a reason as much as a token the model weighed; one found in a hashtag has the span (0, 0).
    ruled = [CaptionSpan(start=signal.start, end=signal.end, score=1.0) for signal in verdict.signals]
    return [part for part in (*verdict.caption_spans, *ruled) if part.end > part.start]


def _paragraph(whole: str, spans: Sequence[CaptionSpan], *, cls: str, before: str = "", cut: bool = False) -> Markup:
    marked = [_piece(piece, score) for piece, score in pieces(whole, spans)]
    return tag("p", text(before), *marked, text("…" if cut else ""), cls=cls, dir="auto")


def _piece(piece: str, score: float) -> Markup:
    if score <= 0:
        return text(piece)
    strength = "strong" if score >= STRONG else "weak"
    return tag(
        "mark", text(piece), cls=f"cw-tint cw-tint-{strength}", title=say("weight {weight}", weight=f"{score:.2f}")
    )
