"""Verdicts in the database → how far a model's scores and inputs have moved since it began to serve."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from core.settings import RetrainingSettings
from models.drift import Reference, drift, reference_of
from operations.retraining.session import Session


@dataclass(frozen=True)
class Drift:
    """Feature → PSI; empty where it cannot be told, `untold` says why."""

    values: dict[str, float]
    untold: str = ""


def observe(session: Session, model: str, settings: RetrainingSettings, *, folder: Path, now: datetime) -> Drift:
    """Hold the last days of a model's verdicts against its first, which are kept in `folder` once they are complete.

    Its own first days and not its validation rows: those have another share of harm than what people post.

    Raises:
        ConfigError: the kept reference is damaged.
        StoreUnavailable: the database does not answer.
    """
    since = now - timedelta(days=settings.window_days)
    path = folder / "reference.json"
    reference = _kept(path, model)
    if reference is None:
        first = session.first_seen(model)
        if first is None:
            return Drift({}, "it has given no verdict yet")
        until = first + timedelta(days=settings.reference_days)
        if until > since:
            return Drift({}, f"it serves since {first:%Y-%m-%d %H:%M}, known from {until + (now - since):%Y-%m-%d} on")
        reference = reference_of(model, session.sample(model, since=first, until=until))
        if reference.n >= settings.min_drift_videos:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(reference.to_json() + "\n", "utf-8")
    sample = session.sample(model, since=since, until=now)
    fewest = min(reference.n, len(sample))
    if fewest < settings.min_drift_videos:
        when = "in its first days" if reference.n == fewest else "in the last days"
        return Drift({}, f"{fewest} videos {when}, {settings.min_drift_videos} needed")
    return Drift(drift(reference, sample))


def _kept(path: Path, model: str) -> Reference | None:
    if not path.is_file():
        return None
    reference = Reference.from_json(path.read_bytes())
    return reference if reference.of == model else None
