"""Steps → a bar on the terminal with the time left."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from models.training.loop import Progress, Step


class ProgressBar:
    """A `Report` for people."""

    def __init__(self, name: str, console: Console) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
        self._bar = Bar(*columns, console=console)
        self._task = self._bar.add_task(name, total=None)
        self._name = name
        self._said = ""
        self._done = -1

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def __call__(self, progress: Progress) -> None:
        """Show how an epoch ended."""
        self._said = f", validation {progress.score:.3f} (best {progress.best:.3f})"

    def step(self, step: Step) -> None:
        """Show a step; the time left is that to the last epoch, and evaluations are part of the pace."""
        done = step.epoch * step.steps + step.done
        if done != self._done + 1:
            # Another optimisation, or a resumed one: its pace is its own.
            self._bar.reset(self._task, total=step.epochs * step.steps, completed=done - 1)
        self._done = done
        text = f"{self._name} epoch {step.epoch + 1}/{step.epochs}: loss {step.loss:.3f}{self._said}"
        self._bar.update(self._task, completed=done, description=text)
