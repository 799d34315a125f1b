"""Everything measured of one model, as `evaluation.json` holds it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from core.errors import ConfigError
from core.labels import Modality
from models.evaluation.compare import Comparison
from models.evaluation.evaluate import Evaluation

FILE_NAME = "evaluation.json"


@dataclass(frozen=True)
class Rival:
    """What the model is compared with on one of its sets: a champion, or for fusion a simpler way to decide.

    Attributes:
        on: the set's name.
        comparison: the model less the rival.
    """

    name: str
    on: str
    evaluation: Evaluation
    comparison: Comparison


@dataclass(frozen=True)
class Check:
    """A condition the figures must meet."""

    name: str
    value: float
    at_least: float

    @property
    def passed(self) -> bool:
        """Whether they do."""
        return self.value >= self.at_least


@dataclass(frozen=True)
class Measured:
    """What evaluating one modality brings to its report; see `Report`."""

    sets: Mapping[str, Evaluation]
    data_sha256: str
    rivals: tuple[Rival, ...] = ()
    checks: tuple[Check, ...] = ()
    cross_validation: Evaluation | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """One model's evaluation.

    Attributes:
        model: as in `model_version`, e.g. `text:starter-1`; `fingerprint`: of its weights.
        data_sha256: of the main set's rows and labels: figures compare only where it is the same.
        sets: name → what was measured there; the first is the main one.
        cross_validation: of the training recipe, on rows whose group the scoring head had not seen; None where the
            model's training has none. It is no figure of the saved weights.
        notes: what a reader must know to read the figures, one sentence each.
    """

    model: str
    modality: Modality
    fingerprint: str
    threshold: float
    temperature: float
    bias: float
    split: str
    data_sha256: str
    evaluated_at: datetime
    sets: Mapping[str, Evaluation]
    rivals: tuple[Rival, ...] = ()
    checks: tuple[Check, ...] = ()
    cross_validation: Evaluation | None = None
    notes: tuple[str, ...] = ()

    @property
    def main(self) -> Evaluation:
        """What was measured on the main set."""
        return next(iter(self.sets.values()))

    def to_json(self) -> str:
        """One JSON object, on one line."""
        return _JSON.dump_json(self).decode()

    @staticmethod
    def from_json(text: str | bytes) -> "Report":
        """What `to_json` wrote.

        Raises:
            ConfigError: it is something else.
        """
        try:
            return _JSON.validate_json(text)
        except ValidationError as error:
            raise ConfigError(f"no evaluation report ({error.error_count()} faults in it); evaluate again") from error


_JSON = TypeAdapter(Report)


def read_report(folder: Path) -> Report:
    """The report of a folder that `clipwarden models evaluate` wrote.

    Raises:
        ConfigError: there is none.
    """
    try:
        return Report.from_json((folder / FILE_NAME).read_bytes())
    except OSError as error:
        raise ConfigError(f"{folder} holds no {FILE_NAME}; write one with: clipwarden models evaluate") from error
