"""What waits, as counts beside the pages' names; they change by themselves and move nothing."""

from collections.abc import Mapping

import streamlit as st

from core.access import Capability, Person
from core.errors import StoreUnavailable
from core.errors_console import NotSignedIn
from dashboard import queries
from dashboard.data.waiting import MOST, Waits
from dashboard.frame import draw
from dashboard.language import say
from dashboard.markup import Markup, tag
from dashboard.viewer import viewer

REDRAWN_EVERY_S = 10.0
# The live monitor is where everybody starts, so it lies at the root.
_ENDS = {Waits.ALERTS: "/", Waits.DEAD_LETTERS: "/pipeline", Waits.REFUSED: "/ingestion"}


def badges(person: Person) -> None:
    """Draw them beside the pages that this person may open."""
    st.fragment(_redrawn, run_every=REDRAWN_EVERY_S)(person)


def _redrawn(person: Person) -> None:
    try:
        draw(sheet(queries.waiting(viewer())))
    except NotSignedIn:
        return
    except StoreUnavailable:
        # A page without a count has nothing that waits: not to know must look different.
        shown = Waits if person.may(Capability.SEE_PLATFORM) else (Waits.ALERTS,)
        draw(sheet(dict.fromkeys(shown)))


def sheet(counts: Mapping[Waits, int | None]) -> Markup:
    """Counts as a stylesheet, for the navigation is Streamlit's and takes no element of ours; None: not known."""
    return tag("style", Markup(" ".join(_rule(kind, count) for kind, count in counts.items() if count != 0)))


def _rule(kind: Waits, count: int | None) -> str:
    shown = "?" if count is None else f"{MOST - 1}+" if count >= MOST else str(count)
    link = f'[data-testid="stSidebarNavLink"][href$="{_ENDS[kind]}"]'
    return f'{link}::after {{ content: "{shown}" / "{_spoken(kind, shown)}" }}'


def _spoken(kind: Waits, shown: str) -> str:
    words = {
        Waits.ALERTS: say("{n} alerts of the last day not decided", n=shown),
        Waits.DEAD_LETTERS: say("{n} dead letters not replayed", n=shown),
        Waits.REFUSED: say("{n} refused or failed in the last day", n=shown),
    }
    return words[kind]
