"""Settings for who lacks a right: the tab says whose it is, and one's own account stays."""

import pytest

from core.access import Role
from tests.fixtures.console import Console, shown
from tests.fixtures.views import open_settings

SOMEBODY_ELSES = {"wellness": "Moderator, Lead, Admin", "people": "Admin", "retention": "Lead, Admin"}


@pytest.mark.parametrize(("tab", "whose"), SOMEBODY_ELSES.items())
def test_a_tab_that_is_not_theirs_says_whose_it_is(console: Console, tab: str, whose: str) -> None:
    console.role = Role.VIEWER

    words = shown(open_settings(console, tab))

    assert "No right to see this" in words
    assert f"one of these roles: {whose}. Ask an admin." in words


def test_ones_own_account_tells_what_one_may(console: Console) -> None:
    console.role = Role.ENGINEER

    words = shown(open_settings(console, "account"))

    assert "see verdicts, export, see platform, operate, query" in words
