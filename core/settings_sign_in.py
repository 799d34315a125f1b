"""The settings of the console's sign-in: how long a session lasts, its cookie, and who else vouches for people."""

from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator
from pydantic_settings import NoDecode

from core.access import Role
from core.settings_section import Section


def _pairs(value: object) -> object:
    """`moderators=moderator, ops=engineer` as a mapping; what stands before the last `=` may hold others."""
    if not isinstance(value, str):
        return value
    parts = [part.strip().rpartition("=") for part in value.split(",") if part.strip()]
    if not all(held.strip() for held, _, _ in parts):
        raise ValueError("write value=role, separated by commas, as moderators=moderator, ops=engineer")
    return {held.strip(): role.strip() for held, _, role in parts}


_ISSUER = r"https://[^\s?#]+|http://(localhost|127\.0\.0\.1)(:\d+)?(/[^\s?#]*)?"
"""Its keys come from there: over TLS, unless it is on this machine."""
Roles = Annotated[dict[str, Role], NoDecode, BeforeValidator(_pairs)]


class SignInSettings(Section):
    """Who gets into the console.

    `address` is where people find it, as it stands in one-time links. A session ends `session_s` after it began, or
    `idle_s` after its last open page was closed. `is_https` marks its cookie so that a browser sends it over TLS only.

    With `provider_issuer`, a provider of OpenID Connect vouches for people too (docs/operations.md): it is the `iss` of
    its tokens. `provider_name` stands on the button. `provider_claim` holds what `provider_roles` turns into roles
    (`value=role`, separated by commas; the first that matches counts); who has none of them gets
    `provider_default_role`, and without one is refused.
    """

    address: str = Field(default="http://127.0.0.1:8501", pattern=r"^https?://[^\s/?#]+$")
    session_s: int = Field(default=12 * 3600, ge=60, le=7 * 86_400)
    idle_s: int = Field(default=3600, ge=60)
    link_s: int = Field(default=900, ge=30, le=86_400)
    is_https: bool = False
    provider_issuer: str = Field(default="", pattern=rf"^({_ISSUER})?$")
    provider_name: str = Field(default="OpenID Connect", min_length=1, max_length=40)
    provider_claim: str = Field(default="roles", min_length=1)
    provider_roles: Roles = Field(default={})
    provider_default_role: Role | None = None

    @model_validator(mode="after")
    def _lets_somebody_in(self) -> Self:
        if self.provider_issuer and not self.provider_roles and self.provider_default_role is None:
            raise ValueError("provider_issuer without provider_roles or provider_default_role would let nobody in")
        if self.provider_default_role is Role.ADMIN:
            raise ValueError("provider_default_role is for everybody the provider knows; name admins by provider_roles")
        return self
