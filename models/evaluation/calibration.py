"""Whether a probability of 0.7 is right seven times in ten: expected calibration error, its floor, the bins."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BINS = 15
_SIMULATIONS = 400
_CELLS = 2_000_000
_Z = 1.959964
"""Standard normal, 97.5 %."""


@dataclass(frozen=True)
class Bin:
    """Rows of like probability: what was said, what was true, and the 95 % Wilson interval of the latter."""

    n: int
    probability: float
    harmful_share: float
    low: float
    high: float


@dataclass(frozen=True)
class Calibration:
    """Probabilities against truth.

    Attributes:
        ece: expected calibration error: rows sorted by probability are cut into BINS bins of equal count (equal
            probabilities are never parted); the mean over rows of |mean probability - harmful share| of their bin.
        perfect_ece: the median ECE of as many rows with these very probabilities whose labels are drawn from them:
            what chance alone leaves. `perfect_ece_high` is the 95th percentile: an ECE above it is no chance.
    """

    ece: float
    perfect_ece: float
    perfect_ece_high: float
    brier: float
    bins: tuple[Bin, ...]


def calibration(truth: NDArray[np.bool_], probabilities: NDArray[np.float64], *, random_state: int = 7) -> Calibration:
    """Calibration of (N,) probabilities; the simulation is seeded."""
    order = np.argsort(probabilities, kind="stable")
    ranked, sorted_truth = probabilities[order], truth[order].astype(np.float64)
    starts = _bin_starts(ranked)
    said = np.add.reduceat(ranked, starts)
    perfect = _simulate(ranked, starts, np.random.default_rng(random_state))
    return Calibration(
        ece=float(np.abs(said - np.add.reduceat(sorted_truth, starts)).sum() / len(ranked)),
        perfect_ece=float(np.median(perfect)),
        perfect_ece_high=float(np.percentile(perfect, 95)),
        brier=float(np.mean((ranked - sorted_truth) ** 2)),
        bins=_bins(ranked, sorted_truth, starts),
    )


def wilson(hits: float, n: int) -> tuple[float, float]:
    """The 95 % interval of a share; also right for none and for all."""
    share = hits / n
    middle = share + _Z**2 / (2 * n)
    spread = _Z * float(np.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2)))
    whole = 1 + _Z**2 / n
    return max(0.0, (middle - spread) / whole), min(1.0, (middle + spread) / whole)


def _bin_starts(ranked: NDArray[np.float64]) -> NDArray[np.intp]:
    """Where each bin begins in the sorted rows; moved down to the first of equal probabilities."""
    cuts = np.arange(BINS) * len(ranked) // BINS
    return np.unique(np.searchsorted(ranked, ranked[cuts], side="left"))


def _bins(ranked: NDArray[np.float64], truth: NDArray[np.float64], starts: NDArray[np.intp]) -> tuple[Bin, ...]:
    parts = zip(np.split(ranked, starts[1:]), np.split(truth, starts[1:]), strict=True)
    return tuple(
        Bin(len(said), float(said.mean()), float(true.mean()), *wilson(float(true.sum()), len(true)))
        for said, true in parts
    )


def _simulate(ranked: NDArray[np.float64], starts: NDArray[np.intp], rng: np.random.Generator) -> NDArray[np.float64]:
    """ECEs of labels drawn from the probabilities themselves."""
    said = np.add.reduceat(ranked, starts)
    step = max(1, _CELLS // len(ranked))
    parts = []
    for start in range(0, _SIMULATIONS, step):
        count = min(step, _SIMULATIONS - start)
        truth = (rng.random((count, len(ranked))) < ranked).astype(np.float64)
        parts.append(np.abs(said - np.add.reduceat(truth, starts, axis=1)).sum(axis=1) / len(ranked))
    return np.concatenate(parts)
