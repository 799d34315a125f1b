"""Epochs → a bar on the terminal with the time left; standard error, so that results alone are on standard output."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from models.training.loop import Progress


class ProgressBar:
    """A `Report` for people."""

    def __init__(self, name: str) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar = Bar(*columns, console=Console(stderr=True))
        self._task = self._bar.add_task(name, total=None)
        self._name = name

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def __call__(self, progress: Progress) -> None:
        """Show an epoch."""
        text = f"{self._name}: loss {progress.loss:.3f}, validation {progress.score:.3f} (best {progress.best:.3f})"
        self._bar.update(self._task, completed=progress.epoch, total=progress.epochs, description=text)
