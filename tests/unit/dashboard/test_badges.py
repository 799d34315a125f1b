from core.access import Role
from dashboard import queries
from dashboard.badges import sheet
from dashboard.data.waiting import MOST, Waits
from tests.fixtures.console import Console, shown


def test_a_page_without_anything_that_waits_has_no_badge() -> None:
    assert sheet({Waits.ALERTS: 0, Waits.DEAD_LETTERS: 0}) == "<style></style>"


def test_a_badge_says_how_many_and_of_what_and_ends_at_99() -> None:
    assert 'href$="/pipeline"]::after { content: "3" / "3 dead letters not replayed" }' in sheet(
        {Waits.DEAD_LETTERS: 3}
    )
    assert '"99+" / ' in sheet({Waits.ALERTS: MOST})


def test_what_is_not_known_does_not_look_like_nothing(console: Console) -> None:
    console.role, console.waiting.is_down = Role.MODERATOR, True
    queries._waiting.clear()

    page = shown(console.open())

    assert '"?" / ' in page
    assert "/pipeline" not in page
