"""A provider is configured wholly or not at all; half of it is refused with the line that is missing."""

from collections.abc import Mapping

import pytest
import streamlit as st

from core.access import Role
from core.clock import SystemClock
from core.errors import ConfigError
from core.settings_sign_in import SignInSettings
from core.storage.database import Database
from dashboard.provider import Provider, provider_of
from tests.fixtures.console import NOWHERE

SECRETS = {
    "redirect_uri": "http://127.0.0.1:8501/oauth2callback",
    "cookie_secret": "x" * 32,
    "client_id": "console",
    "client_secret": "s",
    "server_metadata_url": "https://id.example/.well-known/openid-configuration",
}


def configured(
    monkeypatch: pytest.MonkeyPatch, secrets: Mapping[str, object], issuer: str = "https://id.example"
) -> Provider | None:
    monkeypatch.setattr(st, "secrets", {"auth": secrets} if secrets else {})
    settings = SignInSettings(provider_issuer=issuer, provider_default_role=Role.VIEWER)
    return provider_of(settings, Database(NOWHERE, "tests"), SystemClock())


def test_without_an_issuer_there_are_local_people_only_whatever_streamlit_keeps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert configured(monkeypatch, SECRETS, issuer="") is None
    assert configured(monkeypatch, SECRETS) is not None


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"client_secret": ""}, "lacks client_secret"),
        ({"cookie_secret": "xxx"}, "cookie_secret"),
        ({"server_metadata_url": "http://id.example/x"}, "server_metadata_url is not https"),
        ({"redirect_uri": "http://localhost:8501/oauth2callback"}, "redirect_uri is not http://127.0.0.1:8501"),
    ],
)
def test_half_a_configuration_is_refused(
    monkeypatch: pytest.MonkeyPatch, changes: Mapping[str, str], told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        configured(monkeypatch, {**SECRETS, **changes})


def test_no_secrets_at_all_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="no \\[auth\\]"):
        configured(monkeypatch, {})
