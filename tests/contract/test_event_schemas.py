"""Topics stay readable: one golden record per event version, and published schemas that describe what is written."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from core.events import EVENTS, DeadLetter, Event, Verdict, VideoPosted
from operations.docs import ROOT

GOLDEN = Path(__file__).with_name("golden")
OF_NAME: dict[str, type[Event]] = {
    "video.posted.v1": VideoPosted,
    "video.verdicts.v1": Verdict,
    "video.dead.v1": DeadLetter,
}
NAMES = sorted(OF_NAME)
WEBHOOK = "clipwarden.alert.v1"
"""What alert routes send; on no topic."""


def _golden(name: str) -> bytes:
    return (GOLDEN / f"{name}.json").read_bytes()


def _published(name: str) -> Any:  # noqa: ANN401 - JSON
    return json.loads((ROOT / "docs" / "schemas" / f"{name}.schema.json").read_bytes())


def test_every_event_has_a_golden_record_and_a_published_schema() -> None:
    assert set(OF_NAME.values()) == set(EVENTS)
    assert sorted(path.stem for path in GOLDEN.glob("*.json")) == NAMES
    published = {path.name.removesuffix(".schema.json") for path in (ROOT / "docs/schemas").iterdir()}
    assert published == {*NAMES, WEBHOOK}


@pytest.mark.parametrize("name", NAMES)
def test_a_golden_record_reads_and_writes_back_unchanged(name: str) -> None:
    event = OF_NAME[name].model_validate_json(_golden(name))

    assert json.loads(event.to_bytes()) == json.loads(_golden(name))


@pytest.mark.parametrize("name", NAMES)
def test_a_published_schema_accepts_the_golden_record(name: str) -> None:
    schema = _published(name)

    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(json.loads(_golden(name)))


@pytest.mark.parametrize("name", NAMES)
def test_a_published_schema_refuses_another_version(name: str) -> None:
    record = {**json.loads(_golden(name)), "schema": name.replace(".v1", ".v2")}

    assert not Draft202012Validator(_published(name)).is_valid(record)


@pytest.mark.parametrize("name", NAMES)
def test_a_consumer_may_meet_fields_it_does_not_know(name: str) -> None:
    record = {**json.loads(_golden(name)), "added_later": {"any": "thing"}}

    Draft202012Validator(_published(name)).validate(record)


def test_the_shortest_post_a_producer_may_send_is_accepted_by_schema_and_parser() -> None:
    schema = _published("video.posted.v1")
    golden = json.loads(_golden("video.posted.v1"))
    shortest = {field: golden[field] for field in schema["required"]}

    Draft202012Validator(schema).validate(shortest)

    assert VideoPosted.parse(json.dumps(shortest).encode(), allowed_buckets=()).media is None


def test_a_dead_letters_bytes_are_the_records_bytes() -> None:
    letter = DeadLetter.model_validate_json(_golden("video.dead.v1"))

    assert (letter.key, letter.payload) == (b"tiktok:7301", b"not json?")
