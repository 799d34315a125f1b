"""Routes to people, a chat and e-mail, against a receiver and a mail server on loopback."""

import json
import socket
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from core.settings_routing import RoutingSettings, SmtpSecurity
from tests.fixtures.mailbox import PASSWORD, USER, Mailbox, careful_mailbox, certificate, mailbox
from tests.fixtures.receiver import Receiver, receiver
from tests.fixtures.router import Desk, desk
from tests.fixtures.routes import LEAD

__all__ = ["careful_mailbox", "certificate", "desk", "mailbox", "receiver"]
pytestmark = pytest.mark.integration

TEAM = "mailto:team@example.org"


@pytest.fixture
def mailing(desk: Desk, mailbox: Mailbox) -> Desk:
    """The desk, with a mail server that asks for nothing."""
    return with_mail(desk, mailbox.port, security=SmtpSecurity.NONE)


def with_mail(desk: Desk, port: int, *, security: SmtpSecurity, password: str = "") -> Desk:
    changes: dict[str, object] = {
        "smtp_host": "localhost",
        "smtp_port": port,
        "smtp_security": security,
        "mail_from": "clipwarden@console.example",
    }
    if password:
        changes |= {"smtp_user": USER, "smtp_password": SecretStr(password)}
    return replace(desk, settings=RoutingSettings(**{**desk.settings.model_dump(), **changes}))


def is_delivered(desk: Desk) -> bool:
    return desk.routes.all(LEAD)[0].delivered == 1


def test_a_chat_gets_a_message_it_can_show_and_nothing_signed(desk: Desk, receiver: Receiver) -> None:
    desk.route(receiver.url, channel="chat", has_caption=True)
    desk.flag(1, caption="<!here> *look*")

    desk.turns(until=lambda: is_delivered(desk))

    ((headers, body),) = receiver.came
    told = json.loads(body)
    assert set(told) == {"text", "mrkdwn", "unfurl_links", "unfurl_media"}
    assert "`&lt;!here&gt; *look*`" in told["text"]
    assert not [name for name in headers if name.startswith("X-Clipwarden")]


def test_an_alert_comes_as_one_e_mail_named_after_its_delivery(mailing: Desk, mailbox: Mailbox) -> None:
    mailing.route(TEAM, channel="email", tongue="vi")
    mailing.flag(1, author_id="Ánh\r\nBcc: everybody@example.org", label="bạo lực")

    mailing.turns(until=lambda: is_delivered(mailing))

    (mail,) = mailbox.came
    assert mail["To"] == "team@example.org"
    assert mail["Bcc"] is None
    assert mail["Subject"] == "[Clipwarden] ▲ Cảnh báo: độc hại, bạo lực 0.90"
    assert mail["Message-ID"] == f"<{mail['X-Clipwarden-Delivery']}@console.example>"
    assert "Tác giả: Ánh Bcc: everybody@example.org\n" in mail.get_content().replace("\r\n", "\n")


def test_what_was_held_back_comes_as_one_e_mail(mailing: Desk, mailbox: Mailbox) -> None:
    mailing.route(TEAM, channel="email", per_hour=0, digest_s=60)
    mailing.flag(*range(5))
    mailing.deliveries.route()
    with mailing.deliveries._database.connection() as connection:
        connection.execute("UPDATE alert_deliveries SET created_at = created_at - interval '61 seconds'")
    assert mailing.deliveries.sum_up() == 1

    mailing.turns(until=lambda: is_delivered(mailing))

    (mail,) = mailbox.came
    assert "[Clipwarden] 5 gathered, posted " in mail["Subject"]


def test_a_mail_server_that_is_busy_is_asked_again_under_the_same_id(mailing: Desk, mailbox: Mailbox) -> None:
    mailbox.answers = ["451 come again", "452 full"]
    mailing.route(TEAM, channel="email")
    mailing.flag(1)

    mailing.turns(until=lambda: is_delivered(mailing))

    assert len(mailbox.came) == 1


def test_a_mail_that_is_refused_for_good_is_dead_at_once_with_the_servers_reason(
    mailing: Desk, mailbox: Mailbox
) -> None:
    mailbox.answers = ["554 no such thing <script>"]
    mailing.route(TEAM, channel="email")
    mailing.flag(1)

    mailing.turns(until=mailing.is_dead)

    assert mailing.trouble().attempts == 1
    assert mailing.trouble().reason == "the mail server answered 554: no such thing <script>"


def test_without_a_mail_server_it_is_said_what_to_set(desk: Desk) -> None:
    desk.route(TEAM, channel="email")
    desk.flag(1)

    desk.turns(until=desk.is_dead)

    assert "CLIPWARDEN_ROUTING__SMTP_HOST" in desk.trouble().reason


def test_a_mail_server_that_hangs_is_given_up_in_time(desk: Desk) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_drip, args=(server,), daemon=True).start()
        slow = with_mail(desk, server.getsockname()[1], security=SmtpSecurity.NONE)
        slow.route(TEAM, channel="email")
        slow.flag(1)

        slow.turns(until=slow.is_dead)

    assert slow.trouble().attempts == slow.settings.max_attempts


def _drip(server: socket.socket) -> None:
    """Greet, then say a byte every half second: no wait alone is long enough to be called one."""
    ended = threading.Event()
    with suppress(OSError):
        while True:
            connection, _ = server.accept()
            with connection, suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall(b"220 hello\r\n")
                while not ended.wait(0.5):
                    connection.sendall(b"2")


def test_a_password_goes_only_to_a_server_that_proves_itself(
    desk: Desk, careful_mailbox: Mailbox, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sending = with_mail(desk, careful_mailbox.port, security=SmtpSecurity.STARTTLS, password=PASSWORD)
    sending.route(TEAM, channel="email")
    sending.flag(1)
    sending.turns(until=sending.is_dead)
    assert "CERTIFICATE_VERIFY_FAILED" in sending.trouble().reason

    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    sending.routes.revive(LEAD, sending.route_id)
    sending.turns(until=lambda: is_delivered(sending))

    assert len(careful_mailbox.came) == 1


def test_a_wrong_password_is_tried_again_and_is_not_in_the_reason(
    desk: Desk, careful_mailbox: Mailbox, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    sending = with_mail(desk, careful_mailbox.port, security=SmtpSecurity.STARTTLS, password="wr0ng-one")
    sending.route(TEAM, channel="email")
    sending.flag(1)

    sending.turns(until=sending.is_dead)

    assert sending.trouble().attempts == sending.settings.max_attempts
    assert "password" in sending.trouble().reason
    assert "wr0ng-one" not in sending.trouble().reason


@pytest.mark.parametrize(
    "fields",
    [
        {"smtp_host": "mail.example"},
        {"smtp_host": "mail.example", "mail_from": "Clipwarden <a@example.org>"},
        {"smtp_host": "mail.example", "mail_from": "a@example.org", "smtp_user": "u", "smtp_security": "none"},
    ],
)
def test_half_a_mail_server_is_refused_at_the_start(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="smtp_"):
        RoutingSettings.model_validate(fields)
