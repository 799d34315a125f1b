"""Per-frame and per-token scores → the segments and caption spans a moderator sees. Pure."""

from collections.abc import Sequence
from itertools import pairwise

from core.events import CaptionSpan, Segment

MAX_SPANS = 20
SPAN_BAR = 0.3
MAX_SEGMENTS = 8


def segments(frame_scores: Sequence[float], times_s: Sequence[float], duration_s: float) -> tuple[Segment, ...]:
    """At most MAX_SEGMENTS stretches that cover the video, each with its highest frame score."""
    if not frame_scores or len(frame_scores) != len(times_s):
        return ()
    per_segment = max(1, -(-len(frame_scores) // MAX_SEGMENTS))
    starts = [*times_s[::per_segment], max(duration_s, times_s[-1])]
    return tuple(
        Segment(start_s=round(start, 3), end_s=round(end, 3), score=max(frame_scores[at : at + per_segment]))
        for at, (start, end) in zip(range(0, len(frame_scores), per_segment), pairwise(starts), strict=True)
    )


def caption_spans(token_scores: Sequence[float], offsets: Sequence[tuple[int, int]]) -> tuple[CaptionSpan, ...]:
    """Neighbouring tokens over SPAN_BAR joined into spans of the original caption, the heaviest first."""
    spans: list[CaptionSpan] = []
    for score, (start, end) in zip(token_scores, offsets, strict=False):
        if score < SPAN_BAR or start == end:
            continue
        if spans and start <= spans[-1].end + 1:
            spans[-1] = CaptionSpan(start=spans[-1].start, end=end, score=max(score, spans[-1].score))
        else:
            spans.append(CaptionSpan(start=start, end=end, score=score))
    return tuple(sorted(spans, key=lambda span: -span.score)[:MAX_SPANS])
