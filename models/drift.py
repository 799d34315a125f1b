"""How far what comes in, and what is said of it, has moved since a model began to serve: the PSI. Pure.

The population stability index of shares e (reference) and a (now) is the sum over bins of (a - e) ln(a / e). By the
usual convention of credit scoring, below 0.1 nothing moved, from 0.2 on something must be done.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from core.errors import ConfigError

ACT_FROM = 0.2
"""The conventional limit."""
_FLOOR = 1e-4
"""The least share of a bin: an empty one would make the index infinite."""
_BINS = 10


@dataclass(frozen=True)
class Sample:
    """What was seen in a stretch of time.

    Attributes:
        numbers: feature → one value per video, e.g. `score`.
        names: feature → one name per video, e.g. `language`.
    """

    numbers: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __len__(self) -> int:
        """How many videos; that of the longest feature."""
        return max((len(values) for values in [*self.numbers.values(), *self.names.values()]), default=0)


@dataclass(frozen=True)
class Histogram:
    """Counts between ascending edges; the first and the last bin are open, a value on an edge lies above it."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True)
class Reference:
    """What a sample is held against.

    Attributes:
        of: the model it was seen under, as in `model_version`, e.g. `text:3`.
    """

    of: str
    n: int
    numbers: Mapping[str, Histogram]
    names: Mapping[str, Mapping[str, int]]

    def to_json(self) -> str:
        """One JSON object."""
        return _JSON.dump_json(self).decode()

    @staticmethod
    def from_json(text: str | bytes) -> "Reference":
        """What `to_json` wrote.

        Raises:
            ConfigError: it is something else.
        """
        try:
            return _JSON.validate_json(text)
        except ValidationError as error:
            raise ConfigError(f"no drift reference ({error.error_count()} faults in it); remove the file") from error


_JSON = TypeAdapter(Reference)


def reference_of(model: str, sample: Sample) -> Reference:
    """Bins of about equal count; features without a value are left out."""
    numbers = {name: histogram(values, deciles(values)) for name, values in sample.numbers.items() if len(values)}
    names = {name: dict(Counter(values)) for name, values in sample.names.items() if len(values)}
    return Reference(model, len(sample), numbers, names)


def drift(reference: Reference, sample: Sample) -> dict[str, float]:
    """The PSI of each feature that both have."""
    found = {}
    for name, before in reference.numbers.items():
        if len(values := sample.numbers.get(name, ())):
            found[name] = psi(before.counts, histogram(np.asarray(values), before.edges).counts)
    for name, counts in reference.names.items():
        now = Counter(sample.names.get(name, ()))
        if now:
            every = sorted({*counts, *now})
            found[name] = psi([counts.get(one, 0) for one in every], [now[one] for one in every])
    return found


def psi(reference: Sequence[int], now: Sequence[int]) -> float:
    """The population stability index of two rows of counts over the same bins, neither empty as a whole."""
    expected, actual = _shares(reference), _shares(now)
    return float(((actual - expected) * np.log(actual / expected)).sum())


def deciles(values: NDArray[np.float64]) -> tuple[float, ...]:
    """Inner edges of ten bins of about equal count; fewer where values repeat."""
    return tuple(np.unique(np.quantile(values, np.arange(1, _BINS) / _BINS)).tolist())


def histogram(values: NDArray[np.float64], edges: Sequence[float]) -> Histogram:
    """How many values lie between the edges."""
    places = np.searchsorted(np.asarray(edges), values, side="right")
    return Histogram(tuple(edges), tuple(np.bincount(places, minlength=len(edges) + 1).tolist()))


def _shares(counts: Sequence[int]) -> NDArray[np.float64]:
    shares = np.asarray(counts, dtype=np.float64)
    floored: NDArray[np.float64] = np.maximum(shares / shares.sum(), _FLOOR)
    return floored
