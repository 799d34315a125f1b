"""Settings: `CLIPWARDEN_SECTION__FIELD`, one frozen section per dependency, built once per process."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from core.cores import decoder_children, usable_cores, worker_threads
from core.errors import ConfigError
from core.media.protocol import Backend
from core.settings_gateway import GatewaySettings
from core.settings_ingestion import IngestionSettings
from core.settings_operations import OperationsSettings
from core.settings_reporting import ReportingSettings
from core.settings_routing import RoutingSettings
from core.settings_section import Names, Section
from core.settings_sign_in import SignInSettings

PREFIX = "CLIPWARDEN_"
OUTSIDE_SETTINGS = frozenset({"CLIPWARDEN_DEMO_DATA", "CLIPWARDEN_TEST_OUTAGE_S", "CLIPWARDEN_TEST_TIMESCALE_DSN"})
"""Variables of the demo and the tests; every other CLIPWARDEN_* must be a field below."""


def _one_of_all(share: str) -> str:
    index, count = (int(part) for part in share.split("/"))
    if index >= count:
        raise ValueError(f"{share} is no share: give 0/N to N-1/N for N processes, 0/1 for a single one")
    return share


class KafkaSettings(Section):
    """Broker of the event topics."""

    brokers: str = "127.0.0.1:9092"
    group: str = "clipwarden-moderation"
    request_timeout_s: float = Field(default=30.0, gt=0)
    fetch_wait_max_ms: int = Field(default=50, gt=0)


class StoreSettings(Section):
    """PostgreSQL, with TimescaleDB where the extension is there."""

    dsn: SecretStr = SecretStr("postgresql://clipwarden@127.0.0.1:5432/clipwarden")
    pool_max: int = Field(default=4, ge=1, le=64)
    retention_days: int = Field(default=90, ge=1)


class RedisSettings(Section):
    """Live view, pub/sub and heartbeats."""

    url: SecretStr = SecretStr("redis://127.0.0.1:6379/0")
    live_size: int = Field(default=500, ge=10, le=10_000)
    live_ttl_s: int = Field(default=7 * 86_400, gt=0)


class MediaSettings(Section):
    """S3 (MinIO) objects."""

    endpoint: str = "127.0.0.1:9000"
    access_key: str = "clipwarden"
    secret_key: SecretStr = SecretStr("")
    secure: bool = False
    region: str = "us-east-1"
    bucket: str = "clipwarden-media"
    allowed_buckets: Names = ("clipwarden-media",)
    public_endpoint: str | None = None
    presign_expiry_s: int = Field(default=300, gt=0, le=86_400)
    dead_letters_bucket: str = "clipwarden-dead"


class DecodeSettings(Section):
    """The cage: what one video may cost.

    A post that waited `cheap_after_s` for a decoder is decoded by its key frames where that is cheaper, and so is
    every post after it until one waits a quarter of that; 0 does so always, `inf` never.
    """

    backend: Backend = Backend.PYAV
    children: int = Field(default=decoder_children(usable_cores()), ge=1, le=256)
    cheap_after_s: float = Field(default=5.0, ge=0)
    wall_limit_s: float = Field(default=15.0, gt=0)
    cpu_limit_s: int = Field(default=12, gt=0)
    memory_limit_bytes: int = Field(default=1_500_000_000, gt=100_000_000)
    max_bytes: int = Field(default=200_000_000, gt=0)
    max_pixels: int = Field(default=4096 * 2304, gt=0)
    max_duration_s: float = Field(default=600.0, gt=0)
    min_distinct_frames: int = Field(default=8, ge=1)


class FlowSettings(Section):
    """One scoring process.

    `window` is how many records it may hold unwritten, which a crash makes it read again; `window_bytes` how large they
    may be together, as they lie on the topic, which bounds its memory whatever is sent.
    """

    share: Annotated[str, Field(pattern=r"^\d+/\d+$"), AfterValidator(_one_of_all)] = "0/1"
    window: int = Field(default=2048, ge=8, le=100_000)
    window_bytes: int = Field(default=64 * 1024 * 1024, ge=1024 * 1024)
    state_dir: Path = Path(".clipwarden/flow")
    policy_file: Path | None = None
    http_port: int = Field(default=0, ge=0, le=65_535)
    max_ahead_h: float = Field(default=24.0, gt=0)

    @property
    def share_index(self) -> int:
        """This process's place among the shares, from 0."""
        return int(self.share.split("/")[0])

    @property
    def share_count(self) -> int:
        """How many processes share the partitions."""
        return int(self.share.split("/")[1])


class InferenceSettings(Section):
    """How a flow reaches the inference workers; each request goes to the one with the least to do.

    The two `curve_` files are needed as soon as an endpoint is on a network: the flow's own secret key, and the public
    key that all workers share (`clipwarden keys make`).
    """

    endpoints: Names = Field(default=("ipc:///tmp/clipwarden-worker.sock",), min_length=1)
    slots: int = Field(default=32, ge=1, le=4096)
    deadline_s: float = Field(default=20.0, gt=0)
    attempts: int = Field(default=3, ge=1)
    curve_key_file: Path | None = None
    curve_worker_key_file: Path | None = None


class ServingSettings(Section):
    """The inference worker.

    `shadow_share` of the posts is also scored by the registry's challengers, after their answers; flows choose them and
    workers load the challengers, so both read it. 0 loads and sends nothing.

    `curve_key_file` (the worker's secret key) and `curve_clients_dir` (the public keys of those it answers) are needed
    as soon as `bind` leaves loopback (`clipwarden keys make`).
    """

    bind: str = "ipc:///tmp/clipwarden-worker.sock"
    curve_key_file: Path | None = None
    curve_clients_dir: Path | None = None
    models_dir: Path | None = None
    device: str = Field(default="auto", pattern=r"^(auto|cpu|cuda(:\d+)?)$")
    precision: str = Field(default="auto", pattern=r"^(auto|fp32|bf16)$")
    threads: int = Field(default=worker_threads(usable_cores()), ge=1, le=256)
    max_batch: int = Field(default=16, ge=1, le=256)
    max_wait_ms: float = Field(default=4.0, ge=0)
    max_queue: int = Field(default=512, ge=1)
    shadow_share: float = Field(default=0.05, ge=0, le=1)
    http_port: int = Field(default=0, ge=0, le=65_535)


class DashboardSettings(Section):
    """The console; `logs_dir` is where it finds the processes' logs, without one it says which command shows them."""

    refresh_s: float = Field(default=1.0, ge=0.2)
    banner: str = ""
    logs_dir: Path | None = None


class MlflowSettings(Section):
    """The model registry; without an address the worker serves `serving.models_dir` or the bundled starter models."""

    tracking_uri: str = ""
    poll_s: float = Field(default=900.0, gt=0)
    request_timeout_s: int = Field(default=10, gt=0)
    cache_dir: Path = Path(".clipwarden/models")
    max_model_bytes: int = Field(default=4_000_000_000, gt=0)


class RetrainingSettings(Section):
    """When a model is trained again: enough new human labels, or drift past `psi_limit` (0.2 is the convention).

    Drift compares the last `window_days` with the first `reference_days` the model served, both of `min_drift_videos`
    at least.
    """

    work_dir: Path = Path(".clipwarden/retraining")
    min_new_labels: int = Field(default=500, ge=1)
    psi_limit: float = Field(default=0.2, gt=0)
    reference_days: int = Field(default=7, ge=1)
    window_days: int = Field(default=7, ge=1)
    min_drift_videos: int = Field(default=500, ge=100)


class HubSettings(Section):
    """A model hub to push to; without an endpoint, the one its client library names."""

    endpoint: str = ""
    token: SecretStr = SecretStr("")
    request_timeout_s: float = Field(default=60.0, gt=0)


class TelemetrySettings(Section):
    """Logs and heartbeats."""

    log_level: str = Field(default="info", pattern=r"^(debug|info|warning|error)$")
    log_json: bool = False
    heartbeat_s: float = Field(default=2.0, gt=0)
    heartbeat_ttl_s: int = Field(default=10, gt=0)


class Settings(BaseSettings):
    """All settings of a process."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        frozen=True,
        extra="forbid",
        nested_model_default_partial_update=True,
    )

    kafka: KafkaSettings = KafkaSettings()
    store: StoreSettings = StoreSettings()
    redis: RedisSettings = RedisSettings()
    media: MediaSettings = MediaSettings()
    ingestion: IngestionSettings = IngestionSettings()
    gateway: GatewaySettings = GatewaySettings()
    decode: DecodeSettings = DecodeSettings()
    flow: FlowSettings = FlowSettings()
    inference: InferenceSettings = InferenceSettings()
    serving: ServingSettings = ServingSettings()
    dashboard: DashboardSettings = DashboardSettings()
    operations: OperationsSettings = OperationsSettings()
    reporting: ReportingSettings = ReportingSettings()
    routing: RoutingSettings = RoutingSettings()
    sign_in: SignInSettings = SignInSettings()
    mlflow: MlflowSettings = MlflowSettings()
    retraining: RetrainingSettings = RetrainingSettings()
    hub: HubSettings = HubSettings()
    telemetry: TelemetrySettings = TelemetrySettings()

    @classmethod
    def load(cls) -> Self:
        """Read the environment.

        Raises:
            ConfigError: a CLIPWARDEN_* variable names no field, or a value is out of bounds.
        """
        _refuse_unknown(cls, os.environ)
        try:
            return cls()
        except ValidationError as error:
            first = error.errors()[0]
            name = PREFIX + "__".join(str(part) for part in first["loc"]).upper()
            reason = first["msg"].removeprefix("Value error, ")
            message = f"{name}: {reason}; correct or unset it (docs/settings.md lists all settings)"
            raise ConfigError(message) from error


def _refuse_unknown(settings: type[Settings], environ: "os._Environ[str]") -> None:
    known = {variable for variable, _, _ in settings_table(settings)} | OUTSIDE_SETTINGS
    for name in sorted(environ):
        if name.upper().startswith(PREFIX) and name.upper() not in known:
            near = _nearest(name.upper(), known)
            message = f"{name} is no setting of Clipwarden; did you mean {near}? (docs/settings.md lists all settings)"
            raise ConfigError(message)


def _nearest(name: str, known: set[str]) -> str:
    import difflib  # noqa: PLC0415 - only a misspelt variable pays for it

    return (difflib.get_close_matches(name, known, n=1, cutoff=0.0) or ["none"])[0]


def settings_table(settings: type[Settings] = Settings) -> list[tuple[str, str, str]]:
    """Every setting as (variable, type, default), for docs and for refusing unknown variables."""
    rows = []
    for section_name, section in settings.model_fields.items():
        section_type = section.annotation
        if not (isinstance(section_type, type) and issubclass(section_type, BaseModel)):
            continue
        for field_name, field in section_type.model_fields.items():
            variable = f"{PREFIX}{section_name}__{field_name}".upper()
            rows.append((variable, _type_name(field.annotation), str(field.default)))
    return rows


def _type_name(annotation: object) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation).replace("typing.", "")


def configure_library(variables: Mapping[str, str]) -> None:
    """Set what a library reads from the environment and nowhere else; to be called before it is imported."""
    os.environ.update(variables)


def process_environment() -> dict[str, str]:
    """A copy of this process's environment, for starting another process with it."""
    return dict(os.environ)
