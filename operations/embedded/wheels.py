"""Where the servers' programs lie: in wheels, found and not imported (one warns and makes folders at import)."""

from importlib.util import find_spec
from pathlib import Path

from core.errors import ConfigError


def wheel(package: str) -> Path:
    """The folder of an installed package.

    Raises:
        ConfigError: it is not installed.
    """
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ConfigError(f"the package {package.replace('_', '-')} is not installed; install it with: make setup")
    return Path(spec.origin).parent


def program(package: str, pattern: str) -> Path:
    """A program in a package, for this platform.

    Raises:
        ConfigError: the package is not installed, or has no program for this platform.
    """
    found = sorted(wheel(package).glob(pattern))
    if not found:
        raise ConfigError(f"the package {package.replace('_', '-')} has no program for this platform")
    return found[0]
