"""Who vouches for people, and as what: read from one line, refused where it would let in nobody or everybody."""

import pytest

from core.access import Role
from core.errors import ConfigError
from core.settings import Settings

ISSUER = "https://id.example"


def load(monkeypatch: pytest.MonkeyPatch, **values: str) -> Settings:
    for name, value in values.items():
        monkeypatch.setenv(f"CLIPWARDEN_SIGN_IN__PROVIDER_{name.upper()}", value)
    return Settings.load()


def test_a_claims_values_become_roles_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, issuer=ISSUER, roles="CN=mods=moderator, ops=engineer ,")

    assert list(settings.sign_in.provider_roles.items()) == [("CN=mods", Role.MODERATOR), ("ops", Role.ENGINEER)]


@pytest.mark.parametrize(
    "values",
    [
        {"issuer": ISSUER},
        {"issuer": "id.example", "roles": "a=viewer"},
        {"issuer": "http://id.example", "roles": "a=viewer"},
        {"issuer": "http://localhost.evil.example", "roles": "a=viewer"},
        {"issuer": ISSUER, "roles": "a=owner"},
        {"issuer": ISSUER, "roles": "viewer"},
        {"issuer": ISSUER, "default_role": "admin"},
        {"issuer": ISSUER, "roles": "a=viewer", "name": ""},
    ],
    ids=[
        "nobody",
        "no address",
        "no TLS",
        "not this machine",
        "no such role",
        "no value",
        "everybody an admin",
        "no name",
    ],
)
def test_what_cannot_be_meant_is_refused(monkeypatch: pytest.MonkeyPatch, values: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="CLIPWARDEN_SIGN_IN"):
        load(monkeypatch, **values)
