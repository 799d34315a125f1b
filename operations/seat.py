"""Where the operator sits: the root folder, the settings that reach its platform, errors as lines."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from core.errors import ConfigError, PlatformError
from core.settings import Settings, process_environment
from core.telemetry import configure_logging
from operations.state import Site
from operations.state import settings as site_settings

screen = Console(stderr=True, highlight=False)
"""What people read; stdout holds results only."""

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


def root() -> Path:
    """The folder whose platform commands mean: the one they are given in."""
    return Path.cwd()


def load_settings() -> Settings:
    """The environment's settings; where it names no broker, those of the platform started in this folder."""
    settings = Settings.load()
    if "CLIPWARDEN_KAFKA__BROKERS" not in process_environment():
        settings = site_settings(Site.load(root()))
    configure_logging(settings.telemetry.model_copy(update={"log_level": "warning"}))
    return settings


@contextmanager
def errors_as_lines() -> Iterator[None]:
    """One line on stderr per failure, and the exit code that tells whose it is."""
    try:
        yield
    except ConfigError as error:
        _fail(error.message, EXIT_USAGE, error)
    except PlatformError as error:
        _fail(str(error), EXIT_FAILED, error)
    except KeyboardInterrupt as error:
        _fail("stopped", EXIT_INTERRUPTED, error)


def _fail(line: str, code: int, error: BaseException) -> None:
    sys.stderr.write(f"clipwarden: {line}\n")
    raise SystemExit(code) from error
