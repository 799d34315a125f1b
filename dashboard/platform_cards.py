"""The Pipeline page as HTML: processes, partitions, workers, stores, commands."""

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo

from core.storage.orders import CommandRow
from core.storage.ports import Heartbeat
from dashboard.cards import when
from dashboard.data.platform import StoreFacts
from dashboard.language import say
from dashboard.markup import Markup, div, span, tag, text
from dashboard.platform_rows import GONE, PartitionRow, ProcessRow
from dashboard.watched import Look
from dashboard.wording import NOTHING, ago, count, duration, size, time_of_day

WELL = frozenset({"ready"})
BAD = frozenset({GONE, "unready"})
OLD_S = 10.0


def process_card(row: ProcessRow, now: datetime, zone: tzinfo) -> Markup:
    """One process: is it well, since when, how fast, what it holds, what went wrong last."""
    cells = [
        (say("up"), NOTHING if row.uptime_s is None else duration(row.uptime_s)),
        (say("per minute"), NOTHING if row.per_min is None else f"{row.per_min:.0f}"),
        (say("queue"), NOTHING if row.queue is None else count(int(row.queue))),
        (say("memory"), size(row.memory_bytes)),
        (say("restarts"), count(row.restarts) if row.is_supervised else NOTHING),
    ]
    numbers = [div("cw-cell", span(name, "cw-quiet"), span(value, "cw-number")) for name, value in cells]
    head = div("cw-proc-head", span(row.name, "cw-label"), _state(row.state), span(row.version, "cw-quiet cw-version"))
    return div("cw-proc", head, div("cw-cells", *numbers), *_notes(row, now, zone))


def partition_table(rows: Sequence[PartitionRow], now: datetime) -> Markup:
    """How far each partition is."""
    names = (say("partition"), say("flow"), say("next to read"), say("written up to"), say("in work"), say("oldest"))
    head = tag("tr", *(tag("th", text(name)) for name in names))
    return _table(head, [_partition(row, now) for row in rows])


def worker_table(beats: Sequence[Heartbeat]) -> Markup:
    """Each worker's load and what it serves."""
    names = (say("worker"), say("batch"), say("busy"), say("queue"), say("GPU memory"), say("serves"))
    head = tag("tr", *(tag("th", text(name)) for name in names))
    return _table(head, [tag("tr", *(tag("td", text(cell)) for cell in _worker(beat))) for beat in beats])


def store_table(looks: Mapping[str, Look[StoreFacts]], zone: tzinfo) -> Markup:
    """Whether each store answers, how fast, how large it is."""
    names = (say("store"), say("state"), say("answers in"), say("size"))
    head = tag("tr", *(tag("th", text(name)) for name in names))
    return _table(head, [_store(name, look, zone) for name, look in looks.items()])


def command_list(rows: Sequence[CommandRow], now: datetime, zone: tzinfo) -> Markup:
    """The newest commands with their answers."""
    return div("cw-commands", *(_command(row, now, zone) for row in rows))


def state_word(state: str) -> str:
    """A process's state in the viewer's language; one we do not know as it is."""
    words = {
        "ready": say("ready"),
        "starting": say("starting"),
        "waiting": say("waiting"),
        "unready": say("not answering"),
        "stopped": say("stopped"),
        "draining": say("draining"),
        GONE: say("gone"),
    }
    return words.get(state, state)


def _state(state: str) -> Markup:
    tone = "up" if state in WELL else "down" if state in BAD else "wait"
    return div(f"cw-process-state cw-{tone}", span(state_word(state), "cw-state"))


def _notes(row: ProcessRow, now: datetime, zone: tzinfo) -> list[Markup]:
    notes = []
    if row.state == GONE and row.last_at:
        notes.append(div("cw-note cw-down", text(say("No sign of life since")), when(row.last_at, now, zone)))
    if row.detail:
        notes.append(div("cw-note", span(row.detail, "cw-quiet", dir="auto")))
    if row.error and row.error_at:
        last = span(say("last trouble"), "cw-quiet")
        notes.append(
            div("cw-note cw-trouble-line", last, span(row.error, "", dir="auto"), when(row.error_at, now, zone))
        )
    return notes


def _table(head: Markup, body: Sequence[Markup]) -> Markup:
    whole = tag("table", tag("thead", head), tag("tbody", *body), cls="cw-table cw-table-numbers")
    return div("cw-scroll", whole)


def _partition(row: PartitionRow, now: datetime) -> Markup:
    if row.beat is None:
        nobody = span(say("no flow reads it"), "cw-down-word")
        return tag("tr", tag("td", text(str(row.partition))), tag("td", nobody), *[tag("td", text(NOTHING))] * 4)
    beat = row.beat
    age_s = (now - beat.oldest_at).total_seconds() if beat.oldest_at else None
    oldest = span(
        NOTHING if age_s is None else duration(max(0.0, age_s)), "cw-down-word" if (age_s or 0) > OLD_S else ""
    )
    offsets = [NOTHING if offset is None else count(offset) for offset in (beat.read_offset, beat.written_offset)]
    cells = [str(row.partition), row.share, *offsets, count(beat.waiting)]
    return tag("tr", *(tag("td", text(cell)) for cell in cells), tag("td", oldest))


def _worker(beat: Heartbeat) -> list[str]:
    numbers = beat.numbers
    batches, done, busy = (numbers.get(f"{name}_per_s") for name in ("batches", "done", "busy_s"))
    whole = numbers.get("gpu_memory_whole_bytes")
    return [
        beat.instance,
        f"{done / batches:.1f}" if done is not None and batches else NOTHING,
        NOTHING if busy is None else f"{100 * min(1.0, busy):.0f} %",
        count(int(numbers.get("queue_requests", 0))),
        f"{size(numbers.get('gpu_memory_bytes'))} / {size(whole)}" if whole else say("no GPU"),
        beat.version,
    ]


def _store(name: str, look: Look[StoreFacts], zone: tzinfo) -> Markup:
    if look.down_since:
        said = say("no answer since {time}", time=time_of_day(look.down_since, zone))
        state = span(said, "cw-down-word", title=look.reason)
    else:
        state = span(say("answers") if look.value is not None else say("not asked yet"), "")
    took = NOTHING if look.took_s is None or look.down_since else f"{1000 * look.took_s:.0f} ms"
    held = size(look.value.size_bytes if look.value else None)
    return tag("tr", tag("td", text(name)), tag("td", state), tag("td", text(took)), tag("td", text(held)))


def _command(row: CommandRow, now: datetime, zone: tzinfo) -> Markup:
    words = {
        "issued": say("waits for its executor"),
        "claimed": say("under way"),
        "done": say("done"),
        "failed": say("not done"),
        "lost": say("lost"),
    }
    tone = {"done": "up", "failed": "down", "lost": "down"}.get(row.state, "wait")
    what = div("cw-command-what", tag("code", text(row.command)), span(row.subject, "", dir="auto"))
    state = div(f"cw-process-state cw-{tone}", span(words.get(row.state, row.state), "cw-state"))
    by = span(row.issued_by, "cw-quiet", dir="auto", title=ago(row.issued_at, now))
    return div("cw-command", what, state, by, when(row.issued_at, now, zone), span(row.answer, "cw-answer", dir="auto"))
