"""Alert routing from the form to the receiver: written in a browser, tested, and an alert arrives, signed."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr
from selenium.webdriver.common.keys import Keys

from core.routing_event import is_genuine
from core.settings import StoreSettings
from core.storage.history import TimescaleHistory
from tests.fixtures.browser import ROOT, Screen
from tests.fixtures.mailbox import Mailbox, mailbox
from tests.fixtures.platform import Platform
from tests.fixtures.receiver import Receiver, answer, receiver
from tests.fixtures.routes import empty_routes
from tests.fixtures.stores import empty_tables, eventually, make_alert

__all__ = ["mailbox", "receiver"]
pytestmark = [pytest.mark.e2e, pytest.mark.browser]

HOSTILE = b"<img src=x onerror='window.pwned=1'> **thanks**"


@contextmanager
def running(*command: str, env: dict[str, str]) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-m", *command], cwd=ROOT, env=env)
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture
def env(platform: Platform, postgres_dsn: str, receiver: Receiver) -> Iterator[dict[str, str]]:
    empty_tables(postgres_dsn)
    empty_routes(postgres_dsn)
    own = {"CLIPWARDEN_STORE__DSN": postgres_dsn, "CLIPWARDEN_ROUTING__ALLOW": receiver.address}
    yield {**os.environ, **platform.env, **own, "PYTHONPATH": str(ROOT)}
    empty_routes(postgres_dsn)


@pytest.fixture
def page(env: dict[str, str], console_at: Callable[[Mapping[str, str]], str]) -> str:
    return f"{console_at(env)}/settings?tab=alert-routing"


def write(screen: Screen, label: str, text: str) -> None:
    """Type into a field by its label."""
    screen.until(lambda: screen.all(f"input[aria-label='{label}']"))
    screen.all(f"input[aria-label='{label}']")[0].send_keys(text, Keys.TAB)


def press(screen: Screen, label: str) -> None:
    """Press the button that says so; the list redraws itself, so the button is looked for and pressed at once."""
    script = """
    const label = arguments[0], says = (one) => one.innerText.trim().endsWith(label);
    const found = [...document.querySelectorAll("button, summary")].find((one) => says(one));
    if (found) found.click();
    return Boolean(found);
    """
    screen.until(lambda: screen.driver.execute_script(script, label))


def kinds(receiver: Receiver) -> list[str]:
    return [json.loads(body)["kind"] for _, body in receiver.came]


def test_a_route_is_written_tested_and_gets_its_alert(
    page: str, env: dict[str, str], receiver: Receiver, screen: Screen
) -> None:
    receiver.behave = lambda request: answer(request, 200, HOSTILE)
    screen.driver.get(page)
    screen.until(lambda: "No route yet" in screen.words())

    press(screen, "New route")
    write(screen, "Name", "ops")
    write(screen, "Address", receiver.url)
    press(screen, "Save route")
    screen.until(lambda: screen.text(".st-key-new-secret code"))
    (secret,) = screen.text(".st-key-new-secret code")
    press(screen, "I have stored it")
    screen.until(lambda: not screen.text(".st-key-new-secret code"))

    with running("operations.router", env=env):
        answered = lambda: screen.text(".cw-test-answer") == [HOSTILE.decode()]  # noqa: E731
        screen.insist(lambda: press(screen, "Send a test"), answered)
        history = TimescaleHistory(StoreSettings(dsn=SecretStr(env["CLIPWARDEN_STORE__DSN"])))
        history.write([make_alert("v:routed")], [])
        history.close()
        eventually(lambda: kinds(receiver)[-1] == "alert", within_s=30)
        screen.until(lambda: "1" in screen.text(".cw-route-count .cw-number")[0])

    assert set(kinds(receiver)[:-1]) == {"test"}
    for headers, body in receiver.came:
        assert is_genuine(secret, body, fields=headers, now=datetime.now(UTC))
    assert secret not in screen.driver.page_source
    assert screen.driver.execute_script("return window.pwned") is None


def test_a_mailbox_gets_digests_and_a_chats_address_is_shown_to_nobody(
    page: str, env: dict[str, str], mailbox: Mailbox, screen: Screen
) -> None:
    screen.driver.get(page)
    screen.until(lambda: "No route yet" in screen.words())
    press(screen, "New route")
    choose(screen, "E-mail")
    write(screen, "Name", "mornings")
    write(screen, "Address", "two@example.org, people@example.org")
    write(screen, "Alerts per hour (0: digests only)", Keys.CONTROL + "a" + Keys.NULL + "0")
    press(screen, "Save route")
    screen.until(lambda: "an e-mail route needs one address" in screen.words())
    write(screen, "Address", Keys.CONTROL + "a" + Keys.NULL + "people@example.org")
    press(screen, "Save route")
    screen.until(lambda: screen.text(".cw-route-url") == ["people@example.org"])
    assert "digests only" in screen.words()
    assert not screen.text(".st-key-new-secret code")

    own = {
        "SMTP_HOST": "localhost",
        "SMTP_PORT": str(mailbox.port),
        "SMTP_SECURITY": "none",
        "MAIL_FROM": "a@b.example",
    }
    with running("operations.router", env=env | {f"CLIPWARDEN_ROUTING__{name}": own[name] for name in own}):
        screen.insist(lambda: press(screen, "Send a test"), lambda: "the receiver answered 250" in screen.words())
    assert mailbox.came[0]["Subject"] == "[Clipwarden] A test of this route"

    choose(screen, "Chat (Slack-compatible)")
    write(screen, "Name", Keys.CONTROL + "a" + Keys.NULL + "room")
    write(screen, "Address", Keys.CONTROL + "a" + Keys.NULL + "https://chat.example/services/T0/whoever-knows-this")
    press(screen, "Save route")
    screen.until(lambda: len(screen.text(".cw-route-url")) == 2)
    assert screen.text(".cw-route-url")[1].startswith("https://chat.example/\N{HORIZONTAL ELLIPSIS}#")


def choose(screen: Screen, channel: str) -> None:
    """Press one of the form's channels until it stands."""
    chosen = lambda: channel in screen.text(".st-key-channel-new [aria-checked='true']")  # noqa: E731
    screen.until(lambda: screen.all(".st-key-channel-new button"))
    screen.insist(lambda: press(screen, channel), chosen)
