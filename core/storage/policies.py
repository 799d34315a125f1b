"""The thresholds each policy version had, noted by the flow that decided with it: pages draw them as lines. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Thresholds:
    """One label's: at or above `harmful` it is harmful, from `review` on for a person to judge."""

    harmful: float
    review: float


@dataclass(frozen=True)
class PolicyNote:
    """A policy as pages show it."""

    version: str
    labels: Mapping[str, Thresholds]


def written(policy: PolicyNote) -> dict[str, dict[str, float]]:
    """As the column `labels` holds it."""
    return {name: {"harmful": at.harmful, "review": at.review} for name, at in policy.labels.items()}


def read(labels: Mapping[str, Mapping[str, float]]) -> dict[str, Thresholds]:
    """Back from the column `labels`."""
    return {name: Thresholds(float(at["harmful"]), float(at["review"])) for name, at in labels.items()}
