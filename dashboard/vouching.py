"""What a provider of OpenID Connect says of a person, read strictly: whom it means, and as what they enter. Pure.

On the path: Streamlit checks the token's signature, issuer and nonce → here → `dashboard.data.vouched`.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.access import Role
from core.errors_console import VouchRefused
from core.storage.people import MAX_NAME_CHARS

FRESH_S = 300
"""How long after it was issued an identity opens a session: what Streamlit keeps of it for a month opens none."""
SKEW_S = 60
"""How far the provider's clock may be ahead of ours."""
MAX_SUBJECT_CHARS = 255
UNNAMED = "unnamed"


class Why(StrEnum):
    """Why a provider's word did not let somebody in."""

    UNPROVEN = "unproven"
    STALE = "stale"
    USED = "used"
    DISABLED = "disabled"
    NO_ROLE = "no_role"
    LAST_ADMIN = "last_admin"
    OUTAGE = "outage"


@dataclass(frozen=True)
class Terms:
    """On which terms a provider's word counts.

    Attributes:
        client_id: whom its tokens are meant for: this console.
        claim: what holds groups or roles: a claim's name, or a path of names with dots between them.
        roles: what stands in that claim → role; the first that matches counts.
        default_role: for who has none of them; None: they are refused.
    """

    issuer: str
    client_id: str
    claim: str
    roles: Mapping[str, Role]
    default_role: Role | None


@dataclass(frozen=True)
class Identity:
    """A person as the provider knows them.

    Attributes:
        vouched: the provider and its own id of the person: what never changes, and nothing else can be.
        name: as it may be shown; it proves nothing.
        role: None: the provider gives them none.
        once: what stands in this one identity and in no other.
    """

    vouched: str
    name: str
    role: Role | None
    once: str


def identity_of(claims: Mapping[str, object], terms: Terms, now: datetime) -> Identity:
    """Whom these claims mean.

    Raises:
        VouchRefused: they are not meant for us, lack what they must have, or are too old.
    """
    subject, nonce = _word(claims, "sub"), _word(claims, "nonce")
    if not (claims.get("iss") == terms.issuer and subject and nonce and _is_for(claims, terms.client_id)):
        raise VouchRefused("the provider's word is not for this console, or lacks sub or nonce", Why.UNPROVEN)
    if not _is_fresh(claims.get("iat"), now):
        raise VouchRefused("the provider's word is older than {n} s; sign in anew", Why.STALE, n=FRESH_S)
    # No blank is in an address, so that no two pairs read the same.
    return Identity(
        vouched=f"{terms.issuer} {subject}",
        name=_name(claims),
        role=_role(claims, terms),
        once=f"{terms.issuer} {nonce}",
    )


def shown(name: str, suffix: str = "") -> str:
    """As much of the name as a name has room for, with what tells it from others."""
    return name[: MAX_NAME_CHARS - len(suffix)].rstrip() + suffix


def _word(claims: Mapping[str, object], claim: str) -> str:
    value = claims.get(claim)
    return value if isinstance(value, str) and len(value) <= MAX_SUBJECT_CHARS and value.isprintable() else ""


def _is_for(claims: Mapping[str, object], client_id: str) -> bool:
    audience, party = claims.get("aud"), claims.get("azp", client_id)
    meant = [audience] if isinstance(audience, str) else audience
    # Of several it is for the one it was issued to: a token of another application opens nothing here.
    return isinstance(meant, list) and client_id in meant and party == client_id


def _is_fresh(issued_at: object, now: datetime) -> bool:
    if isinstance(issued_at, bool) or not isinstance(issued_at, int | float):
        return False
    return -SKEW_S <= int(now.timestamp()) - issued_at <= FRESH_S


def _role(claims: Mapping[str, object], terms: Terms) -> Role | None:
    held = _held(claims, terms.claim)
    return next((role for value, role in terms.roles.items() if value in held), terms.default_role)


def _held(claims: Mapping[str, object], claim: str) -> set[str]:
    found: object = claims
    # A name may hold dots itself, as those that are addresses do.
    for name in [claim] if claim in claims else claim.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    values = found if isinstance(found, list) else [found]
    return {value for value in values if isinstance(value, str)}


def _name(claims: Mapping[str, object]) -> str:
    # Anybody can write any address into their profile; the provider says whether it is theirs.
    email = claims.get("email") if claims.get("email_verified") is True else None
    named = (_clean(name) for name in (claims.get("name"), claims.get("preferred_username"), email))
    return next((name for name in named if name), UNNAMED)


def _clean(name: object) -> str:
    if not isinstance(name, str):
        return ""
    # Of a book only the beginning is looked at.
    letters = unicodedata.normalize("NFC", name[: 10 * MAX_NAME_CHARS])
    seen = "".join(
        " " if letter.isspace() else letter for letter in letters if letter.isspace() or letter.isprintable()
    )
    return shown(" ".join(seen.split()))
