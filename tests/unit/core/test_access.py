"""Roles have what the table says, and a refusal says who may."""

import pytest

from core.access import CAPABILITIES, Capability, Person, Role
from core.errors_console import Forbidden


def test_every_role_has_a_row_and_an_admin_may_everything() -> None:
    assert set(CAPABILITIES) == set(Role)
    assert CAPABILITIES[Role.ADMIN] == set(Capability)


@pytest.mark.parametrize(
    ("role", "capability"),
    [
        (Role.VIEWER, Capability.SEE_MEDIA),
        (Role.VIEWER, Capability.DECIDE),
        (Role.MODERATOR, Capability.OPERATE),
        (Role.MODERATOR, Capability.QUERY),
        (Role.LEAD, Capability.MANAGE_PEOPLE),
        (Role.ENGINEER, Capability.SEE_MEDIA),
        (Role.ENGINEER, Capability.DECIDE),
        (Role.ENGINEER, Capability.MANAGE_PEOPLE),
    ],
)
def test_who_may_not_is_told_who_may(role: Role, capability: Capability) -> None:
    with pytest.raises(Forbidden, match="admin"):
        Person("an", "An", role).require(capability)
