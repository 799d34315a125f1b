"""What is wrong, what still works, what to do: the lines above the strip. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from core.storage.ports import Heartbeat, LiveSnapshot
from dashboard.language import say
from dashboard.reading import FLOW, READY, Reading, current_as_of, is_stale
from dashboard.wording import duration, time_of_day

NO_SCORING = "No scoring process is running."


@dataclass(frozen=True)
class Notice:
    """One line: what, then why and what to do.

    Attributes:
        tone: `bad` stops work, `warn` does not.
        command: what to type, if that mends it.
    """

    tone: str
    what: str
    then: str
    command: str = ""


def notices(reading: Reading, now: datetime, zone: tzinfo) -> list[Notice]:
    """The worst first; empty when all is well."""
    return [*_stores(reading, zone), *([] if reading.live_down_since else _flows(reading.snapshot, now, zone))]


def _stores(reading: Reading, zone: tzinfo) -> Iterator[Notice]:
    live, history = reading.live_down_since, reading.history_down_since
    waits = say("Scoring waits for it; nothing is lost.")
    if live and history:
        what = say("Redis and the database do not answer since {time}.", time=time_of_day(min(live, history), zone))
        yield Notice("bad", what, f"{say('What you see is the last known.')} {waits}")
    elif live:
        what = say("Redis does not answer since {time}.", time=time_of_day(live, zone))
        yield Notice("bad", what, f"{say('The list comes from the database.')} {waits}")
    elif history:
        what = say("The database does not answer since {time}.", time=time_of_day(history, zone))
        then = say("The list holds what came before; older alerts cannot be opened, and nothing can be decided.")
        yield Notice("bad", what, f"{then} {waits}")


def _flows(snapshot: LiveSnapshot, now: datetime, zone: tzinfo) -> Iterator[Notice]:
    flows = [beat for beat in snapshot.heartbeats if beat.kind == FLOW]
    if not flows:
        yield Notice("bad", say(NO_SCORING), say("Posted videos wait in Kafka. Start one with"), "clipwarden up")
    elif not any(beat.state == READY for beat in flows):
        then = f"{_details(flows)} {say('Posted videos wait; nothing is lost.')}".strip()
        yield Notice("warn", say("Scoring is {states}.", states=_states(flows)), then)
    as_of = current_as_of(snapshot)
    if as_of and flows and is_stale(snapshot, now):
        age = duration((now - as_of).total_seconds())
        what = say("No update for {age}, last at {time}.", age=age, time=time_of_day(as_of, zone))
        then = say("Videos wait, but no verdict is written. Find out why:")
        yield Notice("warn", what, then, "clipwarden doctor")


def _states(flows: Sequence[Heartbeat]) -> str:
    return say(" and ").join(sorted({beat.state for beat in flows}))


def _details(flows: Sequence[Heartbeat]) -> str:
    return " ".join(sorted({f"{beat.detail.rstrip('.')}." for beat in flows if beat.detail}))
