"""The same figures by language, source, length, category or tested function: where a model is weak."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from models.evaluation.bootstrap import Resampling, measure_with_intervals
from models.evaluation.calibration import wilson
from models.evaluation.figures import Answers, Figure, Ranking

Slicing = Mapping[str, NDArray[np.str_]]
"""Kind of slice, e.g. `language` → (N,) each row's name in it."""


@dataclass(frozen=True)
class Slice:
    """Some rows of a set.

    Attributes:
        accuracy: share of right decisions, with its Wilson interval; where all rows are harmful it is their recall.
        macro_f1: None, as is `ap`, where the slice holds one class only.
    """

    kind: str
    name: str
    n: int
    harmful: int
    accuracy: Figure
    macro_f1: Figure | None
    ap: Figure | None


def measure_slices(
    truth: NDArray[np.bool_], answers: Answers, slicing: Slicing, *, resampling: Resampling
) -> tuple[Slice, ...]:
    """Every slice of every kind, by kind and then by size."""
    return tuple(
        part
        for kind, names in slicing.items()
        for part in sorted(
            (_slice(kind, str(name), names == name, (truth, answers, resampling)) for name in np.unique(names)),
            key=lambda part: (-part.n, part.name),
        )
    )


def length_buckets(lengths: NDArray[np.floating], edges: tuple[float, ...], unit: str) -> NDArray[np.str_]:
    """Each row's bucket, e.g. `21-50 characters`: the edges are the last lengths of all buckets but the longest."""
    names = [f"up to {edges[0]:g} {unit}"]
    names += [f"over {low:g} to {high:g} {unit}" for low, high in pairwise(edges)]
    names.append(f"over {edges[-1]:g} {unit}")
    return np.array(names)[np.searchsorted(edges, lengths, side="left")]


def _slice(kind: str, name: str, mask: NDArray[np.bool_], of: tuple[NDArray[np.bool_], Answers, Resampling]) -> Slice:
    truth, answers, resampling = of
    part = Answers(answers.probabilities[mask], answers.threshold)
    own, n = truth[mask], int(mask.sum())
    right = int(((part.probabilities >= part.threshold) == own).sum())
    figures: Mapping[str, Figure] = {}
    if 0 < own.sum() < n:
        figures = measure_with_intervals(Ranking(own, part), n, resampling.of(mask))
    accuracy = Figure(right / n, *wilson(right, n))
    return Slice(kind, name, n, int(own.sum()), accuracy, figures.get("macro_f1"), figures.get("ap"))
