"""What one viewer of the content audit does, each a change of the address: the address is the whole state."""

from collections.abc import Sequence

import streamlit as st

from dashboard import watching
from dashboard.audit_address import (
    COLUMNS,
    FORM,
    OFFERED,
    ORDER,
    PARAMETERS,
    PLACE,
    RISING,
    SHOWN,
    SORT,
    VIDEO,
    Address,
    Form,
    parse,
    written,
)
from dashboard.data.search_query import Sort


def address() -> Address:
    """What the address says."""
    return parse(st.query_params.to_dict())


def put(field: str, value: object) -> None:
    """Set a filter; with nothing in it, clear it. The answer begins at its beginning."""
    _write(PARAMETERS[field], written(value))
    _write(PLACE, "")


def clear(fields: Sequence[str]) -> None:
    """Clear filters."""
    for field in fields:
        put(field, None)


def sort_by(sort: Sort) -> None:
    """Order the answer, from its beginning."""
    _write(SORT, "" if sort is Sort.TIME else sort.value)
    _write(PLACE, "")


def turn_order() -> None:
    """The other way round, from the beginning."""
    _write(ORDER, "" if st.query_params.get(ORDER) == RISING else RISING)
    _write(PLACE, "")


def go(token: str) -> None:
    """Another page of the answer; what was open is not on it."""
    _write(PLACE, token)
    open_video("")


def show_as(form: Form) -> None:
    """Another form of the same answer."""
    _write(FORM, "" if form is Form.GALLERY else form.value)
    watching.stop()


def open_video(video_id: str) -> None:
    """The video of the detail; the player of the one before is gone with it."""
    watching.stop()
    _write(VIDEO, video_id)


def open_detail(video_id: str) -> None:
    """This video in detail."""
    open_video(video_id)
    _write(FORM, Form.DETAIL.value)


def choose_columns(names: Sequence[str]) -> None:
    """The table's columns; none means the usual ones."""
    chosen = tuple(name for name in OFFERED if name in names)
    _write(COLUMNS, "" if chosen in ((), SHOWN) else ",".join(chosen))


def _write(name: str, value: str) -> None:
    if value:
        st.query_params[name] = value
    else:
        st.query_params.pop(name, None)
