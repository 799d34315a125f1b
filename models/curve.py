"""CURVE keys: how workers reached over a network and their clients know each other; what leaves loopback has them.

A pair is two files: `NAME.key` is secret and its owner's alone, `NAME.pub` is given to the other side. What goes over a
connection with keys is encrypted and authenticated in both directions. Over `ipc://` the file's mode does the same.
"""

import os
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

import zmq
from zmq.utils import z85

from core.errors import ConfigError
from core.settings import InferenceSettings, ServingSettings

SECRET_SUFFIX = ".key"  # noqa: S105 - how a file ends
PUBLIC_SUFFIX = ".pub"
ZAP_DOMAIN = b"clipwarden"
_KEY_CHARS = 40
_OTHERS = 0o077
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_FORMS = "give ipc://PATH or tcp://HOST:PORT"
_MAKE = "clipwarden keys make --help tells how to make keys"


@dataclass(frozen=True)
class Keys:
    """One side's pair, as text of 40 characters (Z85)."""

    public: bytes
    secret: bytes = field(repr=False)


@dataclass(frozen=True)
class ClientKeys:
    """What a client shows, and the only worker it speaks to."""

    own: Keys
    worker: bytes


def make_keys(folder: Path, name: str) -> tuple[Path, Path]:
    """Write a new pair; returns the secret and the public file.

    Raises:
        ConfigError: the name is no file name, the pair is there already, or the folder cannot be written.
    """
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{name!r} cannot name a key; use letters, digits, - and _")
    public, secret = zmq.curve_keypair()
    paths = folder / f"{name}{SECRET_SUFFIX}", folder / f"{name}{PUBLIC_SUFFIX}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(paths[0], secret, 0o600)
        _write(paths[1], public, 0o644)
    except FileExistsError as error:
        raise ConfigError(f"{error.filename} is there already; choose another name, or delete it first") from error
    except OSError as error:
        raise ConfigError(f"{error.filename}: {error.strerror}; choose a folder this user can write") from error
    return paths


def read_keys(path: Path, setting: str) -> Keys:
    """The pair of a secret file.

    Raises:
        ConfigError: it cannot be read, others can read it too, or it holds no key.
    """
    secret = _read(path, setting)
    if path.stat().st_mode & _OTHERS:
        raise ConfigError(f"{setting} {path} can be read by others; run: chmod 600 {path}")
    return Keys(zmq.curve_public(secret), secret)


def read_public(path: Path, setting: str) -> bytes:
    """A public key.

    Raises:
        ConfigError: it cannot be read, or is none.
    """
    key = _read(path, setting)
    if path.suffix == SECRET_SUFFIX:
        raise ConfigError(f"{setting} {path} is a secret key; name its {PUBLIC_SUFFIX} file, the secret one stays away")
    return key


def read_allowed(folder: Path, setting: str) -> frozenset[bytes]:
    """The public keys in a folder, each as its 32 bytes.

    Raises:
        ConfigError: there is no such folder, or one of them is no key.
    """
    return frozenset(z85.decode(read_public(path, setting)) for path in _public_files(folder, setting))


def worker_keys(settings: ServingSettings) -> Keys | None:
    """A worker's pair; None where it needs none.

    Raises:
        ConfigError: `bind` leaves loopback without keys, or they are wrong.
    """
    given = (settings.curve_key_file, settings.curve_clients_dir)
    if not _needs_keys(settings.bind, "serving.bind", given):
        return None
    if settings.curve_key_file is None or settings.curve_clients_dir is None:
        raise ConfigError(
            f"serving.bind {settings.bind} can be reached from other hosts: set serving.curve_key_file and "
            f"serving.curve_clients_dir, both ({_MAKE}), or bind to ipc:// or tcp://127.0.0.1"
        )
    if not read_allowed(settings.curve_clients_dir, "serving.curve_clients_dir"):
        raise ConfigError(
            f"serving.curve_clients_dir {settings.curve_clients_dir} allows nobody; copy a client's .pub there"
        )
    return read_keys(settings.curve_key_file, "serving.curve_key_file")


def client_keys(settings: InferenceSettings, endpoint: str) -> ClientKeys | None:
    """What a client needs to speak to an endpoint; None where it needs no keys.

    Raises:
        ConfigError: it leaves loopback without keys, or they are wrong.
    """
    given = (settings.curve_key_file, settings.curve_worker_key_file)
    if not _needs_keys(endpoint, "inference.endpoints", given):
        return None
    if settings.curve_key_file is None or settings.curve_worker_key_file is None:
        raise ConfigError(
            f"inference.endpoints {endpoint} is on a network: set inference.curve_key_file and "
            f"inference.curve_worker_key_file, both ({_MAKE}), or use ipc:// or tcp://127.0.0.1"
        )
    worker = read_public(settings.curve_worker_key_file, "inference.curve_worker_key_file")
    return ClientKeys(read_keys(settings.curve_key_file, "inference.curve_key_file"), worker)


def is_loopback(endpoint: str) -> bool:
    """Whether a tcp endpoint cannot be reached from other hosts: 127.0.0.0/8, ::1 or localhost, in so many words."""
    host = endpoint.removeprefix("tcp://").rpartition(":")[0]
    if host == "localhost":
        return True
    try:
        return ip_address(host.removeprefix("[").removesuffix("]")).is_loopback
    except ValueError:
        return False


def _needs_keys(endpoint: str, setting: str, given: tuple[Path | None, Path | None]) -> bool:
    """Once there are keys they serve on loopback too: a worker cannot tell who comes through a tunnel."""
    if not endpoint.startswith(("ipc://", "tcp://")):
        raise ConfigError(f"{setting} {endpoint}: unknown transport; {_FORMS}")
    return endpoint.startswith("tcp://") and (any(given) or not is_loopback(endpoint))


def _public_files(folder: Path, setting: str) -> Iterator[Path]:
    if not folder.is_dir():
        raise ConfigError(f"{setting} {folder} is no folder; make it, and copy the clients' .pub files there")
    return folder.glob(f"*{PUBLIC_SUFFIX}")


def _read(path: Path, setting: str) -> bytes:
    try:
        key = path.read_bytes().strip()
    except OSError as error:
        raise ConfigError(f"{setting} {path}: {error.strerror}; {_MAKE}") from error
    try:
        is_key = len(key) == _KEY_CHARS and bool(z85.decode(key))
    except (KeyError, struct.error):
        is_key = False
    if not is_key:
        raise ConfigError(f"{setting} {path} holds no key; {_MAKE}")
    return key


def _write(path: Path, key: bytes, mode: int) -> None:
    fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, mode)
    with os.fdopen(fd, "wb") as file:
        # The mode given to open is cut by the umask.
        os.fchmod(fd, mode)
        file.write(key + b"\n")
