"""One finding of the doctor: a line with what is wrong, why, and what to do about it."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """One thing looked at.

    Attributes:
        level: ok; warn (works, but); bad (does not work).
        what: the thing; `why`: what was found; `advice`: what to do, empty when ok.
    """

    level: Literal["ok", "warn", "bad"]
    what: str
    why: str
    advice: str = ""

    def __str__(self) -> str:
        """The finding as a line."""
        return f"{self.level:<5}{self.what}: {self.why}" + (f"; {self.advice}" if self.advice else "")


def judge(what: str, why: str, *, bad: bool = False, warn: bool = False, advice: str) -> Finding:
    """A finding of the level that fits; the advice is kept for those that need it."""
    level: Literal["ok", "warn", "bad"] = "bad" if bad else "warn" if warn else "ok"
    return Finding(level, what, why, "" if level == "ok" else advice)
