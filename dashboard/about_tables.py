"""What About tells beside the picture: topics, models, policy, glossary, licences. Pure, save one file read."""

from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from core.storage.ports import Heartbeat
from core.topics import TOPICS, Topic
from dashboard.cards import empty
from dashboard.language import say
from dashboard.markup import Markup, div, span, table, tag, text
from dashboard.reading import FLOW

GLOSSARY = Path(__file__).parents[1] / "docs" / "glossary.md"
"""Also in the image: its Dockerfile copies it."""
_MIB = 2**20
_PIECES = "|"
_FACTS = ("clip", "caption", "fusion")
_LIBRARIES = ("streamlit", "pandas", "psycopg", "redis", "pydantic", "minio", "numpy", "av")


def topics_table(topics: Sequence[Topic] = TOPICS) -> Markup:
    """Every topic: who writes, who reads, how long it is kept."""
    head = (say("topic"), say("key"), say("written by"), say("read by"), say("partitions"), say("kept"), say("largest"))
    return div("cw-scroll", table(head, (_topic(topic) for topic in topics)))


def models(heartbeats: Sequence[Heartbeat]) -> Markup:
    """What the workers say they serve, each set of models once."""
    workers = [beat for beat in heartbeats if beat.kind == "worker"]
    if not workers:
        return empty(say("No inference worker runs"), say("What it serves stands here once one does."))
    served = {beat.version: beat for beat in workers}
    return div("cw-models", *(_model(found, beats=workers) for found in served.values()))


def policy(heartbeats: Sequence[Heartbeat]) -> Markup:
    """The policy in force, with its thresholds, as the flows say."""
    flows = [beat for beat in heartbeats if beat.kind == FLOW]
    if not flows:
        return empty(say("No flow runs"), say("The policy in force stands here once one does."))
    in_force = {beat.version: beat for beat in flows}
    return div("cw-models", *(_policy(found) for found in in_force.values()))


def terms(source: str) -> list[tuple[str, str]]:
    """The glossary's rows: term and meaning, as they are written."""
    rows = [line for line in source.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    return [(term, meaning) for term, meaning in (row for row in cells if len(row) == len(("term", "meaning"))) if term]


def glossary() -> Markup:
    """Every term with its meaning; code in it is set as code."""
    if not GLOSSARY.is_file():
        return empty(say("The glossary is not here"), say("It lies in docs/glossary.md of the project."))
    _head, *rows = [row for row in terms(GLOSSARY.read_text(encoding="utf-8")) if set(row[0]) != {"-"}]
    pairs = [part for term, meaning in rows for part in (tag("dt", *_set(term)), tag("dd", *_set(meaning)))]
    return tag("dl", *pairs, cls="cw-facts cw-glossary")


def licences() -> Markup:
    """Ours, that of the weights, and the versions of what the console stands on."""
    facts = [
        (say("code"), "MIT"),
        (
            say("weights"),
            say("each model carries its own note: models/starter/*/README.md, model cards in the registry"),
        ),
        *((name, found) for name in ("clipwarden", *_LIBRARIES) if (found := installed(name))),
    ]
    return _facts(facts)


def installed(name: str) -> str:
    """The version of a distribution; empty when it is not there."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _topic(topic: Topic) -> tuple[str, ...]:
    days, largest = f"{topic.retention_h // 24} d", f"{topic.max_message_bytes // _MIB} MiB"
    return topic.name, topic.key, topic.writer, ", ".join(topic.readers), str(topic.partitions), days, largest


def _model(beat: Heartbeat, *, beats: Sequence[Heartbeat]) -> Markup:
    count = sum(other.version == beat.version for other in beats)
    parts = [piece.partition(":")[::2] for piece in beat.version.split(_PIECES)]
    versions = [(modality, number if number != "-" else say("none")) for modality, number in parts]
    names = {"clip": say("clip it takes"), "caption": say("longest caption"), "fusion": say("fusion, gate")}
    facts = [(names[key], beat.facts[key]) for key in _FACTS if key in beat.facts]
    labels = [
        (say("labels of {modality}", modality=key.removeprefix("labels_")), value)
        for key, value in beat.facts.items()
        if key.startswith("labels_")
    ]
    title = say("Models served by {n} workers", n=count) if count > 1 else say("Models served by 1 worker")
    return div("cw-model", tag("h3", text(title)), _facts([*versions, *facts, *labels]))


def _policy(beat: Heartbeat) -> Markup:
    title = tag("h3", text(say("Policy {version}", version=beat.version)))
    note = span(say("a person judges from the first score on, harmful from the second"), "cw-quiet")
    return div("cw-model", title, note, _facts(sorted(beat.facts.items())))


def _facts(facts: Iterable[tuple[str, str]]) -> Markup:
    return tag("dl", *(part for name, value in facts for part in (_dt(name), _dd(value))), cls="cw-facts")


def _dt(name: str) -> Markup:
    return tag("dt", text(name))


def _dd(value: str) -> Markup:
    return tag("dd", text(value))


def _set(words: str) -> list[Markup]:
    """Text with what stands between backquotes as code; everything is escaped."""
    return [tag("code", text(part)) if odd % 2 else text(part) for odd, part in enumerate(words.split("`"))]
