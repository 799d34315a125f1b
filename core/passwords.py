"""Passwords as argon2 hashes; checking one costs the same whether there is a hash to check against or not."""

import threading
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from core.errors_console import PersonRefused

MIN_CHARS = 12
MAX_CHARS = 256
AT_ONCE = 2
"""Hashes computed side by side: each takes 64 MiB, whoever asks."""


class Passwords:
    """Hashes and checks; safe to share between threads.

    Args:
        hasher: argon2id by RFC 9106's second choice: 64 MiB, three passes.
    """

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._nobodys = self._hasher.hash("nobody's password")

    def hash(self, password: str) -> str:
        """What is kept of a new password.

        Raises:
            PersonRefused: too short, or longer than anybody types.
        """
        if not MIN_CHARS <= len(password) <= MAX_CHARS:
            raise PersonRefused(
                "a password has {least} to {most} characters; choose another one", least=MIN_CHARS, most=MAX_CHARS
            )
        with self._turns:
            return self._hasher.hash(_one_form(password))

    def is_right(self, password: str, kept: str | None) -> bool:
        """Whether the password is the one whose hash was kept; never, where none was."""
        with self._turns:
            try:
                self._hasher.verify(kept or self._nobodys, _one_form(password[:MAX_CHARS]))
            except (VerificationError, InvalidHashError):
                return False
        return kept is not None and len(password) <= MAX_CHARS


def _one_form(password: str) -> str:
    """The same password typed on two keyboards is the same text."""
    return unicodedata.normalize("NFKC", password)
