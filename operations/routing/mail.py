"""One delivery → one e-mail over the platform's own mail server → whether that took it on."""

import smtplib
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from email.utils import format_datetime
from socket import SHUT_RDWR

from core.clock import Clock
from core.routing import MAIL
from core.routing_event import AGENT, DELIVERY
from core.settings_routing import RoutingSettings, SmtpSecurity
from core.storage.deliveries import Parcel
from operations.routing.carrier import Answer, event
from operations.routing.letter import letter
from operations.routing.written import as_subject, as_text

ANSWER_SHOWN = 300
TAKEN = 250
PERMANENT = 500
"""SMTP's own rule: from here on, the same again gets the same answer."""


class Mail:
    """Sends parcels as e-mail; safe to share between threads.

    Guarantee: delivered means that the mail server took it on, under the delivery's id as Message-ID: a reader that
    gets it twice shows it once. After `timeout_s` to connect and as long to hand over, it is given up.
    """

    def __init__(self, settings: RoutingSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._trusted = ssl.create_default_context()

    def send(self, parcel: Parcel) -> Answer:
        """Make one attempt; what goes wrong is an answer too."""
        if not self._settings.smtp_host:
            return Answer(None, "no mail server is set: CLIPWARDEN_ROUTING__SMTP_HOST and __MAIL_FROM of the router")
        message = self._message(parcel)
        try:
            with self._connected() as server:
                server.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            ((status, said),) = error.recipients.values()
            return _refused(status, said)
        except smtplib.SMTPAuthenticationError as error:
            # A wrong password is ours to mend, and then the same mail passes.
            return Answer(error.smtp_code, f"the mail server refused the password: {_text(error.smtp_error)}")
        except smtplib.SMTPResponseException as error:
            return _refused(error.smtp_code, error.smtp_error)
        except (OSError, smtplib.SMTPException) as error:
            return Answer(None, f"{type(error).__name__}: {error}"[:ANSWER_SHOWN])
        return Answer(TAKEN, "taken on by the mail server", is_taken=True)

    def _message(self, parcel: Parcel) -> EmailMessage:
        written = letter(event(parcel, self._settings.console_url), parcel.terms.tongue, self._settings.console_url)
        message = EmailMessage()
        message["Subject"] = f"[Clipwarden] {as_subject(written)}"
        message["From"] = self._settings.mail_from
        message["To"] = parcel.url.removeprefix(MAIL)
        message["Date"] = format_datetime(self._clock.now())
        message["Message-ID"] = f"<{parcel.delivery_id}@{self._settings.mail_from.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message["User-Agent"] = AGENT
        message[DELIVERY] = str(parcel.delivery_id)
        message.set_content(as_text(written))
        return message

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        settings = self._settings
        if settings.smtp_security is SmtpSecurity.TLS:
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                settings.smtp_host, settings.smtp_port, timeout=settings.timeout_s, context=self._trusted
            )
        else:
            server = smtplib.SMTP(settings.smtp_host, settings.smtp_port, timeout=settings.timeout_s)
        with _given_up_after(settings.timeout_s, server):
            try:
                if settings.smtp_security is SmtpSecurity.STARTTLS:
                    server.starttls(context=self._trusted)
                if settings.smtp_user:
                    server.login(settings.smtp_user, settings.smtp_password.get_secret_value())
                yield server
            finally:
                # What was taken on stays so, however the server says good-bye.
                with suppress(OSError, smtplib.SMTPException):
                    server.quit()
                server.close()


@contextmanager
def _given_up_after(seconds: float, server: smtplib.SMTP) -> Iterator[None]:
    """A server that says a byte now and then would hold a sender for ever: each wait alone is short."""
    timer = threading.Timer(seconds, _hang_up, (server,))
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _hang_up(server: smtplib.SMTP) -> None:
    with suppress(OSError):
        if server.sock is not None:
            server.sock.shutdown(SHUT_RDWR)


def _refused(status: int, said: bytes | str) -> Answer:
    return Answer(status, f"the mail server answered {status}: {_text(said)}", is_final=status >= PERMANENT)


def _text(said: bytes | str) -> str:
    return (said.decode("utf-8", "replace") if isinstance(said, bytes) else said)[:ANSWER_SHOWN]
