"""The picture of the path, drawn from what runs: stages and stores as boxes, each with its state. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.storage.ports import Heartbeat
from core.topics import VIDEO_DEAD, VIDEO_POSTED, VIDEO_VERDICTS, Topic
from dashboard.language import say
from dashboard.markup import Markup, div, join, span, tag, text
from dashboard.reading import FLOW, READY, Reading
from dashboard.wording import NOTHING, ago


@dataclass(frozen=True)
class Node:
    """One box.

    Attributes:
        state: `up`, `wait`, `down`, or `off` for what does not run (and need not) or says nothing of itself.
        said: the state in a word.
        lines: instances, versions, why it waits; data of others.
    """

    name: str
    does: str
    state: str
    said: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Stage:
    """A step of the path: what happens, and who does it."""

    title: str
    nodes: tuple[Node, ...]


def stages(
    reading: Reading, *, objects_down_since: datetime | None, console_version: str, now: datetime
) -> list[Stage]:
    """The path from a link to a screen, as it runs now."""
    beats = reading.snapshot.heartbeats
    # Without Redis no heartbeat is heard: then a process is not said to be off.
    heard = reading.live_down_since is None

    def process(kind: str, name: str, does: str) -> Node:
        return _process([beat for beat in beats if beat.kind == kind], name, does, heard=heard)

    return [
        Stage(
            say("Bring in"),
            (
                process("ingestion", say("Ingestion"), say("fetches links and crawls")),
                process("gateway", say("Gateway"), say("takes uploads and events")),
            ),
        ),
        Stage(
            say("Carry"),
            (
                _store(say("Objects"), say("videos, over S3"), objects_down_since, now),
                _topics((VIDEO_POSTED,), beats, heard=heard),
            ),
        ),
        Stage(
            say("Score and decide"),
            (
                process(FLOW, say("Flows"), say("decode, ask, decide, write")),
                process("worker", say("Inference workers"), say("compute the models")),
            ),
        ),
        Stage(
            say("Keep and tell"),
            (
                _store(say("Database"), say("the durable record"), reading.history_down_since, now),
                _topics((VIDEO_VERDICTS, VIDEO_DEAD), beats, heard=heard),
                _store(say("Live view"), say("Redis, a projection"), reading.live_down_since, now),
            ),
        ),
        Stage(
            say("Show and send"),
            (
                Node(say("Console"), say("this page"), "up", say("runs"), (console_version,)),
                process("router", say("Router"), say("sends alerts to routes")),
                process("supervisor", say("Supervisor"), say("starts and restarts all of them")),
            ),
        ),
    ]


def picture(found: Sequence[Stage]) -> Markup:
    """The stages in their order, with an arrow from each to the next; from top to bottom on a narrow screen."""
    return div("cw-path", *(_stage(stage) for stage in found), role="list", aria_label=say("The path of a video"))


def _process(beats: Sequence[Heartbeat], name: str, does: str, *, heard: bool) -> Node:
    if not heard:
        return Node(name, does, "off", say("not heard: Redis is away"))
    if not beats:
        return Node(name, does, "off", say("does not run"))
    waiting = [beat for beat in beats if beat.state != READY]
    versions = sorted({beat.version for beat in beats})
    count = say("{n} running", n=len(beats)) if len(beats) > 1 else say("1 running")
    runs = " \u00b7 ".join((count, *versions))
    why = tuple(beat.detail or beat.state for beat in waiting)
    if len(waiting) == len(beats):
        return Node(name, does, "wait", say("waits"), (runs, *why))
    said = say("ready") if not waiting else say("{n} of {all} ready", n=len(beats) - len(waiting), all=len(beats))
    return Node(name, does, "up" if not waiting else "wait", said, (runs, *why))


def _store(name: str, does: str, down_since: datetime | None, now: datetime) -> Node:
    if down_since:
        return Node(name, does, "down", say("does not answer"), (say("first failed {ago}", ago=ago(down_since, now)),))
    return Node(name, does, "up", say("answers"))


def _topics(topics: Iterable[Topic], beats: Sequence[Heartbeat], *, heard: bool) -> Node:
    """The console has no line to Kafka: flows say whether they reach it."""
    names = tuple(topic.name for topic in topics)
    flows = [beat for beat in beats if beat.kind == FLOW]
    if any(beat.state == READY for beat in flows):
        return Node("Kafka", ", ".join(names), "up", say("flows reach it"))
    if heard and any("broker" in beat.detail or "kafka" in beat.detail for beat in flows):
        return Node("Kafka", ", ".join(names), "down", say("flows do not reach it"))
    return Node("Kafka", ", ".join(names), "off", say("no flow tells"))


def _stage(stage: Stage) -> Markup:
    boxes = join(*(_box(node) for node in stage.nodes))
    return div("cw-stage", tag("h3", text(stage.title)), div("cw-boxes", boxes), role="listitem")


def _box(node: Node) -> Markup:
    return div(
        f"cw-box cw-box-{node.state}",
        div("cw-box-head", span(node.name, "cw-box-name"), span(node.said or NOTHING, "cw-box-state")),
        span(node.does, "cw-quiet"),
        *(span(line, "cw-box-line") for line in node.lines if line),
    )
