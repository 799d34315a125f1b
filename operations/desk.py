"""Where commands are executed: claims one after the other, has a hand do it, and answers each.

On the path: `core.storage.commands` → here → `operations.process_hand` or `operations.replay_hand`.
"""

import os
import socket
import threading
import time
from collections.abc import Callable
from collections.abc import Set as AbstractSet

import structlog

from core.errors import PlatformError, StoreUnavailable
from core.storage.commands import Commands
from core.storage.orders import CommandKind, Order

log = structlog.get_logger()

POLL_S = 1.0
SAY_EVERY_S = 1.0
BROKEN = "it ended with an error of the executor itself, which its log tells whole"

Say = Callable[[str], None]
"""Tells how far a command is, which also keeps it claimed; call it every few seconds."""
Hand = Callable[[Order, Say], str]
"""Does what the order says and returns the answer; raises CommandRefused with the reason when it was not done."""


class CommandRefused(PlatformError):
    """The command was not executed; nothing changed, or what did is said."""

    code = "command.refused"


def _always() -> bool:
    return True


class Desk:
    """One thread that executes commands of some kinds, one after the other.

    Guarantee: each command that is claimed is answered. A database that is away is waited for, with the answer in hand;
    whoever is killed leaves the command to the next executor, which does it again: every kind may be done twice. A hand
    that breaks is answered for, and the thread goes on.

    Args:
        commands: where they come from.
        hand: does them.
        kinds: those it can do.
        is_open: false while the database must not be asked yet.
        poll_s: seconds between two looks.
    """

    def __init__(
        self,
        commands: Commands,
        hand: Hand,
        *,
        kinds: AbstractSet[CommandKind],
        is_open: Callable[[], bool] = _always,
        poll_s: float = POLL_S,
    ) -> None:
        self._commands = commands
        self._hand = hand
        self._kinds = kinds
        self._is_open = is_open
        self._poll_s = poll_s
        self._stop = threading.Event()
        self._owner = f"{socket.gethostname()}:{os.getpid()}:{'-'.join(sorted(kinds))}"
        self._thread = threading.Thread(target=self._run, name="commands", daemon=True)
        self._is_deaf = False

    def start(self) -> None:
        """Execute from now on."""
        self._thread.start()

    def stop(self, timeout_s: float = 2.0) -> None:
        """Take no more; what is in hand is not waited for longer than this, and left to the next executor."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def turn(self) -> bool:
        """Execute the next command, if there is one.

        Raises:
            StoreUnavailable: the database is away; nothing was claimed, or what was is left to the next executor.
        """
        order = self._commands.claim(self._owner, self._kinds)
        if order is None:
            return False
        log.info("command.claimed", command_id=order.command_id, kind=order.kind, subject=order.arguments.subject())
        ok, text = self._execute(order)
        log.info("command.executed", command_id=order.command_id, ok=ok, answer=text)
        self._answer(order, ok=ok, text=text)
        return True

    def _execute(self, order: Order) -> tuple[bool, str]:
        try:
            return True, self._hand(order, _Saying(self._commands, order.command_id, self._owner))
        except CommandRefused as error:
            return False, error.message
        except (PlatformError, OSError) as error:
            return False, str(error)
        except Exception as error:
            # What a hand that is broken raises nobody knows; the person must hear of it, not only the log.
            log.exception("command.broken", command_id=order.command_id)
            return False, f"{BROKEN}: {type(error).__name__}: {error}"

    def _answer(self, order: Order, *, ok: bool, text: str) -> None:
        """The database may be what was restarted: the answer waits for it."""
        while True:
            try:
                self._commands.answer(order.command_id, self._owner, ok=ok, text=text)
            except StoreUnavailable:
                if self._stop.wait(self._poll_s):
                    raise
            else:
                return

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                was_busy = self._is_open() and self.turn()
            except StoreUnavailable as error:
                if not self._is_deaf:
                    log.warning("commands.unheard", reason=str(error))
                self._is_deaf, was_busy = True, False
            except Exception:
                # The thread's outermost frame: a process without it takes no command and still says it is ready.
                log.exception("commands.broken")
                was_busy = False
            else:
                self._is_deaf = False
            if not was_busy:
                self._stop.wait(self._poll_s)


class _Saying:
    """Renews a claim, at most every SAY_EVERY_S; a database that is away hears it next time."""

    def __init__(self, commands: Commands, command_id: str, owner: str) -> None:
        self._commands = commands
        self._claim = (command_id, owner)
        self._said_s = 0.0

    def __call__(self, text: str) -> None:
        if time.monotonic() - self._said_s < SAY_EVERY_S:
            return
        try:
            self._commands.renew(*self._claim, text)
        except StoreUnavailable as error:
            log.debug("command.unsaid", reason=str(error))
        self._said_s = time.monotonic()
