import os
from pathlib import Path

import pytest

from core.errors import ConfigError
from core.settings import InferenceSettings, ServingSettings
from models.curve import client_keys, is_loopback, make_keys, read_allowed, read_keys, read_public, worker_keys


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    return make_keys(tmp_path, "flow")


@pytest.mark.parametrize("endpoint", ["tcp://127.0.0.1:1", "tcp://127.9.9.9:*", "tcp://[::1]:1", "tcp://localhost:1"])
def test_these_are_loopback(endpoint: str) -> None:
    assert is_loopback(endpoint)


@pytest.mark.parametrize(
    "endpoint",
    ["tcp://0.0.0.0:1", "tcp://*:1", "tcp://lo:1", "tcp://[::]:1", "tcp://localhost.example:1", "tcp://10.0.0.1:1",
     "tcp://127.0.0.1.example:1", "tcp://10.0.0.1:0;127.0.0.1:1", "tcp://2130706433:1", "tcp://", "tcp://127.0.0.1"],
)  # fmt: skip
def test_nothing_else_is_loopback(endpoint: str) -> None:
    assert not is_loopback(endpoint)


def test_a_pair_is_written_for_its_owner_and_read_back(pair: tuple[Path, Path]) -> None:
    secret, public = pair

    assert [path.stat().st_mode & 0o777 for path in pair] == [0o600, 0o644]
    keys = read_keys(secret, "x")
    assert keys.public == read_public(public, "x") == public.read_bytes().strip()
    assert keys.secret.decode() not in repr(keys)


def test_the_umask_opens_no_secret(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        secret, _ = make_keys(tmp_path / "new", "worker")
    finally:
        os.umask(before)

    assert secret.stat().st_mode & 0o777 == 0o600
    assert secret.parent.stat().st_mode & 0o777 == 0o700


def test_a_pair_is_never_written_over(pair: tuple[Path, Path]) -> None:
    before = pair[0].read_bytes()

    with pytest.raises(ConfigError, match="is there already"):
        make_keys(pair[0].parent, "flow")

    assert pair[0].read_bytes() == before


@pytest.mark.parametrize("name", ["", "../x", "a b", "-x", "x" * 65])
def test_a_name_that_is_no_file_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="cannot name a key"):
        make_keys(tmp_path, name)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o777])
def test_a_secret_that_others_can_reach_is_refused(pair: tuple[Path, Path], mode: int) -> None:
    pair[0].chmod(mode)

    with pytest.raises(ConfigError, match=f"chmod 600 {pair[0]}"):
        read_keys(pair[0], "serving.curve_key_file")


@pytest.mark.parametrize("content", [b"", b"short", b"~" * 40, b"#" * 40, bytes(40), b"x" * 41])
def test_a_file_without_a_key_is_refused(pair: tuple[Path, Path], content: bytes) -> None:
    for path, read in zip(pair, (read_keys, read_public), strict=True):
        path.write_bytes(content)
        with pytest.raises(ConfigError, match="holds no key"):
            read(path, "x")


def test_a_secret_in_the_place_of_a_public_key_is_refused(pair: tuple[Path, Path]) -> None:
    with pytest.raises(ConfigError, match="is a secret key") as caught:
        read_public(pair[0], "inference.curve_worker_key_file")

    assert pair[0].read_text().strip() not in str(caught.value)


def test_the_keys_in_a_folder_are_allowed_and_other_files_are_not_read(pair: tuple[Path, Path]) -> None:
    (pair[0].parent / "README").write_text("who is who")

    assert [len(key) for key in read_allowed(pair[0].parent, "x")] == [32]


@pytest.mark.parametrize("bind", ["ipc:///tmp/x", "tcp://127.0.0.1:5555", "tcp://[::1]:5555"])
def test_on_this_host_keys_are_not_needed(bind: str) -> None:
    assert worker_keys(ServingSettings(bind=bind)) is None
    assert client_keys(InferenceSettings(), bind) is None


@pytest.mark.parametrize("bind", ["tcp://0.0.0.0:5555", "tcp://127.0.0.1:5555"])
def test_half_of_the_keys_is_refused_on_loopback_too(pair: tuple[Path, Path], bind: str) -> None:
    with pytest.raises(ConfigError, match=r"serving\.curve_clients_dir, both"):
        worker_keys(ServingSettings(bind=bind, curve_key_file=pair[0]))
    with pytest.raises(ConfigError, match=r"inference\.curve_worker_key_file, both"):
        client_keys(InferenceSettings(curve_key_file=pair[0]), bind)


def test_a_worker_that_allows_nobody_is_refused(pair: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "nobody").mkdir()
    settings = ServingSettings(bind="tcp://0.0.0.0:1", curve_key_file=pair[0], curve_clients_dir=tmp_path / "nobody")

    with pytest.raises(ConfigError, match="allows nobody"):
        worker_keys(settings)


@pytest.mark.parametrize("endpoint", ["udp://x:1", "inproc://x", "127.0.0.1:5555", ""])
def test_another_transport_is_refused(endpoint: str) -> None:
    with pytest.raises(ConfigError, match="ipc://PATH or tcp://HOST:PORT"):
        client_keys(InferenceSettings(), endpoint)
