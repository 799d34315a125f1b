"""Whether the viewer's mouse rests on the list; the one thing only the browser knows."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

NAME = "clipwarden_pointer"
_JS = (Path(__file__).parent / "pointer.js").read_text(encoding="utf-8")


def is_over_list() -> bool:
    """Mount the watcher; true from when the mouse enters the list until it leaves."""
    return bool(_watcher()(key="pointer", default={"over": False}, on_over_change=_noted).over)


@st.cache_resource(show_spinner=False)
def _watcher() -> Callable[..., Any]:
    # Registered once per process: Streamlit warns of a second registration under one name.
    watcher: Callable[..., Any] = st.components.v2.component(NAME, js=_JS)
    return watcher


def _noted() -> None:
    """The change redraws the page, which asks again; nothing else is to do."""
