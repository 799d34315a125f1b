import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.events import CaptionSpan, Signal
from dashboard.caption import EXCERPT_CHARS, caption, excerpt, pieces
from tests.fixtures.stores import make_alert

SPANS = st.lists(
    st.builds(CaptionSpan, start=st.integers(-5, 60), end=st.integers(-5, 60), score=st.floats(0, 1)), max_size=6
)


def seen(markup: str) -> str:
    """What a person reads: no tags, references resolved."""
    return html.unescape(re.sub(r"<[^>]*>", "", markup))


def tinted(markup: str) -> list[str]:
    return [html.unescape(part) for part in re.findall(r"<mark[^>]*>(.*?)</mark>", markup)]


@given(st.text(max_size=50), SPANS)
def test_pieces_joined_are_the_text_whatever_the_spans(text: str, spans: list[CaptionSpan]) -> None:
    assert "".join(piece for piece, _ in pieces(text, spans)) == text


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1)) **bold** $latex$ :material/home: :red[x]",
        "\u0633\u0623\u062c\u062f\u0643 \u202edlrow\u202c",
        "&amp; &#60; \" '",
        "two\n\n  lines\tand a tab",
        "x" * 10_000,
    ],
)
def test_a_caption_reads_exactly_as_it_was_posted(text: str) -> None:
    drawn = caption(make_alert(caption=text))

    assert seen(drawn) == text
    assert re.findall(r"<(\w+)", drawn) == ["p"]
    assert 'dir="auto"' in drawn


def test_control_characters_are_seen_instead_of_swallowed() -> None:
    assert seen(caption(make_alert(caption="a\x01b\x1b\x7f\r"))) == "a\u2401b\u241b\u2421\u240d"


def test_heavy_words_are_tinted_darker_and_say_their_weight() -> None:
    spans = (CaptionSpan(start=0, end=3, score=0.9), CaptionSpan(start=4, end=8, score=0.55))

    drawn = caption(make_alert(caption="xin chào bạn", caption_spans=spans))

    assert tinted(drawn) == ["xin", "chào"]
    assert drawn.index("cw-tint-strong") < drawn.index("cw-tint-weak")
    assert "weight 0.90" in drawn


def test_words_a_rule_fired_on_are_tinted_but_not_those_of_a_hashtag() -> None:
    fired = Signal(rule="r", label="hate", start=4, end=8, text="chào")
    hashtag = Signal(rule="r", label="hate", start=0, end=0, text="xin")

    assert tinted(caption(make_alert(caption="xin chào", signals=(fired, hashtag)))) == ["chào"]


def test_an_excerpt_of_a_long_caption_shows_its_heaviest_words() -> None:
    text = "calm words " * 400 + "the reason " + "calm words " * 400
    start = text.index("the reason")
    verdict = make_alert(caption=text, caption_spans=(CaptionSpan(start=start, end=start + 10, score=0.9),))

    drawn = excerpt(verdict)

    assert tinted(drawn) == ["the reason"]
    assert seen(drawn).startswith("… calm words ")
    assert seen(drawn).endswith("…")
    assert len(seen(drawn)) < EXCERPT_CHARS + 10
