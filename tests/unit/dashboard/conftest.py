"""Pages are tested over stores in memory."""

from tests.fixtures.console import console

__all__ = ["console"]
