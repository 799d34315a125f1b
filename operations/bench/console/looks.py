"""The looks that bench console takes: every page and part of one, and what shows that its content is there. Pure."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from core.errors import ConfigError
from operations.bench.filled_rows import LABELS, RARE_WORDS, SOURCES

Chance = random.Random
Asked = Mapping[str, str]

EMPTY = ".cw-empty"
"""What stands where nothing is: a store with few rows has it where a full one has rows."""
_LANGUAGES = ("vi", "en", "es", "id")
_PERIODS = ("1h", "24h", "7d", "30d")


def _plain(_: Chance) -> Asked:
    return {}


@dataclass(frozen=True)
class Look:
    """One way to look at the console.

    Attributes:
        path: of the page; empty where people start.
        title: of the page, as its script says it.
        marker: CSS selector of what the page is opened for: neither its skeleton nor its title.
        asks: what stands in the address; another at each opening where a page has filters, so that no answer is known.
    """

    name: str
    path: str
    title: str
    marker: str
    asks: Callable[[Chance], Asked] = _plain

    def query(self, chance: Chance) -> str:
        """The address's query, without its question mark."""
        return urlencode(self.asks(chance))


def _found(chance: Chance) -> Asked:
    """A search, of each kind of filter one."""
    return chance.choice(
        (
            {},
            {"verdict": "harmful"},
            {"label": chance.choice(LABELS)},
            {"min": f"{0.85 + chance.random() / 10:.3f}"},
            {"words": chance.choice(RARE_WORDS)},
            {"words": chance.choice(("dance", "river", "cho"))},
            {"hashtag": f"tag{chance.randrange(3000)}"},
            {"author": f"author{chance.randrange(80_000)}"},
            {"source": chance.choice(SOURCES), "language": chance.choice(_LANGUAGES)},
            {"sort": "score"},
        )
    )


def _tabled(chance: Chance) -> Asked:
    return {"form": "table", **_found(chance)}


def _detailed(chance: Chance) -> Asked:
    return {"form": "detail", "verdict": "harmful", "source": chance.choice(SOURCES), "label": chance.choice(LABELS)}


def _counted(chance: Chance) -> Asked:
    narrowed = {"source": chance.choice(SOURCES), "language": chance.choice(_LANGUAGES), "label": chance.choice(LABELS)}
    kept = chance.sample(sorted(narrowed), chance.randrange(3))
    return {"period": chance.choice(_PERIODS), **{name: narrowed[name] for name in kept}}


def _part(name: str) -> Callable[[Chance], Asked]:
    return lambda _: {"part": name}


def _tab(name: str) -> Callable[[Chance], Asked]:
    return lambda _: {"tab": name}


def named(words: str) -> tuple[Look, ...]:
    """Those whose names hold the words; all of them for none.

    Raises:
        ConfigError: none does.
    """
    found = tuple(look for look in LOOKS if words.casefold() in look.name)
    if not found:
        raise ConfigError(f"no page is named {words!r}; there are: {', '.join(look.name for look in LOOKS)}")
    return found


_TABLE = "[data-testid='stDataFrame']"
LOOKS = (
    Look("live monitor", "", "Live monitor", f"[class*='st-key-card-'], .st-key-list {EMPTY}"),
    Look("audit: gallery", "audit", "Content audit", f".cw-tile, {EMPTY}", _found),
    Look("audit: table", "audit", "Content audit", f"{_TABLE}, {EMPTY}", _tabled),
    Look("audit: detail", "audit", "Content audit", f".st-key-audit-scores, {EMPTY}", _detailed),
    Look("analytics", "analytics", "Analytics", f".cw-totals, {EMPTY}", _counted),
    Look("pipeline: processes", "pipeline", "Pipeline", f".st-key-processes, {EMPTY}", _part("processes")),
    Look("pipeline: dead letters", "pipeline", "Pipeline", f".st-key-letters, {EMPTY}", _part("letters")),
    Look("pipeline: logs", "pipeline", "Pipeline", f".st-key-log-bar, {EMPTY}", _part("logs")),
    Look("ingestion", "ingestion", "Ingestion", f".cw-strip, {EMPTY}"),
    Look("database", "database", "Database", f".st-key-sql-views, {EMPTY}"),
    Look("about", "about", "About", ".st-key-about-models"),
    Look("settings: account", "settings", "Settings", ".st-key-account", _tab("account")),
    Look("settings: wellness", "settings", "Settings", "[class*='st-key-wellness-']", _tab("wellness")),
    Look(
        "settings: alert routing", "settings", "Settings", f"[class*='st-key-route-'], {EMPTY}", _tab("alert-routing")
    ),
    Look("settings: retention", "settings", "Settings", ".cw-kept", _tab("retention")),
    Look("settings: people", "settings", "Settings", _TABLE, _tab("people")),
    Look("settings: audit log", "settings", "Settings", f"{_TABLE}, {EMPTY}", _tab("audit-log")),
)
