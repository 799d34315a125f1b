"""The Pipeline page in a real browser over a real supervisor: what runs is seen, and a command is done and answered."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from core.storage.history import TimescaleHistory
from operations.embedded.control import down
from operations.state import Paths, Plan
from tests.fixtures.browser import Screen
from tests.fixtures.platform import Platform, start
from tests.fixtures.stores import make_dead_letter

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.timeout(300)]

HOSTILE = "<script>window.pwned=1</script><img src=x onerror='window.pwned=1'> [x](javascript:1) **bold** :red[red]"
SERVERS = ["s3", "postgres", "valkey", "broker"]


@pytest.fixture(scope="module")
def own() -> Iterator[Platform]:
    """A platform to command, with the ingestion worker: the lightest of ours that beats."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        root = Path(folder)
        root.chmod(0o711)
        try:
            yield start(root, Plan(ingestion=True))
        finally:
            down(root, purge=True)


@pytest.fixture
def url(own: Platform, console_at: Callable[[Mapping[str, str]], str]) -> str:
    logs = {"CLIPWARDEN_DASHBOARD__LOGS_DIR": str(Paths(own.root).logs)}
    return f"{console_at({**own.env, **logs})}/pipeline"


@pytest.fixture(scope="module")
def history(own: Platform) -> Iterator[TimescaleHistory]:
    found = TimescaleHistory(own.settings.store)
    letters = [make_dead_letter(offset=offset, message=HOSTILE, video_id="v:x") for offset in range(30)]
    payload = f'{{"caption": "{HOSTILE}"}}'.encode() + b"\xff\x00"
    found.write([], [*letters, make_dead_letter(offset=99, code="event.malformed", payload=payload, minute=5)])
    yield found
    found.close()


def names(screen: Screen) -> list[str]:
    return screen.text(".cw-proc .cw-label")


def test_every_process_is_seen_and_one_is_restarted_and_answered(own: Platform, url: str, screen: Screen) -> None:
    before = own.pid("ingestion")
    screen.driver.get(url)
    screen.until(lambda: names(screen) == ["supervisor", *SERVERS, "ingestion"])
    screen.until(lambda: screen.text(".cw-proc .cw-state").count("ready") == 6)
    screen.until(lambda: "no flow reads it" in screen.words())

    screen.click(".st-key-restart-ingestion button")
    screen.until(lambda: "Restart ingestion:" in screen.words())
    assert own.pid("ingestion") == before
    screen.click(".st-key-confirm-yes button")

    screen.until(
        lambda: any("ingestion restarted, ready after" in said for said in screen.text(".cw-answer")), within_s=60
    )
    assert own.pid("ingestion") != before


def test_what_is_stopped_says_so_and_is_started_again(own: Platform, url: str, screen: Screen) -> None:
    screen.driver.get(url)
    screen.click(".st-key-stop-ingestion button")
    screen.click(".st-key-confirm-yes button")

    screen.until(lambda: screen.all(".st-key-start-ingestion button"), within_s=60)
    assert own.record("ingestion").state == "stopped"
    screen.until(lambda: any("it stays stopped" in said for said in screen.text(".cw-answer")))
    screen.click(".st-key-start-ingestion button")
    screen.click(".st-key-confirm-yes button")
    screen.until(lambda: any("ingestion started, ready" in said for said in screen.text(".cw-answer")), within_s=60)


def test_a_hostile_dead_letter_is_read_letter_by_letter_and_replayed(
    url: str, screen: Screen, history: TimescaleHistory
) -> None:
    screen.driver.get(f"{url}?part=letters&code=event.malformed")
    screen.until(lambda: len(screen.text(".cw-letter")) == 1)
    screen.click("[class*='st-key-open-letter-'] button")
    screen.until(lambda: screen.text(".cw-bytes"))
    assert HOSTILE in screen.text(".cw-bytes")[0]
    assert "\\xff" in screen.text(".cw-bytes")[0]

    screen.click(".st-key-replay-one button")
    screen.click(".st-key-confirm-yes button")

    screen.until(
        lambda: any("replayed video.posted.v1:0:99" in said for said in screen.text(".cw-answer")), within_s=40
    )
    (row,) = history.dead_letters(10, code="event.malformed")
    assert row.replayed_at is not None
    assert screen.driver.execute_script("return window.pwned") is None
    assert not screen.all(".stHtml script, .stHtml img, .stHtml a")


def test_many_are_replayed_only_once_their_number_is_typed(url: str, screen: Screen, history: TimescaleHistory) -> None:
    screen.driver.get(f"{url}?part=letters")
    screen.click("[class*='st-key-replay-media'] button")
    screen.until(lambda: screen.all(".st-key-typed-count input"))
    assert screen.driver.find_element("css selector", ".st-key-confirm-yes button").get_attribute("disabled")

    screen.all(".st-key-typed-count input")[0].send_keys("30\n")
    enabled = "return !document.querySelector('.st-key-confirm-yes button')?.disabled"
    screen.until(lambda: screen.driver.execute_script(enabled))
    screen.click(".st-key-confirm-yes button")

    said = "replayed 30 records of 30 dead letters"
    screen.until(lambda: any(said in answer for answer in screen.text(".cw-answer")), within_s=40)
    assert all(row.replayed_at for row in history.dead_letters(100))


def test_logs_are_filtered_escaped_and_without_secrets(own: Platform, url: str, screen: Screen) -> None:
    log = Paths(own.root).logs / "ingestion.log"
    secret = own.settings.media.secret_key.get_secret_value()
    with log.open("a", encoding="utf-8") as file:
        file.write(f"2026-03-01T12:00:00Z [error    ] made.up reason={HOSTILE}\n")
        file.write(f"2026-03-01T12:00:01Z [warning  ] made.up key={secret} dsn=postgresql://me:hidden@host/db\n")

    screen.driver.get(f"{url}?part=logs&process=ingestion&level=error&words=made.up")

    screen.until(lambda: len(screen.text(".cw-log-line")) == 1)
    assert HOSTILE in screen.text(".cw-log-line")[0]
    assert screen.driver.execute_script("return window.pwned") is None
    screen.driver.get(f"{url}?part=logs&process=ingestion&level=warning&words=made.up")
    screen.until(lambda: len(screen.text(".cw-log-line")) == 2)
    assert secret not in screen.words()
    assert "hidden" not in screen.words()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width_px", "height_px"), [(1440, 900), (390, 844)])
@pytest.mark.parametrize("part", ["processes", "letters", "logs"])
def test_a_picture_of_each_part_in_both_themes(
    url: str,
    screen: Screen,
    tmp_path: Path,
    history: TimescaleHistory,
    scheme: str,
    width_px: int,
    height_px: int,
    part: str,
) -> None:
    screen.size(width_px, height_px)
    screen.theme(scheme)

    screen.driver.get(f"{url}?part={part}")
    screen.until(lambda: screen.all({"processes": ".cw-proc", "letters": ".cw-letter", "logs": ".cw-log"}[part]))

    assert screen.driver.save_screenshot(str(tmp_path / f"{part}-{width_px}-{scheme}.png"))
    assert screen.driver.execute_script("return document.documentElement.scrollWidth") == width_px
