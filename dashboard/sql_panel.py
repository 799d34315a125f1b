"""The SQL box on the Database page: a text, what came of it, and one's own earlier texts."""

from pathlib import Path
from typing import cast

import streamlit as st

from core.access import Capability, Person
from core.errors import DependencyError, PlatformError, StoreUnavailable
from core.errors_console import AccessRefused
from core.errors_query import QueryError
from dashboard import export_link, session
from dashboard.data.sql_box import Asked, Result
from dashboard.data.sql_door import MAX_CHARACTERS
from dashboard.frame import draw
from dashboard.language import say, say_error
from dashboard.markup import span
from dashboard.resources import resources
from dashboard.sql_cards import trouble
from dashboard.sql_job import Job
from dashboard.sql_table import export, table
from dashboard.sql_templates import TEMPLATES
from dashboard.updated import updated
from dashboard.viewer import viewer
from dashboard.wording import count, time_of_day

TEXT = "sql-text"
PARAMETER = "sql"
"""Of the address: fills the box, and runs nothing."""
POLL_S = 0.4
HISTORY = 50

_KEY = "sql"
_JOB, _WAITING, _TEMPLATE, _EARLIER = "sql-job", "sql-waiting", "sql-template", "sql-earlier"
_LONGEST_LINK = 2_000


def panel(person: Person) -> None:
    """The box and what came of its statement."""
    if TEXT not in st.session_state:
        asked = st.query_params.get(PARAMETER) or next(iter(TEMPLATES.values()))
        st.session_state[TEXT] = asked[:MAX_CHARACTERS]
    _beginnings(person)
    st.text_area(say("One SELECT, WITH, EXPLAIN or SHOW"), key=TEXT, height=220, max_chars=MAX_CHARACTERS)
    waiting = _is_waiting()
    with st.container(horizontal=True, vertical_alignment="center", key="sql-buttons"):
        st.button(
            say("Run"),
            key="sql-run",
            type="primary",
            icon=":material/play_arrow:",
            disabled=waiting,
            on_click=_run,
        )
        draw(span(_limits(), "cw-quiet"))
    st.fragment(_outcome, run_every=POLL_S if waiting else None)()


def put(statement: str) -> None:
    """Put a statement into the box; it is not run."""
    st.session_state[TEXT] = statement


def put_and_run(statement: str) -> None:
    """Put a statement of ours into the box and run it, as who clicked."""
    put(statement)
    _run()


def _beginnings(person: Person) -> None:
    left, right = st.columns(2, gap="small")
    with left:
        st.selectbox(
            say("Begin with"),
            list(TEMPLATES),
            index=None,
            key=_TEMPLATE,
            format_func=say,
            placeholder=say("a question"),
            on_change=_take_template,
        )
    with right:
        try:
            earlier = resources().sql_box.history(person, HISTORY)
            about = say("{n} of them", n=len(earlier)) if earlier else say("none yet")
        except StoreUnavailable:
            earlier, about = [], say("not known now")
        st.selectbox(
            say("Your earlier statements"),
            earlier,
            index=None,
            key=_EARLIER,
            format_func=_line,
            placeholder=about,
            on_change=_take_earlier,
        )


def _line(asked: Asked) -> str:
    return f"{time_of_day(asked.at, session.zone())}  {' '.join(asked.statement.split())[:80]}"


def _take_template() -> None:
    if chosen := st.session_state[_TEMPLATE]:
        put(TEMPLATES[chosen])


def _take_earlier() -> None:
    if chosen := st.session_state[_EARLIER]:
        put(chosen.statement[:MAX_CHARACTERS])


def _run() -> None:
    statement = str(st.session_state[TEXT])
    try:
        st.session_state[_JOB] = Job(resources().sql_box, viewer(), statement)
    except (AccessRefused, StoreUnavailable) as error:
        st.toast(say_error(error), icon=":material/error:")
        return
    if len(statement) <= _LONGEST_LINK:
        st.query_params[PARAMETER] = statement
    else:
        # Not the one before either: an address says what it shows, or nothing.
        st.query_params.pop(PARAMETER, None)


def _job() -> Job | None:
    return cast("Job | None", st.session_state.get(_JOB))


def _is_waiting() -> bool:
    job = _job()
    st.session_state[_WAITING] = job is not None and not job.is_over
    return bool(st.session_state[_WAITING])


def _outcome() -> None:
    job = _job()
    if job is None:
        return
    if not job.is_over:
        with st.container(horizontal=True, vertical_alignment="center", key="sql-waits"):
            st.button(say("Cancel"), key="sql-cancel", icon=":material/stop:", on_click=job.cancel)
            draw(span(say("running for {s} s", s=f"{job.elapsed_s:.0f}"), "cw-quiet cw-sql-runs"))
        return
    if st.session_state.get(_WAITING):
        # Once more as a whole: the page stops asking, and the button may be pressed again.
        st.rerun()
    try:
        _show(job.answer())
    except PlatformError as error:
        draw(trouble(error, _told(error)))


def _told(error: PlatformError) -> str:
    if isinstance(error, DependencyError):
        return say("The database does not answer: {why}. Nothing was changed; run it again.", why=error.message)
    return say_error(error) if isinstance(error, QueryError | AccessRefused) else str(error)


def _show(result: Result) -> None:
    rows = result.rows
    limits = resources().settings.reporting
    cut = {
        "rows": say("cut at {n} rows: there are more", n=count(limits.max_rows)),
        "bytes": say("cut at {n} MB: there are more rows", n=f"{limits.max_bytes / 1e6:.0f}"),
    }.get(rows.cut, "")
    with st.container(horizontal=True, vertical_alignment="center", key="sql-result-head"):
        s = f"{result.elapsed_s:.2f}"
        one, many = say("1 row in {s} s", s=s), say("{n} rows in {s} s", n=count(len(rows.rows)), s=s)
        told = one if len(rows.rows) == 1 else many
        draw(span(told, "cw-number cw-sql-done"))
        if cut:
            draw(span(cut, "cw-sql-cut"))
        updated(result.at)
        if viewer().may(Capability.EXPORT):
            export_link.format_buttons(_KEY)
    if viewer().may(Capability.EXPORT):
        _export(result)
    with st.container(key="sql-result"):
        st.dataframe(table(rows), hide_index=True, width="stretch")


def _export(result: Result) -> None:
    of, person = (result.statement, result.elapsed_s), viewer()
    if file_format := export_link.asked(_KEY):

        def write(path: Path) -> int:
            # Written down first: what is not in the log is not taken away.
            resources().sql_box.note_export(person, result, file_format)
            path.write_bytes(export(result.rows, file_format))
            return len(result.rows.rows)

        export_link.make(_KEY, person, of, file_format=file_format, write=write)
    export_link.link(_KEY, of)


def _limits() -> str:
    limits = resources().settings.reporting
    return say(
        "At most {s} s, {n} rows, {mb} MB; reads only, of this page's views only. What you run is in the audit log.",
        s=f"{limits.timeout_s:g}",
        n=count(limits.max_rows),
        mb=f"{limits.max_bytes / 1e6:.0f}",
    )
