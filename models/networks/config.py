"""What every config of the own networks holds beside its sizes: labels, calibration, thresholds, version."""

from typing import Any

from transformers import PretrainedConfig


class OwnConfig(PretrainedConfig):  # type: ignore[no-untyped-call]  # transformers' hook has no types
    """A config of one of the own networks.

    Attributes:
        calibration_temperature: the logit of harm is divided by it, after calibration_bias is added.
        thresholds: per label, where validation would cut; a policy decides.
        clipwarden_version: what the checkpoint calls itself in every verdict.
    """

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 - transformers' own signature
        self.calibration_temperature: float = kwargs.pop("calibration_temperature", 1.0)
        self.calibration_bias: float = kwargs.pop("calibration_bias", 0.0)
        self.thresholds: dict[str, float] = kwargs.pop("thresholds", {})
        self.clipwarden_version: str = kwargs.pop("clipwarden_version", "-")
        super().__init__(**kwargs)

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the probabilities, in their order."""
        return tuple(str(name) for name in (self.id2label or {}).values())
