"""The Pipeline page's first part: processes with their buttons, partitions, workers, stores, ingestion, answers."""

from collections.abc import Sequence
from datetime import datetime, tzinfo

import streamlit as st

from core.access import Capability
from core.storage.orders import NEVER_STOPPED, CommandKind, OfProcess
from core.storage.ports import Beats
from dashboard import queries
from dashboard.arrivals import arrival_figures
from dashboard.ask import Asked, ask, question
from dashboard.cards import empty, notice_lines, strip
from dashboard.frame import draw, titled
from dashboard.language import say
from dashboard.markup import span
from dashboard.notices import Notice
from dashboard.outage import not_yet
from dashboard.platform_cards import command_list, partition_table, process_card, store_table, worker_table
from dashboard.platform_rows import (
    OPERATIONS,
    WORKER,
    ProcessRow,
    executor,
    partition_rows,
    process_rows,
)
from dashboard.resources import resources
from dashboard.viewer import viewer
from dashboard.watched import Look
from dashboard.wording import time_of_day


def processes_part(now: datetime, zone: tzinfo) -> datetime | None:
    """Draw it; returns when the heartbeats were read."""
    look = resources().platform.beats(viewer())
    beats = look.value or Beats((), ())
    draw(notice_lines(_notices(look, zone)))
    left, right = st.columns([3, 2], gap="medium")
    with left:
        _processes(process_rows(beats, now), look, now, zone)
        titled(say("Partitions of video.posted.v1"))
        draw(partition_table(partition_rows(beats), now))
        said = say("Offsets and ages are what the flows report of their own reading; the broker is not asked.")
        draw(span(said, "cw-quiet"))
    with right:
        answers(now, zone)
        titled(say("Stores"))
        draw(store_table(resources().platform.stores(viewer()), zone))
        _workers(beats)
        _ingestion(now)
    return look.at


def answers(now: datetime, zone: tzinfo) -> None:
    """The newest commands and what became of them."""
    look = resources().platform.commands(viewer())
    titled(say("Commands"))
    with st.container(key="commands"):
        if look.down_since:
            since = time_of_day(look.down_since, zone)
            draw(empty(say("Commands cannot be read"), say("The database does not answer since {time}.", time=since)))
        elif look.value is None:
            draw(not_yet())
        elif look.value:
            draw(command_list(look.value, now, zone))
        else:
            draw(empty(say("No command yet"), say("What is started, stopped or replayed here is answered here.")))


def _notices(look: Look[Beats], zone: tzinfo) -> list[Notice]:
    if look.down_since:
        what = say("Redis does not answer since {time}.", time=time_of_day(look.down_since, zone))
        return [Notice("bad", what, say("The processes below are the last known; they go on by themselves."))]
    if look.value is None or not look.value.alive:
        return []
    found = executor(look.value)
    if found is None:
        return [Notice("warn", say("Nobody executes commands here."), say("Start the platform with"), "clipwarden up")]
    if found == OPERATIONS:
        then = say("Start, stop and restart on its host:")
        return [Notice("warn", say("The container engine runs these processes."), then, "docker compose restart")]
    return []


def _processes(rows: Sequence[ProcessRow], look: Look[Beats], now: datetime, zone: tzinfo) -> None:
    titled(say("Processes"))
    with st.container(key="processes", gap=None):
        if look.value is None and not look.down_since:
            draw(not_yet())
        elif not rows:
            why = say("Redis has not answered since this console started.") if look.down_since else ""
            draw(empty(say("No process gives a sign of life"), why or say("Start them:"), command="clipwarden up"))
        for row in rows:
            with st.container(key=f"proc-{row.name}", horizontal=True, vertical_alignment="center", gap="small"):
                draw(process_card(row, now, zone))
                if row.is_supervised and viewer().may(Capability.OPERATE):
                    _buttons(row)
            question(row.name)


def _buttons(row: ProcessRow) -> None:
    # Without the process's name: a label is read as Markdown, and names are data.
    if row.state == "stopped":
        words = say("Start {name}.", name=row.name)
        _button(say("Start"), ":material/play_arrow:", row, CommandKind.START, words)
        return
    words = say("Restart {name}: it finishes what it has in hand, and comes back.", name=row.name)
    _button(say("Restart"), ":material/restart_alt:", row, CommandKind.RESTART, words)
    why = say("The console stands on it: stopped, it could not be started again from here.")
    words = say("Stop {name}: it finishes what it has in hand and stays stopped until it is started.", name=row.name)
    _button(
        say("Stop"), ":material/stop:", row, CommandKind.STOP, words, never=why if row.name in NEVER_STOPPED else ""
    )


def _button(label: str, icon: str, row: ProcessRow, kind: CommandKind, words: str, *, never: str = "") -> None:  # noqa: PLR0917 - one row of buttons
    st.button(
        label,
        key=f"{kind}-{row.name}",
        icon=icon,
        type="tertiary",
        disabled=bool(never),
        help=never or None,
        on_click=ask,
        args=(Asked(row.name, kind, OfProcess(process=row.name), words),),
    )


def _workers(beats: Beats) -> None:
    workers = [beat for beat in beats.alive if beat.kind == WORKER]
    titled(say("Inference"))
    if workers:
        draw(worker_table(workers))
    else:
        draw(empty(say("No worker gives a sign of life"), say("Scoring waits for one; nothing is lost.")))


def _ingestion(now: datetime) -> None:
    titled(say("Ingestion"))
    arrivals = queries.arrivals(viewer())
    if arrivals.down_since:
        draw(empty(say("Ingestion cannot be read"), say("The database does not answer.")))
        return
    with st.container(key="arrivals-short"):
        draw(strip(arrival_figures(arrivals, now)[:4]))
    st.link_button(say("Open Ingestion"), "ingestion", icon=":material/input:", type="tertiary")
