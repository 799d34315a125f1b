"""Samples → the figures of a row, each beside its target. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


def percentile(samples_s: Sequence[float], share: int) -> float | None:
    """Rounded to milliseconds; None without samples."""
    return round(float(np.percentile(samples_s, share)), 3) if samples_s else None


@dataclass(frozen=True)
class Target:
    """At most so many seconds, for the 95th of 100."""

    name: str
    p95_s: float

    def row(self, samples_s: Sequence[float]) -> dict[str, Any]:
        """Percentiles, and whether they hold; None where nothing was measured."""
        p95_s = percentile(samples_s, 95)
        return {
            "samples": len(samples_s),
            "p50_s": percentile(samples_s, 50),
            "p95_s": p95_s,
            "max_s": round(max(samples_s), 3) if samples_s else None,
            "target_s": self.p95_s,
            "is_met": p95_s is not None and p95_s <= self.p95_s,
        }


SERVER = Target("server time", 1.0)
PAINT = Target("first paint", 2.0)
CROWD_SERVER = Target("server time, in a crowd", 2.0)
CROWD_PAINT = Target("first paint, in a crowd", 2.0)
ALERT = Target("event to alert", 2.0)
