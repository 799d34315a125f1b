"""About: the picture says what runs, and everything on it is text."""

from core.storage.ports import Heartbeat
from core.topics import TOPICS
from dashboard.about_tables import GLOSSARY, glossary, terms
from tests.fixtures.console import Console, shown
from tests.fixtures.views import open_about

HOSTILE = "<script>window.pwned=1</script>"


def beat(console: Console, kind: str, instance: str = "1", **fields: object) -> None:
    known = {"state": "ready", "version": "0.1.0", "at": console.clock.now()}
    console.live.beat(Heartbeat(kind, instance, **{**known, **fields}))


def test_before_anything_runs_every_box_says_so_and_nothing_is_missing(console: Console) -> None:
    page = shown(open_about(console))

    assert page.count("cw-box ") == 12
    assert "does not run" in page
    assert "No inference worker runs" in page
    assert "No flow runs" in page


def test_what_runs_stands_with_its_count_version_and_state(console: Console) -> None:
    beat(console, "worker", "a", version="text:3|video:5|fusion:-")
    beat(console, "worker", "b", version="text:3|video:5|fusion:-", state="draining", detail="stops")
    console.beat()

    page = shown(open_about(console))

    assert "1 of 2 ready" in page
    assert "2 running" in page
    assert "text:3|video:5|fusion:-" in page
    assert "flows reach it" in page


def test_what_a_worker_serves_stands_with_its_labels_and_inputs(console: Console) -> None:
    facts = {"clip": "16 frames, 112 x 112 px", "labels_text": "hate, offensive"}
    beat(console, "worker", version="text:3|video:5|fusion:-", facts=facts)

    page = shown(open_about(console))

    assert "16 frames, 112 x 112 px" in page
    assert "hate, offensive" in page


def test_the_policy_in_force_stands_with_its_thresholds(console: Console) -> None:
    beat(console, "flow", "0/1", version="starter@12345678", facts={"hate": "0.40 to 0.50"})

    page = shown(open_about(console))

    assert "Policy starter@12345678" in page
    assert "0.40 to 0.50" in page


def test_a_store_that_is_away_is_named_and_no_process_is_said_to_be_off(console: Console) -> None:
    console.live.is_down = console.history.is_down = console.media.is_down = True

    page = shown(open_about(console))

    assert page.count("does not answer") == 3
    assert "does not run" not in page
    assert "not heard: Redis is away" in page


def test_a_process_that_writes_html_into_its_heartbeat_is_shown_letter_by_letter(console: Console) -> None:
    beat(
        console,
        "worker",
        version=HOSTILE,
        state="waiting",
        detail=HOSTILE,
        facts={"clip": HOSTILE, "labels_x": HOSTILE},
    )
    beat(console, "flow", version=HOSTILE, facts={HOSTILE: HOSTILE})

    page = shown(open_about(console))

    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_every_topic_and_every_term_of_the_glossary_is_there(console: Console) -> None:
    page = shown(open_about(console))
    rows = terms(GLOSSARY.read_text(encoding="utf-8"))

    assert all(topic.name in page for topic in TOPICS)
    assert len(rows) > 50
    assert page.count("<dt>") > len(rows) - 3
    assert "<code>video_only</code>" in glossary()
