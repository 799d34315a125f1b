"""A file that a person takes away: asked for with a button, made while the page waits, fetched by its own link."""

from collections.abc import Callable, Hashable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from core.access import Person
from core.errors import StoreUnavailable
from dashboard.data.table_file import Format
from dashboard.export_files import ExportFiles, path_of
from dashboard.frame import draw
from dashboard.language import say
from dashboard.markup import span
from dashboard.resources import resources
from dashboard.wording import count

NAMES = {Format.CSV: "CSV", Format.PARQUET: "Parquet"}


@dataclass(frozen=True)
class _Made:
    of: Hashable
    file_format: Format
    token: str
    rows: int


@st.cache_resource(show_spinner=False)
def export_files() -> ExportFiles:
    """Files that wait for being fetched."""
    return ExportFiles(resources().clock)


def format_buttons(key: str) -> None:
    """One for each format; `asked` says which was pressed."""
    for file_format, name in NAMES.items():
        st.button(name, key=f"{key}-export-{file_format}", on_click=_ask, args=(key, file_format))


def asked(key: str) -> Format | None:
    """The format that was just asked for; said once."""
    found: Format | None = st.session_state.pop(f"{key}-asked", None)
    return found


def make(key: str, person: Person, of: Hashable, *, file_format: Format, write: Callable[[Path], int]) -> None:
    """Make the file for this person, in place of the one before.

    Args:
        key: of the place on the page, and in the file's name.
        person: who alone may fetch it.
        of: what was exported; the link goes once the page shows something else.
        file_format: also the file's suffix.
        write: checks the right, notes the export, writes the file and says how many rows it has.
    """
    files = export_files()
    with ExitStack() as unless_kept:
        body = unless_kept.enter_context(files.room())
        try:
            rows = write(path_of(body))
        except StoreUnavailable:
            draw(span(say("The database went away; nothing was exported. Try again once it answers."), "cw-refused"))
            return
        name = f"clipwarden-{key}-{resources().clock.now():%Y-%m-%d-%H%M}.{file_format}"
        token = files.keep(person.user_id, body, name)
        unless_kept.pop_all()
    st.session_state[f"{key}-made"] = _Made(of, file_format, token, rows)


def link(key: str, of: Hashable) -> None:
    """The way to the file, if one was made of this."""
    made: _Made | None = st.session_state.get(f"{key}-made")
    if made is None or made.of != of:
        return
    with st.container(horizontal=True, vertical_alignment="center", key=f"{key}-exported", gap="small"):
        draw(span(say("{n} rows written. The file waits a quarter of an hour.", n=count(made.rows)), "cw-quiet"))
        st.link_button(
            say("Download {name}", name=NAMES[made.file_format]),
            f"export/{made.token}",
            icon=":material/download:",
            type="primary",
        )


def _ask(key: str, file_format: Format) -> None:
    st.session_state.pop(f"{key}-made", None)
    st.session_state[f"{key}-asked"] = file_format
