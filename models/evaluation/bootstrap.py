"""Resampling with a seed: (B, N) weights → what each figure could as well have been, and its 95 % interval."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import ConfigError
from models.evaluation.figures import Draws, Figure, Ranking

TAIL_PERCENT = 2.5
_CELLS = 1_000_000
"""Weights held at once: 8 MB."""


@dataclass(frozen=True)
class Resampling:
    """How often and over what is drawn.

    Attributes:
        units: what is drawn with repetition, as (N,) codes from 0: rows of a unit come and go together. Clips of one
            camera are one unit. With several, e.g. the clip and the caption of a pair, a row weighs as often as each
            of its units was drawn, multiplied (the pigeonhole bootstrap). None: each row is its own unit.
    """

    units: tuple[NDArray[np.intp], ...] = ()
    replicates: int = 1_000
    random_state: int = 7

    def of(self, mask: NDArray[np.bool_]) -> "Resampling":
        """The same over some of the rows."""
        units = tuple(np.unique(codes[mask], return_inverse=True)[1] for codes in self.units)
        return Resampling(units, self.replicates, self.random_state)

    def fewest_units(self, rows: int) -> int:
        """How many units there are, of the kind there are fewest of: intervals over a handful are rough."""
        return min((int(codes.max()) + 1 for codes in self.units), default=rows)


def units_of(*names: Sequence[object] | NDArray[np.object_]) -> tuple[NDArray[np.intp], ...]:
    """Codes of each row's units from their names."""
    return tuple(np.unique(np.asarray(column).astype(str), return_inverse=True)[1] for column in names)


def draw_weights(rows: int, resampling: Resampling) -> Iterator[NDArray[np.float64]]:
    """Weights of `rows` rows, some (B, N) at a time, `replicates` in all."""
    rng = np.random.default_rng(resampling.random_state)
    step = max(1, _CELLS // rows)
    for start in range(0, resampling.replicates, step):
        count = min(step, resampling.replicates - start)
        weights = np.ones((count, rows))
        for codes in resampling.units or (np.arange(rows),):
            weights *= _counts(rng, count, int(codes.max()) + 1)[:, codes]
        # Units that do not cross may leave nothing: such a draw says nothing.
        yield weights[weights.any(axis=1)]


def measure_draws(ranking: Ranking, rows: int, resampling: Resampling) -> Draws:
    """Each figure under every resample."""
    parts = [ranking.measure(weights) for weights in draw_weights(rows, resampling)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def measure_with_intervals(ranking: Ranking, rows: int, resampling: Resampling) -> dict[str, Figure]:
    """Every figure of the rows as they are, with the interval of the resamples."""
    values = ranking.measure(np.ones((1, rows)))
    draws = measure_draws(ranking, rows, resampling)
    return {name: Figure(float(values[name][0]), *interval(draws[name])) for name in values}


def interval(draws: NDArray[np.float64]) -> tuple[float, float]:
    """The middle 95 % of the draws that say something.

    Raises:
        ConfigError: none does.
    """
    known = draws[~np.isnan(draws)]
    if len(known) == 0:
        raise ConfigError("too few independent rows for an interval: no resample holds both classes; add rows")
    low, high = np.percentile(known, [TAIL_PERCENT, 100 - TAIL_PERCENT])
    return float(low), float(high)


def _counts(rng: np.random.Generator, count: int, levels: int) -> NDArray[np.float64]:
    """(B, K): how often each of K units was drawn in K draws."""
    drawn = rng.integers(levels, size=(count, levels)) + np.arange(count)[:, None] * levels
    return np.bincount(drawn.ravel(), minlength=count * levels).reshape(count, levels).astype(np.float64)
