"""The settings of alert routing: where the router may send, how long it tries."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from core.routing import is_mailbox
from core.settings_ingestion import are_addresses
from core.settings_section import Names, Section


class SmtpSecurity(StrEnum):
    """How the connection to the mail server is secured: from its first byte, after a greeting, or not at all."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"


class RoutingSettings(Section):
    """Alert routing. The routes themselves are written in the console.

    `allow` opens single addresses (`host:port`, as in the route) to the gate that keeps webhooks out of private
    networks: for receivers of your own. A delivery that fails is tried again after `retry_s`, twice that, and so on up
    to `retry_max_s`, `max_attempts` times in all; with these defaults that is about an hour. `console_url` is where the
    links in alerts lead. E-mail goes through `smtp_host`, from `mail_from`; without them e-mail routes fail and say so.
    """

    allow: Annotated[Names, AfterValidator(are_addresses)] = ()
    timeout_s: float = Field(default=10.0, gt=0, le=120)
    max_attempts: int = Field(default=8, ge=1, le=30)
    retry_s: float = Field(default=30.0, gt=0)
    retry_max_s: float = Field(default=3_600.0, gt=0)
    max_answer_bytes: int = Field(default=65_536, ge=1_024)
    console_url: str = "http://127.0.0.1:8501"
    smtp_host: str = ""
    smtp_port: int = Field(default=587, ge=1, le=65_535)
    smtp_security: SmtpSecurity = SmtpSecurity.STARTTLS
    smtp_user: str = ""
    smtp_password: SecretStr = SecretStr("")
    mail_from: str = ""
    http_port: int = Field(default=0, ge=0, le=65_535)

    @model_validator(mode="after")
    def _mail_is_whole(self) -> Self:
        if self.smtp_host and not is_mailbox(self.mail_from):
            raise ValueError("smtp_host needs mail_from, an address such as clipwarden@example.org")
        if self.smtp_user and self.smtp_security is SmtpSecurity.NONE:
            raise ValueError("smtp_user needs smtp_security starttls or tls: a password must not travel in the clear")
        return self
