"""A provider's word: what it must say to mean somebody, and who they are then."""

from typing import Any

import pytest

from core.access import Role
from core.errors_console import VouchRefused
from dashboard.vouching import FRESH_S, UNNAMED, Identity, Terms, Why, identity_of
from tests.fixtures.stores import NOON

ISSUER = "https://id.example/realm"
TERMS = Terms(ISSUER, "console", "groups", {"leads": Role.LEAD, "mods": Role.MODERATOR}, None)


def word(**changes: object) -> dict[str, Any]:
    """What a right token says; None leaves a claim out."""
    whole = {"iss": ISSUER, "sub": "p-1", "aud": "console", "nonce": "n-1", "iat": NOON.timestamp(), "groups": ["mods"]}
    return {name: value for name, value in {**whole, **changes}.items() if value is not None}


def read(terms: Terms = TERMS, **changes: object) -> Identity:
    return identity_of(word(**changes), terms, NOON)


def refusal(**changes: object) -> str:
    with pytest.raises(VouchRefused) as info:
        read(**changes)
    return info.value.why


def test_a_right_word_means_one_person_in_one_role() -> None:
    assert read(name="An") == Identity(f"{ISSUER} p-1", "An", Role.MODERATOR, f"{ISSUER} n-1")


@pytest.mark.parametrize("claim", ["iss", "sub", "aud", "nonce"])
@pytest.mark.parametrize("value", [None, "", 7, "x" * 300, "a\x00b", [], {}])
def test_a_word_without_what_it_must_have_means_nobody(claim: str, value: object) -> None:
    assert refusal(**{claim: value}) == Why.UNPROVEN


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": ISSUER + "/"},
        {"iss": "https://evil.example"},
        {"aud": "another"},
        {"aud": ["another"]},
        {"aud": "another", "azp": "console"},
        {"aud": ["console", "another"], "azp": "another"},
        {"aud": "my-console-too"},
    ],
)
def test_a_word_of_another_or_for_another_means_nobody(changes: dict[str, object]) -> None:
    assert refusal(**changes) == Why.UNPROVEN


@pytest.mark.parametrize("issued_s", [-FRESH_S - 1, -30 * 86_400, 120])
def test_a_word_counts_only_while_it_is_fresh(issued_s: float) -> None:
    assert refusal(iat=NOON.timestamp() + issued_s) == Why.STALE


@pytest.mark.parametrize("issued", [None, "soon", True, [], float("nan"), -(10**400)])
def test_a_word_that_does_not_say_when_is_old(issued: object) -> None:
    assert refusal(iat=issued) == Why.STALE


@pytest.mark.parametrize(
    ("held", "role"),
    [
        (["mods"], Role.MODERATOR),
        (["mods", "leads"], Role.LEAD),
        ("leads", Role.LEAD),
        (["Leads", "leads2", " leads"], None),
        ("leads mods", None),
        ([["leads"], {"leads": 1}, 7, True], None),
        ({"leads": True}, None),
        (None, None),
    ],
)
def test_a_role_is_what_the_claim_holds_letter_by_letter(held: object, role: Role | None) -> None:
    assert read(groups=held).role is role


def test_who_has_no_known_role_gets_the_default_where_there_is_one() -> None:
    terms = Terms(ISSUER, "console", "groups", TERMS.roles, Role.VIEWER)

    assert (read(terms, groups=[]).role, read(terms).role) == (Role.VIEWER, Role.MODERATOR)


@pytest.mark.parametrize("claim", ["realm.roles", "https://id.example/roles"])
def test_a_claim_is_a_name_with_dots_in_it_or_a_path(claim: str) -> None:
    terms = Terms(ISSUER, "console", claim, TERMS.roles, None)
    held = {"realm": {"roles": ["mods"]}, "https://id.example/roles": ["mods"]}

    assert read(terms, groups=None, **held).role is Role.MODERATOR
    assert read(terms, groups=None, realm="mods").role is None


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ({"name": "  Bình \n An "}, "Bình An"),
        ({"name": "a\u202eb\x00c\x1b[31m"}, "abc[31m"),
        ({"name": "<b>x</b>"}, "<b>x</b>"),
        ({"name": "x" * 1_000_000}, "x" * 60),
        ({"name": "\u200b\x00", "preferred_username": "an"}, "an"),
        ({"email": "an@example.org", "email_verified": True}, "an@example.org"),
        ({"email": "admin@example.org"}, UNNAMED),
        ({"email": "admin@example.org", "email_verified": "true"}, UNNAMED),
        ({"name": 7, "preferred_username": ["x"]}, UNNAMED),
    ],
)
def test_a_name_is_what_can_be_shown_of_it_and_an_email_only_where_it_is_theirs(
    said: dict[str, Any], name: str
) -> None:
    assert read(**said).name == name
