"""Settings, Audit log: who looked at media and who changed what, newest first; the address is the whole state."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, time
from pathlib import Path

import pandas as pd
import streamlit as st

from core.access import Capability, Person
from core.storage.audit_log import Act, AuditEntry, LogPage, LogQuery
from dashboard import export_link, log_address
from dashboard.asked import EARLIEST, LATEST
from dashboard.audit_address import written
from dashboard.cards import empty
from dashboard.data import log_export
from dashboard.frame import draw
from dashboard.language import say
from dashboard.resources import resources
from dashboard.session import zone
from dashboard.wording import DEEDS, exact, role_name

ROWS = 100
_KEY = "log"
_FIELDS = (log_address.SUBJECT, log_address.WHO, log_address.ACT, log_address.SINCE, log_address.UNTIL)


def tab(person: Person) -> None:
    """Draw it."""
    query = log_address.query_of(st.query_params)
    _filters(query)
    place = log_address.place_of(st.query_params)
    found = resources().audit_log.page(person, query, ROWS, place)
    with st.container(horizontal=True, vertical_alignment="center", key="log-bar", gap="small"):
        _pages(found)
        if person.may(Capability.EXPORT):
            _export_menu()
    _export(person, query)
    if found.entries:
        st.dataframe(_table(found.entries), hide_index=True, width="stretch", height=560)
    elif query != LogQuery() or place:
        draw(empty(say("No such row in the log"), say("Clear a filter, or begin again with the newest rows.")))
    else:
        draw(empty(say("Nothing in the log"), say("Sign-ins, looks at media and changes stand here.")))


def _filters(query: LogQuery) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", key="log-filters", gap="small"):
        _typed(log_address.SUBJECT, say("Only this video, person, process or setting"), query.subject)
        _typed(log_address.WHO, say("Who"), query.who)
        st.selectbox(
            say("Did"),
            list(Act),
            index=None,
            key=_show(log_address.ACT, query.act),
            format_func=lambda act: say(DEEDS[act]),
            placeholder=say("All"),
            on_change=_keep,
            args=(log_address.ACT,),
        )
        _instant(log_address.SINCE, say("From"), query.since)
        _instant(log_address.UNTIL, say("Until"), query.until)
        if query != LogQuery():
            st.button(say("Clear filters"), key="log-clear", type="tertiary", on_click=_clear)


def _typed(name: str, words: str, value: str | None) -> None:
    st.text_input(words, key=_show(name, value or ""), max_chars=200, on_change=_keep, args=(name,))


def _instant(name: str, words: str, at: datetime | None) -> None:
    st.datetime_input(
        words,
        None,
        key=_show(name, at and at.astimezone(zone()).replace(tzinfo=None, second=0, microsecond=0)),
        format="YYYY-MM-DD",
        min_value=datetime.combine(EARLIEST, time.min),
        max_value=datetime.combine(LATEST, time.max),
        on_change=_keep,
        args=(name,),
    )


def _pages(found: LogPage) -> None:
    for words, key, place, icon in (
        (say("Newer"), "log-newer", found.newer, ":material/chevron_left:"),
        (say("Older"), "log-older", found.older, ":material/chevron_right:"),
    ):
        to = (log_address.PLACE, log_address.written(place))
        st.button(words, key=key, icon=icon, disabled=place is None, on_click=_write, args=to)


def _export_menu() -> None:
    with st.popover(say("Export"), icon=":material/download:", key="log-export"):
        st.text(say("All matching rows. The audit log notes it."))
        export_link.format_buttons(_KEY)


def _export(person: Person, query: LogQuery) -> None:
    if file_format := export_link.asked(_KEY):

        def write(path: Path) -> int:
            return log_export.save(resources().audit_log, person, query, path, file_format=file_format)

        export_link.make(_KEY, person, query, file_format=file_format, write=write)
    export_link.link(_KEY, query)


def _show(name: str, value: object) -> str:
    """Let the widget show this, as the address says."""
    st.session_state[f"log-{name}"] = value
    return f"log-{name}"


def _keep(name: str) -> None:
    value = st.session_state[f"log-{name}"]
    if isinstance(value, datetime):
        value = value.replace(tzinfo=zone()).astimezone(UTC)
    _write(name, written(value))
    _write(log_address.PLACE, "")


def _clear() -> None:
    for name in (*_FIELDS, log_address.PLACE):
        _write(name, "")


def _write(name: str, value: str) -> None:
    if value:
        st.query_params[name] = value
    else:
        st.query_params.pop(name, None)


def _table(found: Sequence[AuditEntry]) -> pd.DataFrame:
    rows = [
        {
            say("When"): exact(entry.at, zone()),
            say("Who"): entry.name,
            say("Role"): role_name(entry.role),
            say("Did"): say(DEEDS[entry.act]),
            say("Subject"): entry.subject,
            say("Detail"): json.dumps(entry.detail, ensure_ascii=False) if entry.detail else "",
        }
        for entry in found
    ]
    return pd.DataFrame(rows)
