"""The content audit's address ↔ what it shows: filters, order, form, columns, place. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from core.labels import VerdictKind
from dashboard.asked import instant_of, plain
from dashboard.data.search_query import Query, Sort


class Form(StrEnum):
    """How the answer is shown."""

    GALLERY = "gallery"
    DETAIL = "detail"
    TABLE = "table"


FORM, VIDEO, COLUMNS, PLACE, SORT, ORDER = "form", "video", "columns", "place", "sort", "order"
RISING = "rising"
PARAMETERS: Mapping[str, str] = {
    "video_id": "id",
    "author": "author",
    "hashtag": "hashtag",
    "words": "words",
    "verdicts": "verdict",
    "label": "label",
    "score_min": "min",
    "score_max": "max",
    "model_version": "model",
    "source": "source",
    "language": "language",
    "since": "from",
    "until": "to",
}
"""Fields of a query → their names in the address."""
OFFERED = (
    *("caption", "event_time", "author_id", "verdict", "label", "score", "hashtags", "language", "source"),
    *("platform", "model_version", "policy_version", "mode", "video_id", "verdict_id", "decided_at", "media_sha256"),
)
"""Columns of the table, in their order."""
SHOWN = ("caption", "event_time", "author_id", "verdict", "label", "score", "language", "model_version")


@dataclass(frozen=True)
class Address:
    """What an address says; what it does not say, or says wrongly, is the default."""

    query: Query
    form: Form = Form.GALLERY
    columns: tuple[str, ...] = SHOWN
    place: str = ""
    video: str = ""


def parse(parameters: Mapping[str, str]) -> Address:
    """Read an address; hostile ones included, nothing raises."""
    said = {name: value if name == PLACE else plain(value) for name, value in parameters.items()}
    filters = {
        field: value
        for field, name in PARAMETERS.items()
        if name in said and (value := _READ.get(field, str)(said[name])) is not None
    }
    sort = said.get(SORT, "")
    columns = tuple(name for name in OFFERED if name in said.get(COLUMNS, "").split(","))
    return Address(
        Query(
            **filters,
            sort=Sort(sort) if sort in set(Sort) else Sort.TIME,
            ascending=said.get(ORDER) == RISING,
        ),
        Form(said[FORM]) if said.get(FORM) in set(Form) else Form.GALLERY,
        columns or SHOWN,
        said.get(PLACE, ""),
        said.get(VIDEO, ""),
    )


def written(value: object) -> str:
    """A filter's value as it stands in an address; empty where there is none."""
    match value:
        case None:
            return ""
        case list() | tuple():
            return ",".join(map(str, value))
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")
    return str(value)


def _without(sign: str) -> Callable[[str], str]:
    return lambda value: value.removeprefix(sign)


def _kinds(value: str) -> tuple[VerdictKind, ...]:
    named = set(value.split(","))
    return tuple(kind for kind in VerdictKind if kind in named)


def _share(value: str) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return number if 0 <= number <= 1 else None


_READ: Mapping[str, Callable[[str], Any]] = {
    "author": _without("@"),
    "hashtag": _without("#"),
    "verdicts": _kinds,
    "score_min": _share,
    "score_max": _share,
    "since": instant_of,
    "until": instant_of,
}
