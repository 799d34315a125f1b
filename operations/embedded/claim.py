"""What a supervisor takes before it starts anything: the lock, the leftovers of a crashed run, a block of ports."""

import fcntl
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import psutil
import structlog

from core.errors import ConfigError
from operations.embedded.postgres import data_dir
from operations.state import (
    BLOCKS,
    FIRST_PORT,
    GUARD_PORT,
    LOOPBACK,
    MARK,
    PORTS_PER_ROOT,
    Identity,
    Paths,
    Ports,
    RunState,
    Secrets,
    Site,
)

log = structlog.get_logger()

STOP_WAIT_S = 5.0
POLL_S = 0.02


@dataclass(frozen=True)
class Claim:
    """A site that is ours until the process ends; the kernel lets go of lock and guard, also after kill -9."""

    site: Site
    lock: BinaryIO
    guard: socket.socket


def claim(paths: Paths) -> Claim:
    """Take a root for one supervisor: nobody else's is there, nothing of an old one runs, the ports are free.

    Raises:
        ConfigError: a supervisor runs there already, or what lies there cannot be used.
    """
    paths.create()
    lock = _lock(paths)
    try:
        end_leftovers(paths)
        secrets = _secrets(paths)
        ports, guard = _claim_ports(paths)
    except ConfigError:
        lock.close()
        raise
    return Claim(Site(paths, ports, secrets), lock, guard)


def _secrets(paths: Paths) -> Secrets:
    secrets = Secrets.read(paths.secrets)
    if secrets is not None:
        return secrets
    cluster = data_dir(paths)
    if cluster.exists():
        raise ConfigError(f"{cluster} wants a password that is lost with {paths.secrets}; run: clipwarden down --purge")
    secrets = Secrets()
    secrets.write(paths.secrets)
    return secrets


def _lock(paths: Paths) -> BinaryIO:
    file = paths.lock.open("wb")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise ConfigError(f"a supervisor runs in {paths.root} already; see: clipwarden status") from error
    return file


def end_leftovers(paths: Paths) -> list[str]:
    """Kill what outlived its supervisor; returns the names.

    Those in the state file are known by pid and start time, what they started by the mark in its environment.
    """
    run = RunState.read(paths.run)
    leftovers = run.leftovers() if run else []
    recorded = {record.identity.pid: record.name for record in leftovers if record.identity}
    marked = {process.pid: process.name() for process in _marked(paths)}
    for pid, name in {**marked, **recorded}.items():
        _kill(pid)
        log.warning("leftover.killed", name=name, pid=pid)
    return list({**marked, **recorded}.values())


def _marked(paths: Paths) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == str(paths.root):
                yield process
        except psutil.Error:
            # It ended, or is somebody else's.
            continue


def _kill(pid: int) -> None:
    try:
        identity = Identity.of(pid)
        psutil.Process(pid).kill()
    except psutil.NoSuchProcess:
        return
    # Not psutil's wait: where nobody reaps the dead, as in many containers, it would wait for ever.
    deadline_s = time.monotonic() + STOP_WAIT_S
    while identity.process() is not None and time.monotonic() < deadline_s:
        time.sleep(POLL_S)


def _claim_ports(paths: Paths) -> tuple[Ports, socket.socket]:
    """The block kept from before if it is free, else the next free one from a place given by the root's path."""
    kept = Ports.read(paths.ports)
    bases = [FIRST_PORT + (paths.first_block + step) % BLOCKS * PORTS_PER_ROOT for step in range(BLOCKS)]
    for base in [kept.base, *bases] if kept else bases:
        guard = _take_block(base)
        if guard is not None:
            ports = Ports(base=base)
            if ports != kept:
                ports.write(paths.ports)
            return ports, guard
    raise ConfigError(f"no {PORTS_PER_ROOT} free ports between {FIRST_PORT} and 32000; stop what holds them")


def _take_block(base: int) -> socket.socket | None:
    """Bind the block's last port for as long as we live, so that two supervisors never choose the same block."""
    guard = _bind(base + GUARD_PORT, reuse=False)
    if guard is None:
        return None
    for port in range(base, base + GUARD_PORT):
        probe = _bind(port, reuse=True)
        if probe is None:
            guard.close()
            return None
        probe.close()
    return guard


def _bind(port: int, *, reuse: bool) -> socket.socket | None:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    # As the servers do: a connection that still lingers from the last run does not make a port taken.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(reuse))
    try:
        sock.bind((LOOPBACK, port))
    except OSError:
        sock.close()
        return None
    return sock
