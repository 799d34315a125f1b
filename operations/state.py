"""What one checkout's platform is: folders, ports, secrets, plan and what runs, all under `<root>/.clipwarden`."""

import hashlib
import os
import secrets
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Self

import psutil
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import ConfigError
from core.settings import PREFIX, Settings
from core.topics import VIDEO_POSTED
from operations.reporting_role import reporting_dsn

LOOPBACK = "127.0.0.1"
PORTS_PER_ROOT = 32
FIRST_PORT = 20_000
"""Blocks lie below the ephemeral ports (32768 on): a client that retries a closed port there may connect to itself."""
BLOCKS = (32_000 - FIRST_PORT) // PORTS_PER_ROOT
PORT_OF = {
    "s3": 0,
    "broker": 1,
    "postgres": 2,
    "valkey": 3,
    "mlflow": 4,
    "dashboard": 5,
    "gateway": 6,
    "gateway-http": 7,
    "ingestion": 24,
    "router": 25,
}
FIRST_FLOW_PORT = 8
FIRST_WORKER_PORT = 16
GUARD_PORT = PORTS_PER_ROOT - 1
MAX_FLOWS = VIDEO_POSTED.partitions
MAX_WORKERS = 8
MEDIA_BUCKET = "clipwarden-media"
DEAD_LETTERS_BUCKET = "clipwarden-dead"
DATABASE = "clipwarden"
ACCESS_KEY = "clipwarden"
CREATE_TIME_SLACK_S = 2.0
MARK = "SUPERVISED_FOR_ROOT"
"""In the environment of all that is started for a root: children of children are known by it."""


class Record(BaseModel):
    """One of the files below; written whole, so that a reader never sees half of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """The file's content; None when it is not there.

        Raises:
            ConfigError: it is damaged, or of another version.
        """
        try:
            return cls.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except ValidationError as error:
            message = f"{path} is damaged ({error.error_count()} errors); stop the platform and delete that file"
            raise ConfigError(message) from error

    def write(self, path: Path) -> None:
        """Replace the file in one step, readable by its owner only."""
        partial = path.with_name(f".{path.name}.{os.getpid()}")
        partial.touch(mode=0o600)
        partial.write_text(self.model_dump_json(indent=1), encoding="utf-8")
        partial.replace(path)


class Secrets(Record):
    """Generated once per root; whoever reads the file may do everything."""

    s3: str = Field(default_factory=lambda: secrets.token_hex(20), repr=False)
    postgres: str = Field(default_factory=lambda: secrets.token_hex(20), repr=False)
    valkey: str = Field(default_factory=lambda: secrets.token_hex(20), repr=False)


class Ports(Record):
    """A block of PORTS_PER_ROOT loopback ports."""

    base: int

    def of(self, name: str) -> int:
        """The port of a server or product process, e.g. `s3`, `flow-0`."""
        kind, _, number = name.partition("-")
        first = {"flow": FIRST_FLOW_PORT, "worker": FIRST_WORKER_PORT}.get(kind)
        return self.base + (PORT_OF[name] if first is None else first + int(number or 0))


class Plan(Record):
    """Which processes run beside the servers. The supervisor follows the file while it runs.

    Attributes:
        worker: whether there are inference workers.
        workers: how many, one per GPU.
        flows: scoring processes; a flow beyond the partitions would have none to read.
        banner: what the console says over every page.
        stopped: processes that an operator stopped; they stay so until they are started.
    """

    worker: bool = False
    workers: int = Field(default=1, ge=1, le=MAX_WORKERS)
    flows: int = Field(default=0, ge=0, le=MAX_FLOWS)
    dashboard: bool = False
    ingestion: bool = False
    gateway: bool = False
    router: bool = False
    banner: str = ""
    mlflow: bool = False
    stopped: tuple[str, ...] = ()


class Identity(Record):
    """A process for sure: pids are used again, a pid with its start time is not."""

    pid: int
    created_at_s: float

    @classmethod
    def of(cls, pid: int) -> Self:
        """The living process with this pid."""
        return cls(pid=pid, created_at_s=psutil.Process(pid).create_time())

    def process(self) -> psutil.Process | None:
        """The process, if it still lives."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.created_at_s) < CREATE_TIME_SLACK_S
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None


ProcessState = Literal["waiting", "starting", "ready", "unready", "stopped", "gone"]


class ProcessRecord(Record):
    """What the supervisor knows of one process.

    Attributes:
        state: waiting (for its turn or its back-off), starting (health check not yet passed), ready,
            unready (was ready, health check fails now), stopped; a reader turns it to `gone` when nobody supervises.
        since: when the state was entered.
        detail: why, in a few words.
    """

    name: str
    state: ProcessState
    since: datetime
    port: int = 0
    identity: Identity | None = None
    restarts: int = 0
    detail: str = ""


class RunState(Record):
    """One run of the supervisor. The file outlives a crash, which is how the next run recognises the leftovers."""

    supervisor: Identity
    processes: tuple[ProcessRecord, ...] = ()
    stopped: bool = False

    def supervised(self) -> bool:
        """Whether that supervisor still lives."""
        return self.supervisor.process() is not None

    def leftovers(self) -> list[ProcessRecord]:
        """Processes that outlived their supervisor."""
        if self.supervised():
            return []
        return [record for record in self.processes if record.identity and record.identity.process()]


class Paths:
    """Where everything of one root lies."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.home = self.root / ".clipwarden"
        self.data = self.home / "data"
        self.logs = self.home / "logs"
        self.secrets = self.home / "secrets.json"
        self.ports = self.home / "ports.json"
        self.plan = self.home / "plan.json"
        self.run = self.home / "run.json"
        self.lock = self.home / "lock"
        digest = hashlib.sha256(str(self.root).encode()).hexdigest()
        self.first_block = int(digest[:8], 16) % BLOCKS
        # Socket paths over 107 bytes fail, and a checkout may lie deep: sockets get a short folder of their own.
        self.runtime = Path("/tmp") / f"clipwarden-{digest[:10]}"  # noqa: S108 - owner and mode are checked
        # Where PostgreSQL lives when its unprivileged user may not enter the root.
        self.annex = Path("/var/tmp") / f"clipwarden-{digest[:10]}"  # noqa: S108 - owner and mode are checked

    def create(self) -> None:
        """Make the folders."""
        for folder in (self.home, self.data):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o711)
        self.logs.mkdir(mode=0o700, exist_ok=True)
        own_folder(self.runtime, 0o700)


def own_folder(folder: Path, mode: int) -> None:
    """Make a folder under a place where everybody may write, and be sure that it is ours.

    Raises:
        ConfigError: somebody else made it first.
    """
    folder.mkdir(mode=mode, exist_ok=True)
    if folder.is_symlink() or folder.lstat().st_uid != os.geteuid():
        raise ConfigError(f"{folder} belongs to another user; remove it, or move the checkout to another folder")
    folder.chmod(mode)


class Site:
    """One root with its ports and secrets: the addresses of everything in it."""

    def __init__(self, paths: Paths, ports: Ports, secrets_: Secrets) -> None:
        self.paths = paths
        self.ports = ports
        self.secrets = secrets_

    @classmethod
    def load(cls, root: Path) -> Self:
        """The site as the last supervisor left it.

        Raises:
            ConfigError: nothing was started there yet.
        """
        paths = Paths(root)
        ports, secrets_ = Ports.read(paths.ports), Secrets.read(paths.secrets)
        if ports is None or secrets_ is None:
            raise ConfigError(f"nothing was started in {paths.root} yet; run: clipwarden up")
        return cls(paths, ports, secrets_)

    def address(self, name: str) -> str:
        """host:port of a server or process."""
        return f"{LOOPBACK}:{self.ports.of(name)}"

    def dsn(self, database: str = DATABASE) -> str:
        """Where the product finds PostgreSQL."""
        return f"postgresql://{DATABASE}:{self.secrets.postgres}@{self.address('postgres')}/{database}"

    @property
    def redis_url(self) -> str:
        """Where the product finds Valkey."""
        return f"redis://:{self.secrets.valkey}@{self.address('valkey')}/0"

    def worker_endpoint(self, index: int = 0) -> str:
        """Where flows find an inference worker."""
        return f"ipc://{self.paths.runtime / f'worker-{index}.sock'}"


def environment(site: Site) -> dict[str, str]:
    """The settings with which a process uses this platform, as environment variables."""
    plan = Plan.read(site.paths.plan) or Plan()
    values = {
        "KAFKA__BROKERS": site.address("broker"),
        "STORE__DSN": site.dsn(),
        "REPORTING__DSN": reporting_dsn(site.secrets.postgres, site.address("postgres"), DATABASE),
        "REDIS__URL": site.redis_url,
        "MEDIA__ENDPOINT": site.address("s3"),
        "MEDIA__ACCESS_KEY": ACCESS_KEY,
        "MEDIA__SECRET_KEY": site.secrets.s3,
        "MEDIA__SECURE": "false",
        "MEDIA__BUCKET": MEDIA_BUCKET,
        "MEDIA__ALLOWED_BUCKETS": MEDIA_BUCKET,
        "MEDIA__DEAD_LETTERS_BUCKET": DEAD_LETTERS_BUCKET,
        "INFERENCE__ENDPOINTS": ",".join(map(site.worker_endpoint, range(plan.workers))),
        "SERVING__BIND": site.worker_endpoint(),
        "FLOW__STATE_DIR": str(site.paths.data / "flow"),
        "MLFLOW__CACHE_DIR": str(site.paths.data / "models"),
        "SIGN_IN__ADDRESS": f"http://{site.address('dashboard')}",
    }
    if plan.mlflow:
        values["MLFLOW__TRACKING_URI"] = f"http://{site.address('mlflow')}"
    return {PREFIX + name: value for name, value in values.items()}


def settings(site: Site) -> Settings:
    """The same as a value, over what this process's environment sets beside it.

    Raises:
        ConfigError: this process's environment holds a setting that does not exist, or is out of bounds.
    """
    Settings.load()
    sections: dict[str, Any] = {}
    for variable, value in environment(site).items():
        section, name = variable.removeprefix(PREFIX).lower().split("__")
        sections.setdefault(section, {})[name] = value
    return Settings(**sections)
