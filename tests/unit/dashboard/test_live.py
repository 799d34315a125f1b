from typing import Any

import pytest

from core.events import CaptionSpan, ModalityScore, Segment, Signal
from core.labels import Action, Modality, Mode, VerdictKind
from dashboard import watching
from dashboard.data.media import Look
from tests.fixtures.console import Console, names, play, shown
from tests.fixtures.stores import make_alert, make_verdict

HOSTILE = (
    "<script>window.pwned=1</script><img src=x onerror='window.pwned=1'> [x](javascript:alert(1)) **bold** $latex$ "
    ":material/home: :red[red] & &amp; \u0645\u0631\u062d\u0628\u0627"
)


def test_first_start_says_what_to_do(console: Console) -> None:
    console.beat()

    page = shown(console.open())

    assert "Waiting for the first video" in page
    assert "clipwarden produce clip.mp4" in page


def test_alerts_come_newest_first(console: Console) -> None:
    console.publish(make_alert("v:1"), make_alert("v:3", offset=2, minute=2), make_alert("v:2", offset=1, minute=1))

    assert names(console.open()) == ["open-v:3", "open-v:2", "open-v:1"]


def test_the_list_shows_alerts_first_and_review_or_all_on_request(console: Console) -> None:
    review: dict[str, Any] = {"verdict": VerdictKind.REVIEW, "action": Action.REVIEW, "label": "hate"}
    console.publish(make_alert("a"), make_verdict("r", offset=1, **review), make_verdict("s", offset=2))

    assert names(console.open()) == ["open-a"]
    assert names(console.open(show="review")) == ["open-r"]
    assert len(names(console.open(show="all"))) == 3


def test_a_filter_narrows_the_list_from_its_box_or_from_the_address(console: Console) -> None:
    console.publish(make_alert("vi"), make_alert("en", offset=1, language="en"))

    page = console.open()
    page.selectbox(key="language").select("en").run()

    assert names(page) == ["open-en"]
    assert names(console.open(language="en")) == ["open-en"]


def test_a_filter_that_matches_nothing_says_so_and_stays(console: Console) -> None:
    console.publish(make_alert("vi"))

    page = console.open(language="fr")

    assert "Nothing matches fr" in shown(page)
    assert page.selectbox(key="language").value == "fr"


def test_a_new_alert_appears_while_the_list_follows(console: Console) -> None:
    console.publish(make_alert("v:1"))
    page = console.open(follow="1")

    console.publish(make_alert("v:2", offset=1, minute=1))

    assert names(console.redraw(page)) == ["open-v:2", "open-v:1"]


@pytest.mark.parametrize(("follow", "held_by"), [("", None), ("1", "open-v:1"), ("1", "suspend-5")])
def test_a_held_list_stands_still_until_what_is_new_is_asked_for(
    console: Console, follow: str, held_by: str | None
) -> None:
    console.publish(make_alert("v:1"))
    page = console.open(follow=follow)
    if held_by:
        page.button(key=held_by).click().run()

    console.publish(
        make_alert("v:2", offset=1, minute=1), make_alert("v:3", offset=2, minute=2), make_verdict("safe", offset=3)
    )
    console.redraw(page)
    assert names(page) == ["open-v:1"]
    assert page.button(key="show-new").label == "2 new, show"

    page.button(key="show-new").click().run()
    assert names(page) == ["open-v:3", "open-v:2", "open-v:1"]


def test_an_open_alert_has_its_own_address_and_survives_a_redraw(console: Console) -> None:
    console.publish(make_alert("v:1", caption="the whole story"))
    page = console.open()

    page.button(key="open-v:1").click().run()
    console.redraw(page)

    assert page.query_params["video"] == "v:1"
    assert shown(page).count("the whole story") == 2
    assert "the whole story" in shown(console.open(video="v:1"))


def test_an_alert_that_left_the_view_opens_from_the_database(console: Console) -> None:
    console.history.write([make_alert("old", caption="kept for long")], [])

    assert "kept for long" in shown(console.open(video="old"))
    assert "No verdict for this video" in shown(console.open(video="never-seen"))


def test_next_and_previous_walk_the_list(console: Console) -> None:
    console.publish(make_alert("v:1"), make_alert("v:2", offset=1, minute=1))
    page = console.open(video="v:2")

    page.button(key="go-next").click().run()
    assert page.query_params["video"] == "v:1"
    assert page.button(key="go-next").disabled

    page.button(key="go-close").click().run()
    assert "video" not in page.query_params


def test_the_player_starts_at_the_worst_second_muted_and_blurred(console: Console) -> None:
    worst = (Segment(start_s=0, end_s=4.5, score=0.2), Segment(start_s=4.5, end_s=9, score=0.9))
    console.publish(make_alert("v:1", segments=worst))

    page = console.open(video="v:1")
    assert not page.get("video")
    play(page)
    player = page.get("video")[0].proto
    assert (player.url, player.start_time) == ("http://127.0.0.1:9/clipwarden-media/v:1.mp4", 4)
    assert player.muted
    assert not player.autoplay

    page.button(key="unblur").click().run()
    assert [button.key for button in page.button if button.key == "blur"]
    page.button(key="go-close").click().run()
    page.button(key="open-v:1").click().run()
    assert not page.get("video")
    assert [look for _, _, look in console.desk.looks] == [Look.OPENED, Look.UNBLURRED]


def test_the_player_keeps_its_link_until_the_link_runs_out(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    signed = iter(["http://first", "http://second"])
    monkeypatch.setattr(console.media, "presign", lambda bucket, key: next(signed))
    console.publish(make_alert("v:1"))
    page = console.open(video="v:1")
    play(page)

    assert console.redraw(page).get("video")[0].proto.url == "http://first"

    console.clock.elapsed_s += console.settings.media.presign_expiry_s * watching.LINK_SHARE
    assert console.redraw(page).get("video")[0].proto.url == "http://second"
    assert [look for _, _, look in console.desk.looks] == [Look.OPENED, Look.RENEWED]


def test_a_video_that_was_closed_is_opened_anew_and_on_record(console: Console) -> None:
    console.publish(make_alert("v:1"))
    page = play(console.open(video="v:1"))

    page.button(key="go-close").click().run()
    page.button(key="open-v:1").click().run()
    assert not page.get("video")
    assert play(page).get("video")

    assert [look for _, _, look in console.desk.looks] == [Look.OPENED, Look.OPENED]


@pytest.mark.parametrize("between", [{"video": "v:2"}, {}])
def test_who_comes_back_to_a_video_by_its_address_begins_anew(console: Console, between: dict[str, str]) -> None:
    console.publish(make_alert("v:1"), make_alert("v:2", offset=1, minute=1))
    page = play(console.open(video="v:1"))
    page.button(key="unblur").click().run()

    for query in (between, {"video": "v:1"}):
        page.query_params.clear()
        page.query_params.update(query)
        console.redraw(page)

    assert not page.get("video")


def test_a_link_that_is_no_web_address_is_never_opened(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console.media, "presign", lambda bucket, key: "/etc/hostname")
    console.publish(make_alert("v:1"))

    page = console.open(video="v:1")
    play(page)

    assert "no link that a browser can open" in shown(page)
    assert not page.get("video")


def test_a_text_only_post_has_no_player_and_says_so(console: Console) -> None:
    scores = {Modality.TEXT: ModalityScore(scores={"hate": 0.9})}
    console.publish(make_alert("v:1", media_uri=None, mode=Mode.TEXT_ONLY, label="hate", modalities=scores))

    page = console.open(video="v:1")

    assert "Text-only post" in shown(page)
    assert not page.get("video")


def test_the_pane_holds_the_whole_evidence(console: Console) -> None:
    scores = {
        Modality.TEXT: ModalityScore(scores={"violence": 0.41}),
        Modality.VIDEO: ModalityScore(scores={"violence": 0.93}),
    }
    signal = Signal(rule="threat-en", label="violence", start=0, end=3, text="xin")
    console.publish(
        make_alert("v:1", modalities=scores, signals=(signal,), segments=(Segment(start_s=0, end_s=2, score=0.93),))
    )

    page = shown(console.open(video="v:1"))

    assert "video alone decides (text 0.41)" in page
    for said in (
        "0.93",
        "threat-en",
        "0-3",
        "text:3|video:5|fusion:-",
        "7+ab",
        "worst 0:00 to 0:02",
        "video.posted.v1 / 0 / 0",
    ):
        assert said in page


def test_a_missing_modality_is_named_with_its_code_and_what_it_means(console: Console) -> None:
    lost = {Modality.TEXT: ModalityScore(scores={"hate": 0.9}), Modality.VIDEO: ModalityScore(code="media.undecodable")}
    console.publish(make_alert("v:1", label="hate", modalities=lost))

    page = shown(console.open(video="v:1"))

    assert "video score missing: media.undecodable" in page
    assert "too few frames could be decoded" in page
    assert "video missing" in page


def test_text_of_strangers_reaches_the_page_only_escaped(console: Console) -> None:
    signal = Signal(rule="<i>rule", label="<i>label", start=0, end=8, text="<script>")
    console.publish(
        make_alert(
            "v:1",
            caption=HOSTILE,
            label="<i>label",
            author_id="<i>author",
            language="<i>language",
            source="<i>source",
            hashtags=("<i>tag",),
            signals=(signal,),
            caption_spans=(CaptionSpan(start=0, end=40, score=0.9),),
        )
    )
    console.beat("waiting", "<i>detail")

    page = console.open(video="v:1")

    assert "&lt;" in shown(page)
    for tag in ("<script", "<img", "<i>"):
        assert tag not in shown(page).replace('<img src="still/v%3A1?', "")
    # Labels of buttons are Markdown: no stranger's word may stand in one.
    assert all("<" not in button.label for button in page.button)
    assert not page.markdown


def test_a_long_list_is_drawn_page_by_page(console: Console) -> None:
    console.publish(*(make_alert(f"v:{number}", offset=number) for number in range(45)))
    page = console.open()
    assert len(names(page)) == 20

    page.button(key="more").click().run()

    assert len(names(page)) == 40
    assert page.button(key="more").label == "Show 5 more of 5"
