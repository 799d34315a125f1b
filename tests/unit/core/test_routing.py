"""What a route is sent and what is held back: the rules alone."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors_console import SettingRefused
from core.labels import Action, VerdictKind
from core.routing import Alert, Held, Outcome, Recent, RouteForm, Severity, Terms, digest
from tests.fixtures.stores import make_alert

OPEN = Terms(verdicts=frozenset(), video_window_s=0, author_window_s=0)


def alert(video_id: str = "v:1", *, author: str | None = "a1", **changes: object) -> Alert:
    return Alert.model_validate(make_alert(video_id, author_id=author, **changes), from_attributes=True)


def review(video_id: str = "v:1", *, author: str | None = "a1") -> Alert:
    return alert(video_id, author=author, verdict=VerdictKind.REVIEW, action=Action.REVIEW, score=0.45)


@st.composite
def alerts(draw: st.DrawFn) -> Alert:
    make = draw(st.sampled_from([alert, review]))
    author = draw(st.sampled_from(["a1", "a2", None]))
    return make(f"v:{draw(st.integers(0, 3))}", author=author)


TERMS = st.builds(
    Terms,
    per_hour=st.integers(0, 6),
    video_window_s=st.sampled_from([0, 60]),
    author_window_s=st.sampled_from([0, 60]),
)


@given(TERMS, st.lists(alerts(), max_size=40))
def test_never_more_than_the_rate_and_never_twice_for_a_video(terms: Terms, told: list[Alert]) -> None:
    recent = Recent()

    sent = [one for one in told if recent.judge(terms, one) is Outcome.SEND]

    assert len(sent) <= terms.per_hour
    if terms.video_window_s:
        assert max(Counter((one.video_id, one.severity) for one in sent).values(), default=0) <= 1


@given(TERMS, st.lists(alerts(), max_size=40))
def test_a_video_that_got_worse_is_told_while_there_is_room(terms: Terms, told: list[Alert]) -> None:
    recent = Recent()
    for one in told:
        recent.judge(terms, one)
        worse = 0 < recent.videos.get("v:9", 0) < Severity.ALERT
        if worse and recent.in_hour < terms.per_hour:
            assert recent.judge(terms, alert("v:9")) is Outcome.SEND
        recent.judge(terms, review("v:9", author="other"))


def test_a_cooldown_of_an_author_holds_other_videos_back_but_not_a_worse_one() -> None:
    terms, recent = Terms(video_window_s=60, author_window_s=60), Recent()

    assert recent.judge(terms, review("v:1")) is Outcome.SEND
    assert recent.judge(terms, review("v:2")) is Outcome.SAME_AUTHOR
    assert recent.judge(terms, alert("v:3")) is Outcome.SEND
    assert recent.judge(terms, alert("v:3")) is Outcome.SAME_VIDEO
    assert recent.judge(terms, alert("v:1")) is Outcome.SEND


def test_nothing_breaks_the_rate() -> None:
    terms, recent = Terms(per_hour=1, video_window_s=60), Recent()

    assert recent.judge(terms, review("v:1")) is Outcome.SEND
    assert recent.judge(terms, alert("v:1")) is Outcome.OVER_RATE


def test_videos_without_an_author_do_not_hold_each_other_back() -> None:
    terms, recent = Terms(author_window_s=60), Recent()

    assert recent.judge(terms, alert("v:1", author=None)) is Outcome.SEND
    assert recent.judge(terms, alert("v:2", author=None)) is Outcome.SEND


@pytest.mark.parametrize(
    ("terms", "is_wanted"),
    [
        ({}, True),
        ({"verdicts": {"review"}}, False),
        ({"labels": {"violence"}}, True),
        ({"labels": {"hate"}}, False),
        ({"sources": {"live"}, "languages": {"vi"}}, True),
        ({"languages": {"en"}}, False),
        ({"min_score": 0.9}, True),
        ({"min_score": 0.91}, False),
    ],
)
def test_a_route_takes_what_its_terms_name(terms: dict[str, object], *, is_wanted: bool) -> None:
    assert Terms.model_validate(terms).wants(alert()) is is_wanted


def test_an_alert_without_a_score_passes_only_where_no_score_is_asked_for() -> None:
    unscored = alert(score=None)

    assert OPEN.wants(unscored)
    assert not OPEN.model_copy(update={"min_score": 0.1}).wants(unscored)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example/",
        "file:///etc/passwd",
        "https://",
        "https://user:pass@a.example/",
        "https://a.example/\r\nX-Evil: 1",
        "https://a.example:99999/",
        "javascript:alert(1)",
    ],
)
def test_an_address_that_is_no_receiver_is_refused(url: str) -> None:
    with pytest.raises(SettingRefused):
        RouteForm.read(name="a", url=url)


@pytest.mark.parametrize(
    "url",
    [
        "team@example.org",
        "mailto:",
        "mailto:team",
        "mailto:a@example.org,b@example.org",
        "mailto:a@example.org?cc=b@example.org",
        "mailto:A <a@example.org>",
        "mailto:a@example.org\r\nBcc: b@example.org",
        "mailto:a@example.org\n",
        "mailto:\u00e9@example.org",
        f"mailto:{'a' * 60}@{'b' * 200}.example",
        "https://a.example/hook",
    ],
)
def test_an_e_mail_route_has_one_plain_address(url: str) -> None:
    with pytest.raises(SettingRefused):
        RouteForm.read(name="a", url=url, terms={"channel": "email"})
    with pytest.raises(SettingRefused):
        RouteForm.read(name="a", url="mailto:team@example.org")

    assert RouteForm.read(name="a", url="mailto:team+x@mail.example.org", terms={"channel": "email"})


def test_a_route_of_digests_is_never_sent_an_alert() -> None:
    assert Recent().judge(Terms(per_hour=0), alert()) is Outcome.DIGEST_ONLY


@given(st.lists(alerts(), min_size=1, max_size=60))
def test_a_digest_counts_everything_and_names_each_video_once(told: list[Alert]) -> None:
    summary = digest(Held(one, Outcome.OVER_RATE) for one in told)

    assert summary.held_back == len(told) == sum(summary.by_verdict.values()) == sum(summary.by_reason.values())
    assert {video.video_id for video in summary.videos} == {one.video_id for one in told}
    assert len(summary.videos) == len({one.video_id for one in told})
