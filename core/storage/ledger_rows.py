"""Items as JSON for one multi-row statement, and rows as items: the border between the ledger and SQL."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import Any

from core.storage.history_rows import storable
from core.storage.items import Content, Item, ItemState, NewItem, Sighting

ITEM_COLUMNS = tuple(field.name for field in fields(Item))
SIGHTING_COLUMNS = tuple(field.name for field in fields(Sighting))

_TYPES = {
    "item_id": "bigint",
    "size_bytes": "bigint",
    "is_distinct": "boolean",
    "posted_at": "timestamptz",
    "seen_at": "timestamptz",
    "hashtags": "jsonb",
    "provenance": "jsonb",
}


def clean(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """The value without characters that PostgreSQL cannot hold: what the world sends may have any."""
    match value:
        case str():
            return storable(value).encode("utf-8", "replace").decode()
        case Mapping():
            return {clean(name): clean(part) for name, part in value.items()}
        case list() | tuple():
            return [clean(part) for part in value]
        case datetime():
            return value.isoformat()
    return value


def key_of(item: NewItem) -> str:
    """The item's key as it is stored."""
    return str(clean(item.item_key))


def recordset(names: Sequence[str]) -> str:
    """The column list of `jsonb_to_recordset` for these fields."""
    return ", ".join(f"{name} {_TYPES.get(name, 'text')}" for name in names)


NEW_COLUMNS = tuple(field.name for field in fields(NewItem) if field.name != "sighting")
CONTENT_COLUMNS = tuple(field.name for field in fields(Content))
GIVEN_COLUMNS = (*NEW_COLUMNS, "source", "seen_at", "seen_link", "hashtag", "label", "tool", "terms")


def given(items: Sequence[NewItem]) -> str:
    """Items with their sightings, flat."""
    return json.dumps([clean(_flat(item)) for item in items], ensure_ascii=False)


def _flat(item: NewItem) -> dict[str, Any]:
    row = asdict(item)
    sighting = row.pop("sighting")
    return {**sighting, **row, "seen_link": sighting["link"]}


def contents_json(contents: Sequence[Content]) -> str:
    """What was fetched, as one parameter."""
    return json.dumps([clean(asdict(content)) for content in contents], ensure_ascii=False)


def read_item(row: Mapping[str, Any]) -> Item:
    """A row of `items`."""
    values = {name: _utc(value) for name, value in row.items()}
    return Item(**{**values, "state": ItemState(row["state"]), "hashtags": tuple(row["hashtags"])})


def read_sighting(row: Mapping[str, Any]) -> Sighting:
    """A row of `item_sightings`."""
    return Sighting(**{name: _utc(value) for name, value in row.items()})


def _utc(value: Any) -> Any:  # noqa: ANN401 - a column of any type
    return value.astimezone(UTC) if isinstance(value, datetime) else value
