"""The pages: one row each, with its address and who may open it; drawn on the left in this order."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from core.access import Capability, Person
from dashboard import audit_session, keys
from dashboard.audit_address import Form
from dashboard.frame import draw
from dashboard.language import say
from dashboard.outage import no_right
from dashboard.views import about, analytics, audit, database, ingestion, live, pipeline, settings

START = "start"


@dataclass(frozen=True)
class Entry:
    """One page.

    Attributes:
        title: in English.
        path: its address.
        needs: who lacks this does not see it, and gets nothing from the data layer either.
        keys: what `?` lists on it; None: the page lists them itself.
    """

    draw: Callable[[], None]
    title: str
    icon: str
    path: str
    needs: Capability
    keys: Callable[[], Mapping[str, str]] | None = lambda: keys.ANYWHERE


def _audit_keys() -> Mapping[str, str]:
    return keys.DETAIL if audit_session.address().form is Form.DETAIL else keys.ANYWHERE


ENTRIES = (
    Entry(live.page, "Live monitor", ":material/sensors:", "live", Capability.SEE_VERDICTS, keys=None),
    Entry(audit.page, "Content audit", ":material/search:", "audit", Capability.SEE_VERDICTS, _audit_keys),
    Entry(analytics.page, "Analytics", ":material/monitoring:", "analytics", Capability.SEE_VERDICTS),
    Entry(pipeline.page, "Pipeline", ":material/account_tree:", "pipeline", Capability.SEE_PLATFORM),
    Entry(ingestion.page, "Ingestion", ":material/input:", "ingestion", Capability.SEE_PLATFORM),
    Entry(database.page, "Database", ":material/database:", "database", Capability.QUERY),
    Entry(about.page, "About", ":material/info:", "about", Capability.SEE_VERDICTS),
    Entry(settings.page, "Settings", ":material/settings:", "settings", Capability.SEE_VERDICTS),
)


def pages(person: Person) -> list[StreamlitPage]:
    """What this person may open, the first is where they start; whoever asks for another is told who may."""
    mine = [entry for entry in ENTRIES if person.may(entry.needs)]
    shown = [_page(entry, is_first=entry is mine[0]) for entry in mine]
    return [*shown, _by_name(mine[0], shown[0]), *(_closed(entry) for entry in ENTRIES if entry not in mine)]


def _page(entry: Entry, *, is_first: bool) -> StreamlitPage:
    # The first lies at `/` whatever its path says; its name is left to who leads there.
    path = START if is_first else entry.path
    return st.Page(_with_keys(entry), title=say(entry.title), icon=entry.icon, url_path=path, default=is_first)


def _with_keys(entry: Entry) -> Callable[[], None]:
    def draw() -> None:
        if entry.keys is not None:
            keys.keys_of_page(entry.keys())
        entry.draw()

    return draw


def _closed(entry: Entry) -> StreamlitPage:
    """What stands at the address of a page that is not this person's."""

    def tell() -> None:
        st.container(key="head").title(say(entry.title), anchor=False, width="content")
        draw(no_right(entry.needs))

    return st.Page(tell, title=say(entry.title), url_path=entry.path, visibility="hidden")


def _by_name(entry: Entry, first: StreamlitPage) -> StreamlitPage:
    """The page people start on lies at `/`; whoever asks for it by its name is led there, filters and all."""

    def lead() -> None:
        st.switch_page(first, query_params=st.query_params.to_dict())

    return st.Page(lead, title=say(entry.title), url_path=entry.path, visibility="hidden")
