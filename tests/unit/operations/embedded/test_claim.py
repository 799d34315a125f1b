import socket
from pathlib import Path

import pytest

from core.errors import ConfigError
from operations.embedded.claim import claim
from operations.embedded.control import down
from operations.embedded.postgres import data_dir
from operations.state import LOOPBACK, Paths, Secrets


def release(*claims: object) -> None:
    for taken in claims:
        taken.guard.close()  # type: ignore[attr-defined]
        taken.lock.close()  # type: ignore[attr-defined]
        taken.site.paths.runtime.rmdir()  # type: ignore[attr-defined]


def test_a_root_has_one_supervisor(tmp_path: Path) -> None:
    taken = claim(Paths(tmp_path))

    with pytest.raises(ConfigError, match=r"runs in .* already"):
        claim(Paths(tmp_path))

    release(taken)


def test_two_roots_that_want_the_same_ports_get_different_ones(tmp_path: Path) -> None:
    first, second = Paths(tmp_path / "a"), Paths(tmp_path / "b")
    second.first_block = first.first_block

    one, other = claim(first), claim(second)

    assert one.site.ports != other.site.ports
    release(one, other)


def test_ports_and_secrets_stay_the_same(tmp_path: Path) -> None:
    before = claim(Paths(tmp_path))
    release(before)

    again = claim(Paths(tmp_path))

    assert (again.site.ports, again.site.secrets) == (before.site.ports, before.site.secrets)
    assert Secrets.read(again.site.paths.secrets) == again.site.secrets
    release(again)


def test_a_kept_port_that_is_taken_by_now_is_given_up(tmp_path: Path) -> None:
    before = claim(Paths(tmp_path))
    release(before)

    with socket.create_server((LOOPBACK, before.site.ports.of("valkey"))):
        again = claim(Paths(tmp_path))

    assert again.site.ports != before.site.ports
    release(again)


def test_a_database_whose_password_is_lost_is_not_started(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    data_dir(paths).mkdir(parents=True)

    with pytest.raises(ConfigError, match="clipwarden down --purge"):
        claim(paths)

    down(tmp_path, purge=True)
    release(claim(paths))
