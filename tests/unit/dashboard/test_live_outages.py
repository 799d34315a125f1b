"""The live monitor while something is away: what it shows, and since when."""

from datetime import timedelta

from tests.fixtures.console import Console, names, play, shown
from tests.fixtures.stores import make_alert


def test_redis_down_shows_the_database_and_says_since_when(console: Console) -> None:
    console.history.write([make_alert("v:1")], [])
    console.live.is_down = True

    page = console.open()

    assert "Redis does not answer since 12:00:00." in shown(page)
    assert "Not live" in shown(page)
    assert names(page) == ["open-v:1"]


def test_database_down_keeps_the_list_and_says_what_cannot_be_opened(console: Console) -> None:
    console.publish(make_alert("v:1"))
    console.history.is_down = True

    page = console.open(video="elsewhere")

    assert "The database does not answer since 12:00:00." in shown(page)
    assert "This alert cannot be opened now" in shown(page)
    assert names(page) == ["open-v:1"]


def test_both_down_keeps_what_was_last_known(console: Console) -> None:
    console.publish(make_alert("v:1"))
    page = console.open()
    console.live.is_down = console.history.is_down = True
    console.clock.elapsed_s += 60

    assert names(console.redraw(page)) == ["open-v:1"]
    assert "Redis and the database do not answer" in shown(page)


def test_nothing_known_shows_dashes_and_no_zeros(console: Console) -> None:
    console.live.is_down = console.history.is_down = True

    page = shown(console.open())

    assert "Nothing to show" in page
    assert "Waiting for the first video" not in page
    assert '<span class="cw-number">0</span>' not in page


def test_object_store_down_leaves_caption_and_scores(console: Console) -> None:
    console.publish(make_alert("v:1", caption="still readable"))
    console.media.is_down = True

    page = console.open(video="v:1")
    play(page)

    assert "The video store does not answer" in shown(page)
    assert "still readable" in shown(page)
    assert not page.get("video")


def test_no_scoring_process_says_how_to_start_one(console: Console) -> None:
    page = shown(console.open())

    assert "No scoring process is running." in page
    assert "clipwarden up" in page


def test_a_waiting_process_says_for_what(console: Console) -> None:
    console.beat("waiting", "inference.unavailable: no worker", oldest_waiting_s=12)

    page = shown(console.open())

    assert "Scoring is waiting." in page
    assert "inference.unavailable: no worker." in page


def test_a_stale_view_says_how_old_it_is(console: Console) -> None:
    console.publish(make_alert("v:1"))
    console.clock.at += timedelta(seconds=25)
    console.beat(oldest_waiting_s=25)

    assert "No update for 25 s, last at 12:00:00." in shown(console.open())


def test_the_banner_stands_on_the_page(console: Console) -> None:
    console.set_banner("Demo: <b>made-up")

    assert "Demo: &lt;b&gt;made-up" in shown(console.open())
