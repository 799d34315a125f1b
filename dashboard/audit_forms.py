"""The answer as a gallery or as a table; either opens a video in detail."""

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import audit_session
from dashboard.audit_address import OFFERED, Address
from dashboard.audit_cards import tile
from dashboard.audit_words import COLUMN_NAMES
from dashboard.data.search_rows import Page, Row
from dashboard.data.wellness import Veil
from dashboard.frame import draw
from dashboard.language import say
from dashboard.wording import SHAPES, VERDICTS

ROW_PX = 35
TABLE_ROWS = 50
GALLERY_ROWS = 24
_OPEN = "audit-table"


def gallery(page: Page, address: Address, now: datetime, *, zone: tzinfo, stills: Veil | None) -> None:
    """Tiles, each a button; their stills are blurred so, or not there at all."""
    with st.container(key="audit-tiles"):
        for place, row in enumerate(page.rows):
            with st.container(key=f"tile-{place}", gap=None):
                draw(tile(row, now, zone, selected=row.video_id == address.video, stills=stills))
                # Numbered, not named: a label is read as Markdown, and names are data.
                st.button(
                    say("Open video {n}", n=place + 1),
                    key=f"audit-open-{row.video_id}",
                    on_click=audit_session.open_detail,
                    args=(row.video_id,),
                )


def table(page: Page, address: Address, zone: tzinfo) -> None:
    """Rows and columns; a row that is chosen opens."""
    st.dataframe(
        frame(page.rows, address.columns, zone),
        hide_index=True,
        height=ROW_PX * (len(page.rows) + 1) + 2,
        row_height=ROW_PX,
        column_config=_columns(address.columns),
        on_select=lambda: _open(page.rows),
        selection_mode="single-row",
        # Of another page, another table: what was chosen in this one is not chosen there.
        key=f"{_OPEN}-{hash((address.query, address.place))}",
    )


def column_picker(address: Address) -> None:
    """Which columns, in the table's own order."""
    st.session_state["audit-columns"] = list(address.columns)
    with st.popover(say("Columns"), icon=":material/view_column:", key="audit-columns-popover"):
        st.multiselect(
            say("Columns"),
            list(OFFERED),
            key="audit-columns",
            format_func=lambda name: say(COLUMN_NAMES[name]),
            label_visibility="collapsed",
            on_change=lambda: audit_session.choose_columns(st.session_state["audit-columns"]),
        )


def frame(rows: Sequence[Row], columns: Sequence[str], zone: tzinfo) -> pd.DataFrame:
    """The rows as the table shows them: instants in the viewer's zone, a verdict with its shape."""
    return pd.DataFrame({name: [_shown(row, name, zone) for row in rows] for name in columns})


def _shown(row: Row, name: str, zone: tzinfo) -> Any:  # noqa: ANN401 - a cell
    value = getattr(row, name)
    match name:
        case "verdict":
            return f"{SHAPES[row.verdict]} {say(VERDICTS[row.verdict])}"
        case "event_time" | "decided_at":
            return value.astimezone(zone).replace(tzinfo=None)
        case "hashtags":
            return " ".join(f"#{hashtag}" for hashtag in value)
        case "mode":
            return value.value.replace("_", " ")
        case "score":
            return value
    return value or ""


def _columns(names: Sequence[str]) -> dict[str, Any]:
    titles = {name: say(COLUMN_NAMES[name]) for name in names}
    made: dict[str, Any] = {name: st.column_config.TextColumn(title) for name, title in titles.items()}
    for name in ("event_time", "decided_at"):
        if name in titles:
            made[name] = st.column_config.DatetimeColumn(titles[name], format="YYYY-MM-DD HH:mm:ss", width=160)
    if "score" in titles:
        made["score"] = st.column_config.NumberColumn(titles["score"], format="%.2f", width="small")
    if "caption" in titles:
        made["caption"] = st.column_config.TextColumn(titles["caption"], width="large")
    return made


def _open(rows: Sequence[Row]) -> None:
    for key, state in st.session_state.items():
        if str(key).startswith(_OPEN) and (chosen := state["selection"]["rows"]):
            audit_session.open_detail(rows[chosen[0]].video_id)
