"""What routes send to people: whatever a value holds, it is a value, and nothing a chat or a mail reader acts on."""

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.labels import Action, VerdictKind
from core.routing import Alert, Digest, Held, Outcome, Tongue, digest
from core.routing_event import AlertRouted, RoutedKind
from operations.routing.letter import VALUE_CHARS, Letter, letter
from operations.routing.vietnamese import WORDS
from operations.routing.written import as_chat, as_subject, as_text
from tests.fixtures.stores import make_alert

CONSOLE = "https://console.example"
ID = UUID(int=1)
HOSTILE = (
    "<!channel> @here *x* `code` [l](https://evil.example) ![i](https://evil.example/i.png)\n▲ Alert: harmful\u202e"
)


def alert(video_id: str = "v:1", **changes: object) -> Alert:
    return Alert.model_validate(make_alert(video_id, **changes), from_attributes=True)


def told(found: Alert, *, caption: str | None = None, tongue: Tongue = Tongue.ENGLISH) -> Letter:
    event = AlertRouted(
        delivery_id=ID, kind=RoutedKind.ALERT, link=f"{CONSOLE}/?video=v%3A1", alert=found, caption=caption
    )
    return letter(event, tongue, CONSOLE)


def summed(summary: Digest, tongue: Tongue = Tongue.ENGLISH) -> Letter:
    event = AlertRouted(delivery_id=ID, kind=RoutedKind.DIGEST, link=f"{CONSOLE}/", digest=summary)
    return letter(event, tongue, CONSOLE)


def chat(written: Letter) -> str:
    return str(json.loads(as_chat(written))["text"])


def test_an_alert_says_what_it_is_and_where_to_look() -> None:
    written = told(alert(author_id="an", label="violence", score=0.912))

    assert as_subject(written) == "▲ Alert: harmful, violence 0.91"
    assert chat(written).startswith("*▲ Alert: `harmful`, `violence` `0.91`*\nVideo `v:1` on ")
    assert f"<{CONSOLE}/?video=v%3A1|→>" in chat(written)
    assert f"    {CONSOLE}/?video=v%3A1\n" in as_text(written)
    assert "Caption" not in as_text(written)


def test_what_a_person_is_to_decide_reads_otherwise_than_an_alert() -> None:
    review = alert(verdict=VerdictKind.REVIEW, action=Action.REVIEW, score=None, label=None)

    assert as_subject(told(review)) == "◆ Review: review, - -"


def test_a_digest_counts_and_leads_to_its_worst() -> None:
    every = [alert(f"v:{n}", score=n / 100, offset=n) for n in range(30)]
    written = summed(digest(Held(one, Outcome.DIGEST_ONLY) for one in every))
    text = as_text(written)

    assert as_subject(written).startswith("30 gathered, posted ")
    assert "Verdicts: harmful 30\n" in text
    assert "Why not one by one: digest only 30\n" in text
    assert text.count("?video=") == 20
    assert text.index("v:29") < text.index("v:28")
    assert "v:9\n" not in text


def test_a_test_says_that_it_is_one() -> None:
    written = letter(AlertRouted(delivery_id=ID, kind=RoutedKind.TEST, link=CONSOLE), Tongue.ENGLISH, CONSOLE)

    assert as_subject(written) == "A test of this route"


def test_every_word_has_its_vietnamese() -> None:
    found = alert(author_id="an")
    letters = [told(found, caption="x"), told(alert(action=Action.REVIEW)), summed(digest([Held(found, Outcome.SEND)]))]
    letters.append(letter(AlertRouted(delivery_id=ID, kind=RoutedKind.TEST, link=""), Tongue.ENGLISH, CONSOLE))
    words = {line.words.removeprefix("▲ ").removeprefix("◆ ") for one in letters for line in (one.title, *one.lines)}
    held_back = {outcome.value for outcome in Outcome if outcome is not Outcome.SEND}

    assert words | held_back | {kind.value for kind in VerdictKind} <= set(WORDS)
    assert as_subject(told(found, tongue=Tongue.VIETNAMESE)) == "▲ Cảnh báo: độc hại, violence 0.90"


def test_a_hostile_value_stays_one_literal_value_of_one_line() -> None:
    found = alert(author_id=HOSTILE, label=HOSTILE[:50])
    written = told(found, caption=HOSTILE)

    assert len(chat(written).split("\n")) == 1 + len(written.lines)
    assert "<!" not in chat(written)
    # A code span ends at a backtick: each line has them in pairs, all of them ours.
    assert chat(written).count("`") == 2 * sum(len(line.values) for line in (written.title, *written.lines))
    assert "\u202e" not in as_text(written)
    assert "\n" not in as_subject(written)


@given(st.text(max_size=600))
def test_no_value_writes_a_line_or_leaves_its_quotes(value: str) -> None:
    written = told(alert(), caption=value)
    (caption,) = [line for line in written.lines if "caption" in line.values] or [None]

    assert len(chat(written).split("\n")) == 1 + len(written.lines)
    assert chat(written).count("`") % 2 == 0
    if caption is not None:
        assert len(caption.values["caption"]) <= VALUE_CHARS
        assert caption.values["caption"].isprintable()


@pytest.mark.parametrize("video_id", ["v:1|x", "v:1>x", "v:1&a=b", "v:1 x", "v:1#x"])
def test_a_link_holds_whatever_an_id_does(video_id: str) -> None:
    found = alert(decided_at=datetime(2026, 1, 2, tzinfo=UTC)).model_copy(update={"video_id": video_id})
    (link,) = {line.link for line in summed(digest([Held(found, Outcome.SEND)])).lines if "video=" in line.link}

    assert not set(link.removeprefix(f"{CONSOLE}/?video=")) & set("|><&# ")
