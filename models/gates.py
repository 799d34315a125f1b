"""Which model may become champion: figures on the gate split, a bar per model, and the champion's own figure. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.labels import Modality

SPLIT = "gate"
"""Chose neither model nor threshold, and is not the test split."""
FIGURE = "macro_f1"
BARS = {Modality.TEXT: 0.75, Modality.VIDEO: 0.70, Modality.FUSION: 0.80}


@dataclass(frozen=True)
class Measured:
    """What is known of one version.

    Attributes:
        figures: `split.figure` → value, e.g. {"gate.macro_f1": 0.81, "gate.n": 400}.
        data_sha256: of the gate split it was measured on; empty where nobody noted it.
    """

    figures: Mapping[str, float] = field(default_factory=dict)
    data_sha256: str = ""


def failures(modality: Modality, candidate: Measured, champion: Measured | None) -> list[str]:
    """Why the candidate may not become champion, one line each; empty when it may."""
    value = candidate.figures.get(f"{SPLIT}.{FIGURE}")
    if value is None:
        return [f"it has no {FIGURE} on the {SPLIT} split: register it with an evaluation"]
    found = []
    bar = BARS[modality]
    if not value >= bar:
        found.append(f"{FIGURE} on the {SPLIT} split is {value:.4f}, the bar is {bar:.2f}: {bar - value:.4f} short")
    if champion is not None:
        found += _against(candidate, champion, value)
    return found


def _against(candidate: Measured, champion: Measured, value: float) -> list[str]:
    best = champion.figures.get(f"{SPLIT}.{FIGURE}")
    if best is None:
        return []
    if candidate.data_sha256 != champion.data_sha256:
        own, its = (measured.data_sha256[:12] or "unknown" for measured in (candidate, champion))
        return [f"it was measured on gate data {own}, the champion on {its}: register an evaluation on the same data"]
    if not value > best:
        return [f"{FIGURE} on the {SPLIT} split is {value:.4f}, the champion's {best:.4f}: {best - value:.4f} worse"]
    return []
