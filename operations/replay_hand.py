"""Replays of dead letters as commands: what `clipwarden dead-letters replay` does, in pieces and with progress."""

from collections.abc import Sequence

from core.errors import DependencyError, InputError
from core.settings import Settings
from core.storage.database import Database
from core.storage.dead_letters import LetterKey, OpenLetters
from core.storage.history import TimescaleHistory
from core.storage.orders import OfLetter, OfLetters, Order
from core.storage.ports import DeadLetterRow
from operations.commands.dead_letters import Replays
from operations.desk import CommandRefused, Say

PIECE = 100
"""Records produced before they are marked: a killed executor sends at most so many twice."""


class ReplayHand:
    """Executes replay commands; what was replayed already is left out, so doing one twice sends nothing twice."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._history = TimescaleHistory(settings.store)
        self._letters = OpenLetters(Database(settings.store, "replays"))

    def __call__(self, order: Order, say: Say) -> str:
        """Replay what is ordered; the answer says how many records went out and what is left.

        Raises:
            CommandRefused: nothing matches, or the broker, database or object store went away meanwhile.
        """
        if isinstance(order.arguments, OfLetter):
            return self._one(order.arguments, Replays(self._settings, self._history))
        if isinstance(order.arguments, OfLetters):
            keys = self._letters.keys(code=order.arguments.code, before=order.arguments.before)
            return self._all(keys, say) if keys else "nothing to replay: all of them were replayed already"
        raise CommandRefused(f"{order.kind} is no replay")

    def _one(self, wanted: OfLetter, replays: Replays) -> str:
        row = self._history.dead_letter(wanted.record, wanted.stage)
        if row is None:
            raise CommandRefused(f"no dead letter {wanted.subject()}; it may have expired or been erased")
        try:
            replays.send([row])
        except InputError as error:
            raise CommandRefused(f"not replayed: its bytes cannot be read ({error})") from error
        return f"replayed {wanted.subject()}"

    def _all(self, keys: Sequence[LetterKey], say: Say) -> str:
        replays, sent, unreadable, first = Replays(self._settings, self._history), 0, 0, ""
        for start in range(0, len(keys), PIECE):
            say(f"{start} of {len(keys)} dead letters done")
            try:
                for row in self._pieces(self._letters.rows(keys[start : start + PIECE])):
                    try:
                        sent += replays.send(row)
                    except InputError as error:
                        unreadable, first = unreadable + len(row), first or str(error)
            except DependencyError as error:
                text = f"stopped after {start} of {len(keys)} dead letters: {error}; the rest is as it was"
                raise CommandRefused(text) from error
        left = f"; {unreadable} could not be read and stay ({first})" if unreadable else ""
        return f"replayed {sent} records of {len(keys)} dead letters{left}"

    def _pieces(self, rows: list[DeadLetterRow]) -> list[list[DeadLetterRow]]:
        """Those whose bytes are in the row together; each that is an object alone, because it may be gone."""
        inline = [row for row in rows if row.dead_letter.payload is not None]
        alone = [[row] for row in rows if row.dead_letter.payload is None]
        return [inline, *alone] if inline else alone
