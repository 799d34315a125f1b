"""The policy file: thresholds, bands, actions and rules as data, versioned and checked against the models' labels."""

import hashlib
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from core.errors import ConfigError
from core.labels import HARMFUL_LABEL, Action, Modality
from core.storage.policies import PolicyNote, Thresholds

BUNDLED = Path(__file__).with_name("policy.yaml")
Probability = Annotated[float, Field(ge=0, le=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LabelPolicy(_Strict):
    """One label's thresholds; `alone` lets a single modality flag by itself."""

    threshold: Probability
    review: Probability
    action: Action = Action.ALERT
    alone: Mapping[Modality, Probability] = {}

    @model_validator(mode="after")
    def _band_lies_below(self) -> Self:
        if self.review > self.threshold:
            raise ValueError(f"review {self.review} lies above threshold {self.threshold}")
        return self


class FusionUse(StrEnum):
    """Whether the fusion model may decide."""

    AUTO = "auto"
    ON = "on"
    OFF = "off"


class Rule(_Strict):
    """Phrases that fire a signal for a label."""

    name: str
    label: str
    phrases: tuple[Annotated[str, Field(pattern=r"\S")], ...] = Field(min_length=1)


class Policy(_Strict):
    """A checked policy file; `version` names it and its content."""

    name: str = Field(pattern=r"^[a-z0-9-]{1,40}$")
    labels: Mapping[str, LabelPolicy]
    fusion: FusionUse = FusionUse.AUTO
    late_score: Mapping[Modality, Annotated[float, Field(gt=0)]]
    label_map: Mapping[str, str] = {}
    teencode: Mapping[str, str] = {}
    rules: tuple[Rule, ...] = ()
    version: str = ""

    @model_validator(mode="after")
    def _labels_are_declared(self) -> Self:
        if HARMFUL_LABEL not in self.labels:
            raise ValueError(f"labels must declare {HARMFUL_LABEL!r}, the largest of the others")
        used = [*self.label_map.values(), *(rule.label for rule in self.rules)]
        unknown = sorted(set(used) - set(self.labels))
        if unknown:
            raise ValueError(f"unknown label {unknown[0]!r}: declare it under labels")
        if missing := sorted({Modality.TEXT, Modality.VIDEO} - set(self.late_score)):
            raise ValueError(f"late_score needs a weight for {missing[0]}")
        return self

    @property
    def facts(self) -> dict[str, str]:
        """For people: from which score on a label is harmful, and from which on a person is to judge."""
        return {name: f"{label.review:.2f} \u2013 {label.threshold:.2f}" for name, label in self.labels.items()}

    @property
    def note(self) -> PolicyNote:
        """What pages show of it."""
        return PolicyNote(
            self.version, {name: Thresholds(label.threshold, label.review) for name, label in self.labels.items()}
        )

    def policy_label(self, model_label: str) -> str:
        """What this policy calls a model's label."""
        return self.label_map.get(model_label, model_label)

    def check_models(self, emitted: Mapping[str, tuple[str, ...]]) -> None:
        """Refuse labels that only one side knows.

        Args:
            emitted: labels per modality, as the models name them.

        Raises:
            ConfigError: a model emits an undeclared label, or a declared label comes from no model.
        """
        known = {self.policy_label(label): modality for modality, labels in emitted.items() for label in labels}
        for label, modality in known.items():
            if label not in self.labels:
                raise ConfigError(
                    f"the {modality} model emits label {label!r}, which the policy does not declare; "
                    "add it under labels, or map it under label_map"
                )
        if silent := sorted(set(self.labels) - set(known) - {HARMFUL_LABEL}):
            raise ConfigError(
                f"the policy declares label {silent[0]!r}, but the models emit only {', '.join(sorted(known))}; "
                "remove the label, or serve a model that emits it"
            )


def parse_policy(content: bytes, *, origin: str) -> Policy:
    """Read a policy file's bytes.

    Raises:
        ConfigError: one line that names the place and the reason.
    """
    try:
        data = yaml.safe_load(content)
        policy = Policy.model_validate(data)
    except yaml.YAMLError as error:
        raise ConfigError(f"{origin}: not YAML ({' '.join(str(error).split())[:160]}); correct the file") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "file"
        raise ConfigError(
            f"{origin}: {where}: {first['msg'].removeprefix('Value error, ')}; correct the file"
        ) from error
    return policy.model_copy(update={"version": f"{policy.name}@{hashlib.sha256(content).hexdigest()[:8]}"})


class PolicyFile:
    """The policy in force; a changed file is read again, a wrong one refused while the old serves on."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or BUNDLED
        self._seen = self._stamp()
        self.policy = self._read()
        self.problem: str | None = None

    def reload_if_changed(self) -> bool:
        """Take a changed file into force; True when the policy in force changed. `problem` says why one was refused."""
        try:
            stamp = self._stamp()
            if stamp == self._seen:
                return False
            self._seen = stamp
            self.policy = self._read()
        except ConfigError as error:
            self.problem = str(error)
            return False
        self.problem = None
        return True

    def _stamp(self) -> tuple[int, int]:
        try:
            stat = self._path.stat()
        except OSError as error:
            raise ConfigError(
                f"{self._path}: {error.strerror}; set CLIPWARDEN_FLOW__POLICY_FILE to a policy"
            ) from error
        return stat.st_mtime_ns, stat.st_size

    def _read(self) -> Policy:
        return parse_policy(self._path.read_bytes(), origin=str(self._path))
