"""Frame and token scores → what a moderator is shown."""

from dataflows.evidence import caption_spans, segments


def test_segments_cover_the_video_with_their_worst_frame() -> None:
    found = segments([0.1] * 15 + [0.9], [float(at) for at in range(16)], 16.0)

    assert len(found) == 8
    assert (found[0].start_s, found[-1].end_s) == (0.0, 16.0)
    assert max(found, key=lambda segment: segment.score).start_s == 14.0


def test_no_frames_no_segments() -> None:
    assert segments([], [], 3.0) == ()


def test_neighbouring_tokens_join_into_one_span() -> None:
    offsets = [(0, 1), (1, 2), (2, 3), (3, 4), (10, 11)]

    spans = caption_spans([0.9, 0.8, 0.1, 0.2, 0.6], offsets)

    assert [(span.start, span.end, span.score) for span in spans] == [(0, 2, 0.9), (10, 11, 0.6)]
