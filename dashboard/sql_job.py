"""One statement on its way in a thread of its own, so that the page stays alive and can cancel it."""

import threading
import time
from concurrent.futures import Future

from core.access import Person
from dashboard.data.sql_box import Result, SqlBox


class Job:
    """Runs at once.

    Attributes:
        statement: what runs.
    """

    def __init__(self, box: SqlBox, person: Person, statement: str) -> None:
        self.statement = statement
        self._started_s = time.monotonic()
        self._stop = threading.Event()
        self._answer: Future[Result] = Future()
        threading.Thread(target=self._run, args=(box, person), name="sql-job", daemon=True).start()

    def cancel(self) -> None:
        """Have it stopped; it is over when `is_over` says so."""
        self._stop.set()

    @property
    def is_over(self) -> bool:
        """Whether there is an answer."""
        return self._answer.done()

    @property
    def elapsed_s(self) -> float:
        """How long it has been running."""
        return time.monotonic() - self._started_s

    def answer(self) -> Result:
        """What came of it; waits while it runs.

        Raises:
            PlatformError: as `SqlBox.run`.
        """
        return self._answer.result()

    def _run(self, box: SqlBox, person: Person) -> None:
        try:
            self._answer.set_result(box.run(person, self.statement, self._stop))
        except BaseException as error:  # noqa: BLE001 - handed over, to who asks for the answer
            self._answer.set_exception(error)
