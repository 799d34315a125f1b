"""What a look is asked for and finds, and whether that is reason to train. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from core.labels import Modality
from core.settings import RetrainingSettings
from models.registry import Version


@dataclass(frozen=True)
class Look:
    """What was found.

    Attributes:
        model: what serves, e.g. `text:3`.
        labels: human labels since the last training.
        drift: feature → PSI; empty where it cannot be told, `untold` says why.
    """

    model: str
    labels: int
    drift: Mapping[str, float] = field(default_factory=dict)
    untold: str = ""


@dataclass(frozen=True)
class Asked:
    """What a look was asked for.

    Attributes:
        labels: a file of labelled captions, instead of the moderators' decisions.
        forced: train whatever is found.
    """

    modality: Modality
    data: Path
    labels: Path | None = None
    forced: bool = False


@dataclass(frozen=True)
class Outcome:
    """What came of a look; `version` is the new challenger, None where nothing was trained."""

    line: str
    look: Look | None = None
    version: Version | None = None


@dataclass(frozen=True)
class Decision:
    """Whether to train, and why or why not, on one line."""

    trains: bool
    line: str


def decide(look: Look, settings: RetrainingSettings, *, now: datetime, last: datetime | None, forced: bool) -> Decision:
    """Train when asked to, on enough new labels, or on drift; on drift once in `window_days`.

    A training does not end the drift, a promotion does: without the pause every look in between would train.

    Args:
        look: what was found.
        settings: the limits.
        now: of the look.
        last: when a model was last trained by this loop.
        forced: somebody asked for it.
    """
    labels = f"{look.labels} new labels, {settings.min_new_labels} train"
    drift = _drift(look, settings)
    line = f"{labels}; {drift}"
    if forced:
        return Decision(trains=True, line=f"asked to; {line}")
    if look.labels >= settings.min_new_labels:
        return Decision(trains=True, line=line)
    if not look.drift or max(look.drift.values()) < settings.psi_limit:
        return Decision(trains=False, line=line)
    pause = timedelta(days=settings.window_days)
    if last is not None and now < last + pause:
        return Decision(trains=False, line=f"{line}; for drift again from {last + pause:%Y-%m-%d %H:%M} on")
    return Decision(trains=True, line=line)


def _drift(look: Look, settings: RetrainingSettings) -> str:
    if not look.drift:
        return f"drift of {look.model} not known: {look.untold}"
    found = ", ".join(f"{name} {value:.3f}" for name, value in sorted(look.drift.items()))
    return f"PSI of {look.model}: {found}; {settings.psi_limit:g} trains"
