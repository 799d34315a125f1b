"""The model registry: runs, versions, aliases and downloads. The only importer of MLflow on the path.

Names `text`, `video`, `fusion`; aliases `champion` (decides) and `challenger` (the newest candidate). A version is a
flat folder of safetensors and text files, known by its digests; what these do not vouch for is refused.
"""

import math
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.errors import ConfigError, ModelRefused, RegistryUnavailable
from core.labels import Modality
from core.settings import MlflowSettings, configure_library
from models.artifacts import check_folder, check_names
from models.gates import Measured

CHAMPION, CHALLENGER = "champion", "challenger"
NOBODY = "-"
"""Before the first champion: what the product brings or `serving.models_dir` holds."""

_FOLDER = "model"
_WEIGHTS, _FILES, _GATE_DATA, _BEFORE = "sha256", "files_sha256", "gate_data_sha256", "promoted_over"
_NOT_THERE = "RESOURCE_DOES_NOT_EXIST"
_EXISTS = "RESOURCE_ALREADY_EXISTS"


@dataclass(frozen=True)
class Run:
    """How a model came to be.

    Attributes:
        parameters: hyperparameters; any value that prints.
        figures: `split.figure` → value, e.g. {"gate.macro_f1": 0.81}.
        curves: figure → value per epoch.
        data_sha256: of the data it was trained on; `gate_data_sha256` of the gate split.
    """

    parameters: Mapping[str, object] = field(default_factory=dict)
    figures: Mapping[str, float] = field(default_factory=dict)
    curves: Mapping[str, Sequence[float]] = field(default_factory=dict)
    data_sha256: str = ""
    gate_data_sha256: str = ""
    git_commit: str = ""


@dataclass(frozen=True)
class Version:
    """One registered version; `str` of it names it in every verdict: `text:3`."""

    modality: Modality
    number: int
    run_id: str
    created_at: datetime
    weights_sha256: str
    files_sha256: str
    measured: Measured
    tags: Mapping[str, str] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.modality}:{self.number}"

    @property
    def folder_name(self) -> str:
        """Of its local copy: numbers repeat in another registry, digests do not."""
        return f"{self.number}-{self.files_sha256[:12]}"


class Registry:
    """One MLflow tracking server, over HTTP (or `sqlite:///` where the whole of MLflow is installed).

    Every method raises RegistryUnavailable when it does not answer.

    Args:
        settings: its address, how long to wait for an answer, the largest model.

    Raises:
        ConfigError: no address.
    """

    def __init__(self, settings: MlflowSettings) -> None:
        if not settings.tracking_uri:
            raise ConfigError("no registry: set CLIPWARDEN_MLFLOW__TRACKING_URI, or start one with: clipwarden up")
        self._uri = settings.tracking_uri
        self._max_bytes = settings.max_model_bytes
        self._client = _client(settings)

    def register(self, folder: Path, *, modality: Modality, run: Run) -> Version:
        """Log a run with the folder's files as its artifacts, make a version of it, and point `challenger` at it.

        Raises:
            ModelRefused: the folder holds more than a model.
        """
        digests = check_folder(folder, max_bytes=self._max_bytes)
        tags = {_WEIGHTS: digests.weights, _FILES: digests.files, _GATE_DATA: run.gate_data_sha256}
        with self._answering():
            run_id = self._log(folder, modality, run)
            self._create_model(modality)
            source = f"runs:/{run_id}/{_FOLDER}"
            made = self._client.create_model_version(modality.value, source, run_id=run_id, tags=tags)
            self._client.set_registered_model_alias(modality.value, CHALLENGER, str(made.version))
        return self.version(modality, int(made.version))

    def versions(self, modality: Modality) -> list[Version]:
        """All of a model, the newest first."""
        with self._answering():
            found = self._client.search_model_versions(f"name='{modality.value}'")
        numbers = sorted((int(version.version) for version in found), reverse=True)
        return [self.version(modality, number) for number in numbers]

    def version(self, modality: Modality, number: int) -> Version:
        """One version with its figures.

        Raises:
            ConfigError: there is no such version.
        """
        with self._answering(f"there is no {modality.value} {number} in the registry; see: clipwarden models list"):
            found = self._client.get_model_version(modality.value, str(number))
            aliases = self.aliases(modality)
            figures = dict(self._client.get_run(found.run_id).data.metrics) if found.run_id else {}
        tags = dict(found.tags)
        return Version(
            modality=modality,
            number=number,
            run_id=found.run_id or "",
            created_at=datetime.fromtimestamp(found.creation_timestamp / 1e3, UTC),
            weights_sha256=tags.get(_WEIGHTS, ""),
            files_sha256=tags.get(_FILES, ""),
            measured=Measured(figures, tags.get(_GATE_DATA, "")),
            tags=tags,
            aliases=tuple(sorted(alias for alias, of in aliases.items() if of == number)),
        )

    def aliases(self, modality: Modality) -> dict[str, int]:
        """Alias → version number; empty when nothing is registered under that name."""
        with self._answering():
            try:
                found = self._client.get_registered_model(modality.value).aliases
            except _mlflow_error() as error:
                if error.error_code == _NOT_THERE:
                    return {}
                raise
        return {alias: int(number) for alias, number in found.items()}

    def champion(self, modality: Modality) -> Version | None:
        """The version that decides; None where there is none yet."""
        number = self.aliases(modality).get(CHAMPION)
        return None if number is None else self.version(modality, number)

    def promote(self, version: Version) -> None:
        """Make a version the champion and remember the one before; whoever calls has asked the gates."""
        name, before = version.modality.value, self.aliases(version.modality)
        if before.get(CHAMPION) == version.number:
            return
        with self._answering():
            over = str(before.get(CHAMPION, NOBODY))
            self._client.set_model_version_tag(name, str(version.number), _BEFORE, over)
            self._client.set_registered_model_alias(name, CHAMPION, str(version.number))
            if before.get(CHALLENGER) == version.number:
                self._client.delete_registered_model_alias(name, CHALLENGER)

    def roll_back(self, modality: Modality) -> int | None:
        """Make the champion before this one champion again; returns its number, None for the product's own model.

        Raises:
            ConfigError: there is no champion.
        """
        champion = self.champion(modality)
        if champion is None:
            raise ConfigError(f"{modality.value} has no champion to roll back from; see: clipwarden models list")
        before = champion.tags.get(_BEFORE, NOBODY)
        with self._answering():
            if before == NOBODY:
                self._client.delete_registered_model_alias(modality.value, CHAMPION)
                return None
            self._client.set_registered_model_alias(modality.value, CHAMPION, before)
        return int(before)

    def note(self, version: Version, key: str, text: str) -> None:
        """Add a line to a version's record, e.g. a look at its gate."""
        lines = [line for line in (version.tags.get(key, ""), text) if line]
        with self._answering():
            self._client.set_model_version_tag(
                version.modality.value, str(version.number), key, "\n".join(lines)[-4000:]
            )

    def fetch(self, version: Version, cache: Path) -> Path:
        """The version's folder under `cache`, checked against its digests also when it lay there already.

        Raises:
            ModelRefused: it has no digests, holds what no model holds, or is not what was registered.
        """
        if not (version.weights_sha256 and version.files_sha256 and version.run_id):
            raise ModelRefused(f"{version} has no digests; register it with: clipwarden models register")
        folder = cache / version.modality.value / version.folder_name
        if folder.is_dir():
            with suppress(ModelRefused):
                self._verify(folder, version)
                return folder
            shutil.rmtree(folder)
        self._download(version, folder)
        return folder

    def _verify(self, folder: Path, version: Version) -> None:
        digests = check_folder(folder, max_bytes=self._max_bytes)
        if digests.weights != version.weights_sha256:
            raise ModelRefused(f"{version}: its weights' sha256 is {digests.weights}, not {version.weights_sha256}")
        if digests.files != version.files_sha256:
            raise ModelRefused(f"{version}: its files are not those that were registered")

    def _download(self, version: Version, folder: Path) -> None:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder.parent) as partial:
            with self._answering():
                # Of the run and not of the version's source, which may name any address.
                listed = self._client.list_artifacts(version.run_id, _FOLDER)
                sizes = {
                    f"{file.path.removeprefix(_FOLDER)[1:]}{'/' * file.is_dir}": file.file_size or 0 for file in listed
                }
                check_names(sizes, max_bytes=self._max_bytes, of=str(version))
                whole = Path(self._client.download_artifacts(version.run_id, _FOLDER, partial))
            self._verify(whole, version)
            # Another worker of this host may have been faster.
            if not folder.is_dir():
                whole.rename(folder)

    def _log(self, folder: Path, modality: Modality, run: Run) -> str:
        tags = {"data_sha256": run.data_sha256, "git_commit": run.git_commit, "modality": modality.value}
        experiment = self._experiment(f"clipwarden-{modality.value}")
        run_id = str(self._client.create_run(experiment, tags=tags).info.run_id)
        for name, value in run.parameters.items():
            self._client.log_param(run_id, name, str(value)[:500])
        for name, value in run.figures.items():
            if math.isfinite(value):
                self._client.log_metric(run_id, name, value)
        for name, values in run.curves.items():
            for step, value in enumerate(values):
                self._client.log_metric(run_id, name, value, step=step)
        self._client.log_artifacts(run_id, str(folder), _FOLDER)
        self._client.set_terminated(run_id)
        return run_id

    def _experiment(self, name: str) -> str:
        found = self._client.get_experiment_by_name(name)
        return str(found.experiment_id if found is not None else self._client.create_experiment(name))

    def _create_model(self, modality: Modality) -> None:
        try:
            self._client.create_registered_model(modality.value)
        except _mlflow_error() as error:
            if error.error_code != _EXISTS:
                raise

    @contextmanager
    def _answering(self, absent: str = "") -> Iterator[None]:
        try:
            yield
        except _mlflow_error() as error:
            if absent and error.error_code == _NOT_THERE:
                raise ConfigError(absent) from error
            raise self._unavailable(error) from error
        except OSError as error:
            # Of the HTTP client, whose errors are OSErrors, and of the disk.
            raise self._unavailable(error) from error

    def _unavailable(self, error: Exception) -> RegistryUnavailable:
        # The HTTP client repeats itself after this: address, port, path and the names of its own classes.
        reason = " ".join(str(error).split()).partition(" failed with exception")[0]
        return RegistryUnavailable(f"{self._uri}: {reason[:200]}")


def _client(settings: MlflowSettings) -> Any:  # noqa: ANN401 - MLflow's client has no types
    configure_library(
        {
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "DO_NOT_TRACK": "true",
            "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
            "MLFLOW_HTTP_REQUEST_TIMEOUT": str(settings.request_timeout_s),
            "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
            "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
            "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
            "MLFLOW_LOGGING_LEVEL": "ERROR",
        }
    )
    from mlflow import MlflowClient  # noqa: PLC0415 - it reads these variables at import, and takes seconds

    return MlflowClient(settings.tracking_uri, settings.tracking_uri)


def _mlflow_error() -> Any:  # noqa: ANN401 - the class, known once MLflow is imported
    from mlflow.exceptions import MlflowException  # noqa: PLC0415 - see above

    return MlflowException
