"""The provider of OpenID Connect that vouches for people, where one is configured: whether it answers, and its word."""

import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx2
import streamlit as st
import structlog

from core.clock import Clock
from core.errors import ConfigError
from core.errors_console import ProviderUnavailable, VouchRefused
from core.settings_sign_in import SignInSettings
from core.storage.database import Database
from dashboard.data.vouched import Vouched
from dashboard.reading import Probe
from dashboard.vouching import Terms, identity_of

_log: structlog.stdlib.BoundLogger = structlog.get_logger()

TIMEOUT_S = 3.0
MIN_SECRET_CHARS = 32
"""Whoever guesses what signs Streamlit's cookies could say to be anybody."""
_KEYS = ("redirect_uri", "cookie_secret", "client_id", "client_secret", "server_metadata_url")


class Provider:
    """What vouches for people.

    Args:
        metadata_url: where the provider says what it is.
    """

    def __init__(self, name: str, terms: Terms, metadata_url: str, *, vouched: Vouched, clock: Clock) -> None:
        self.name = name
        self._terms = terms
        self._metadata_url = metadata_url
        self._vouched = vouched
        self._clock = clock
        self._probe = Probe(self._ask, clock)
        self._asking = threading.Lock()
        self._is_away = False

    def is_away(self) -> bool:
        """Whether it says nothing, asked at most every few seconds; it may wait: call it in a thread."""
        # One asks for all: whoever calls meanwhile does not wait for a provider that hangs.
        if self._asking.acquire(blocking=False):
            try:
                self._is_away = self._probe.down_since() is not None
            finally:
                self._asking.release()
        return self._is_away

    def admit(self, claims: Mapping[str, object], *, address: str) -> str:
        """A one-time token for `/enter`, for whom these claims mean; Streamlit has checked their signature.

        Raises:
            VouchRefused: they let nobody in; it is in the audit log.
            StoreUnavailable: the database is away.
        """
        try:
            identity = identity_of(claims, self._terms, self._clock.now())
        except VouchRefused as refusal:
            self._vouched.note_refusal(refusal.why, address=address)
            raise
        return self._vouched.admit(identity, address=address)

    def _ask(self) -> None:
        try:
            self._check()
        except ProviderUnavailable as error:
            # The page says no more than that it is away.
            _log.warning("provider.away", reason=error.message)
            raise

    def _check(self) -> None:
        try:
            answer = httpx2.get(self._metadata_url, timeout=TIMEOUT_S).raise_for_status().json()
        except (httpx2.HTTPError, ValueError) as error:
            raise ProviderUnavailable(
                "{address} does not answer; is it up, and the address right?", address=self._metadata_url
            ) from error
        if not isinstance(answer, dict) or answer.get("issuer") != self._terms.issuer:
            raise ProviderUnavailable(
                "{address} is not what {issuer} says of itself", address=self._metadata_url, issuer=self._terms.issuer
            )


def provider_of(settings: SignInSettings, database: Database, clock: Clock) -> Provider | None:
    """The configured one; None: there are local people only.

    Raises:
        ConfigError: the settings name one, and Streamlit's secrets do not hold what it takes.
    """
    if not settings.provider_issuer:
        return None
    secrets = _secrets(settings)
    terms = Terms(
        issuer=settings.provider_issuer,
        client_id=str(secrets["client_id"]),
        claim=settings.provider_claim,
        roles=settings.provider_roles,
        default_role=settings.provider_default_role,
    )
    metadata_url = str(secrets["server_metadata_url"])
    return Provider(settings.provider_name, terms, metadata_url, vouched=Vouched(database), clock=clock)


def _secrets(settings: SignInSettings) -> Mapping[str, Any]:
    try:
        found: Mapping[str, Any] = st.secrets["auth"]
    except (FileNotFoundError, KeyError) as error:
        raise _misconfigured("there is no [auth] in .streamlit/secrets.toml") from error
    missing = [key for key in _KEYS if not found.get(key)]
    if missing:
        raise _misconfigured(f"[auth] in .streamlit/secrets.toml lacks {', '.join(missing)}")
    if len(str(found["cookie_secret"])) < MIN_SECRET_CHARS:
        raise _misconfigured(f"[auth] cookie_secret is shorter than {MIN_SECRET_CHARS} characters; make a random one")
    if found["redirect_uri"] != f"{settings.address}/oauth2callback":
        raise _misconfigured(f"[auth] redirect_uri is not {settings.address}/oauth2callback")
    if urlsplit(str(found["server_metadata_url"])).scheme != urlsplit(settings.provider_issuer).scheme:
        raise _misconfigured("[auth] server_metadata_url is not https, as the issuer is")
    return found


def _misconfigured(reason: str) -> ConfigError:
    return ConfigError(f"CLIPWARDEN_SIGN_IN__PROVIDER_ISSUER is set, but {reason} (docs/operations.md, Signing in)")
