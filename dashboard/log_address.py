"""The audit log's address ↔ which rows it shows, and from which place on. Pure."""

import re
from collections.abc import Mapping

from core.storage.audit_log import Act, LogPlace, LogQuery
from dashboard.asked import instant_of, plain

SUBJECT, WHO, ACT, SINCE, UNTIL, PLACE = "subject", "who", "act", "from", "to", "place"
_PLACE = re.compile(r"(-?)([0-9]{1,18})")


def query_of(address: Mapping[str, str]) -> LogQuery:
    """What the address asks for; what it says wrongly is left open."""
    said = {name: plain(value) for name, value in address.items()}
    return LogQuery(
        said.get(SUBJECT) or None,
        said.get(WHO) or None,
        Act(said[ACT]) if said.get(ACT) in set(Act) else None,
        instant_of(said.get(SINCE, "")),
        instant_of(said.get(UNTIL, "")),
    )


def place_of(address: Mapping[str, str]) -> LogPlace | None:
    """Where the page lies; None, the newest rows, for anything that is no place."""
    found = _PLACE.fullmatch(address.get(PLACE, ""))
    return LogPlace(int(found[2]), is_newer=bool(found[1])) if found else None


def written(place: LogPlace | None) -> str:
    """A place as it stands in an address."""
    return "" if place is None else f"{'-' if place.is_newer else ''}{place.entry_id}"
