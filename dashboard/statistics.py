"""Counts → rates with intervals, percentiles of counted waits, differences: the arithmetic of analytics. Pure."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

Z_95 = 1.959964
"""The normal quantile of a two-sided 95 % interval."""


@dataclass(frozen=True)
class Rate:
    """A share with its 95 % Wilson interval, all in [0, 1].

    Attributes:
        hits: of `of`.
        low: the lower bound, which ranks: 1 of 1 proves little.
    """

    hits: int
    of: int
    value: float
    low: float
    high: float


def wilson(hits: int, of: int) -> Rate | None:
    """The share of hits with its interval; None where there is nothing to be a share of.

    Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927).
    """
    if of <= 0:
        return None
    share, z2 = hits / of, Z_95 * Z_95
    centre = share + z2 / (2 * of)
    half = Z_95 * math.sqrt(share * (1 - share) / of + z2 / (4 * of * of))
    low, high = ((centre + sign * half) / (1 + z2 / of) for sign in (-1, 1))
    # Rounding must not put the share outside its own interval.
    return Rate(hits, of, share, min(max(0.0, low), share), max(min(1.0, high), share))


def percentile(counted: Iterable[tuple[float, int]], share: float) -> float | None:
    """The smallest value that at least this share of the counted ones do not exceed (nearest rank)."""
    ordered = sorted((value, times) for value, times in counted if times > 0)
    rank = math.ceil(share * sum(times for _, times in ordered))
    reached = 0
    for value, times in ordered:
        reached += times
        if reached >= rank:
            return value
    return None


def change(now: float | None, before: float | None) -> float | None:
    """By which part of what was it grew: 0.5 is half as much again; None where nothing can be compared."""
    if now is None or not before:
        return None
    return now / before - 1


def mean(total: float | None, number: int) -> float | None:
    """The mean of so many values; None of none."""
    return total / number if total is not None and number else None
