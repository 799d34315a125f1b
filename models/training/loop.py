"""The one optimisation loop: step, schedule, evaluate, keep the best, stop early; a killed run goes on."""

import itertools
import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import structlog
import torch
from torch import nn

from models.training.config import LoopConfig

_log = structlog.get_logger()
_SAVE_EVERY_S = 120.0
_KEPT = ("epoch", "best_epoch", "best", "_step", "_losses", "_drawn_from")
_COPIES = ("_average", "_best_weights")


@dataclass(frozen=True)
class Progress:
    """Where a run stands, once per epoch.

    Attributes:
        score: of this epoch on validation; larger is better.
        left_s: seconds to the last epoch at this pace.
    """

    epoch: int
    epochs: int
    loss: float
    score: float
    best: float
    left_s: float


@dataclass(frozen=True)
class Step:
    """Where an epoch stands.

    Attributes:
        epoch: epochs that ended before it.
        done: steps of this epoch, of `steps`.
        loss: mean of these steps.
    """

    epoch: int
    epochs: int
    done: int
    steps: int
    loss: float


Report = Callable[[Progress], None]


@runtime_checkable
class StepReport(Protocol):
    """A `Report` that is told of each step too."""

    def __call__(self, progress: Progress) -> None:
        """An epoch ended."""

    def step(self, step: Step) -> None:
        """A step ended."""


def log_progress(progress: Progress) -> None:
    """Report to the log."""
    _log.info("training.epoch", **{name: round(value, 4) for name, value in vars(progress).items()})


@dataclass(frozen=True)
class Task:
    """What the loop does not know.

    Attributes:
        batches: a fresh pass over the training rows: indices of each batch, drawn by torch's own randomness.
        loss: of one batch.
        score: of a model in eval mode, on validation; larger is better.
        rate_of: share of the learning rate that a parameter of that name gets.
        accumulate: batches that make one step, as if they were one batch, if `loss` is a mean over its rows.
    """

    batches: Callable[[], Iterable[torch.Tensor]]
    loss: Callable[[torch.Tensor], torch.Tensor]
    score: Callable[[nn.Module], float]
    rate_of: Callable[[str], float] = lambda _: 1.0
    accumulate: int = 1


def fit(
    model: nn.Module, task: Task, config: LoopConfig, report: Report = log_progress, *, keep: Path | None = None
) -> float:
    """Train until validation stops improving; the model ends in eval mode with the averaged weights that scored best.

    What is evaluated and kept is a moving average of the weights: on noisy labels it beats any single step.

    Args:
        model: trained in place.
        task: what to learn.
        config: the hyperparameters.
        report: told of each epoch, and of each step where it is a `StepReport`.
        keep: a file for where the run stands; when it is there, the run goes on from it.
    """
    steps = math.ceil(sum(1 for _ in task.batches()) / task.accumulate)
    run = Run(model, task, config, steps)
    run.resume(keep)
    started, first = time.monotonic(), run.epoch
    while run.epoch < config.epochs and run.epoch - run.best_epoch < config.patience:
        loss = run.train_epoch(keep, report)
        score = run.evaluate()
        run.save(keep)
        left_s = (time.monotonic() - started) / (run.epoch - first) * (config.epochs - run.epoch)
        report(Progress(run.epoch, config.epochs, loss, score, run.best, left_s))
    run.finish()
    return run.best


class Run:
    """One optimisation under way; what it holds can be put aside and taken up again."""

    def __init__(self, model: nn.Module, task: Task, config: LoopConfig, steps: int) -> None:
        self.epoch = self.best_epoch = 0
        self.best = -math.inf
        self._model, self._task, self._config = model, task, config
        self._weights = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
        self._average = self._copies()
        self._best_weights = self._copies()
        self._optimizer = torch.optim.AdamW(self._groups(), lr=config.learning_rate, betas=(0.9, 0.99), fused=True)
        self._schedule = torch.optim.lr_scheduler.LambdaLR(
            self._optimizer, lambda step: _rate(step / (config.epochs * steps), config.warmup_share)
        )
        self._steps = steps
        self._step, self._losses, self._drawn_from = 0, 0.0, torch.get_rng_state()
        self._saved_at_s = time.monotonic()

    def train_epoch(self, keep: Path | None, report: Report) -> float:
        """One pass over the training rows, or the rest of one; the mean loss."""
        self._model.train()
        for batches in self._groups_left():
            self._losses += self._take(batches)
            self._step += 1
            if isinstance(report, StepReport):
                done = self._step
                report.step(Step(self.epoch, self._config.epochs, done, self._steps, self._losses / done))
            if time.monotonic() - self._saved_at_s > _SAVE_EVERY_S:
                self.save(keep)
        mean = self._losses / max(self._step, 1)
        self.epoch, self._step, self._losses = self.epoch + 1, 0, 0.0
        return mean

    def _groups_left(self) -> Iterator[list[torch.Tensor]]:
        """The batches of each step of this epoch that is not done yet."""
        now = torch.get_rng_state()
        if self._step:
            torch.set_rng_state(self._drawn_from)
        self._drawn_from = torch.get_rng_state()
        batches = iter(self._task.batches())
        for _ in range(self._step * self._task.accumulate):
            next(batches)
        if self._step:
            # What comes next, dropout above all, draws on from where the run was put aside.
            torch.set_rng_state(now)
        while group := list(itertools.islice(batches, self._task.accumulate)):
            yield group

    def evaluate(self) -> float:
        """Score the averaged weights, and keep them if they are the best."""
        current = self._copies()
        self._put(self._average)
        self._model.eval()
        with torch.inference_mode():
            score = self._task.score(self._model)
        if score > self.best:
            self.best, self.best_epoch, self._best_weights = score, self.epoch, self._copies()
        self._put(current)
        return score

    def finish(self) -> None:
        """Leave the best weights in the model."""
        self._put(self._best_weights)
        self._model.eval()

    def save(self, keep: Path | None) -> None:
        """Write where the run stands; a crash while writing leaves the former file."""
        self._saved_at_s = time.monotonic()
        if keep is None:
            return
        keep.parent.mkdir(parents=True, exist_ok=True)
        partial = keep.with_suffix(".partial")
        torch.save({name: getattr(self, name) for name in (*_KEPT, *_COPIES)} | self._states(), partial)
        partial.replace(keep)

    def resume(self, keep: Path | None) -> None:
        """Take up a run that was put aside, on whichever device the model is now."""
        if keep is None or not keep.exists():
            return
        found = torch.load(keep, weights_only=True, map_location="cpu")
        for name in _KEPT:
            setattr(self, name, found[name])
        for name in _COPIES:
            setattr(self, name, {key: value.to(self._weights[key].device) for key, value in found[name].items()})
        self._put(found["weights"])
        self._optimizer.load_state_dict(found["optimizer"])
        self._schedule.load_state_dict(found["schedule"])
        _set_random(found.get("random", []))
        _log.info("training.resumed", epoch=self.epoch, step=self._step, best=round(self.best, 4))

    def _states(self) -> dict[str, object]:
        schedule = self._schedule.state_dict()
        return {
            "weights": self._copies(),
            "optimizer": self._optimizer.state_dict(),
            "schedule": schedule,
            "random": _random(),
        }

    def _take(self, batches: list[torch.Tensor]) -> float:
        """Descend once and move the average along."""
        self._optimizer.zero_grad(set_to_none=True)
        rows, total = sum(len(batch) for batch in batches), 0.0
        for batch in batches:
            loss = self._task.loss(batch) * (len(batch) / rows)
            loss.backward()  # type: ignore[no-untyped-call]  # torch's own
            total += loss.item()
        torch.nn.utils.clip_grad_norm_(self._weights.values(), self._config.clip)
        self._optimizer.step()
        self._schedule.step()
        with torch.no_grad():
            weight = 1 - self._decay()
            torch._foreach_lerp_(list(self._average.values()), list(self._weights.values()), weight)
        return total

    def _decay(self) -> float:
        """Of the average: it forgets where the run began within the first steps, however few there will be."""
        taken = self._schedule.last_epoch
        return min(self._config.average_decay, (1 + taken) / (10 + taken))

    def _copies(self) -> dict[str, torch.Tensor]:
        return {name: weight.detach().clone() for name, weight in self._weights.items()}

    def _put(self, values: dict[str, torch.Tensor]) -> None:
        with torch.no_grad():
            for name, weight in self._weights.items():
                weight.copy_(values[name])

    def _groups(self) -> list[dict[str, object]]:
        """Weight decay for matrices, none for biases and norms."""
        decay = self._config.weight_decay
        return [
            {
                "params": [weight],
                "weight_decay": decay if weight.ndim > 1 else 0.0,
                "lr": self._config.learning_rate * self._task.rate_of(name),
            }
            for name, weight in self._weights.items()
        ]


def _rate(done: float, warmup_share: float) -> float:
    """Share of the learning rate at a share of the run: linear warm-up, then half a cosine."""
    warm = min(1.0, (done + 1e-3) / warmup_share)
    return warm * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))


def _random() -> list[torch.Tensor]:
    """Where the random numbers of the CPU stand, then those of each GPU in use."""
    return [torch.get_rng_state(), *(torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [])]


def _set_random(states: list[torch.Tensor]) -> None:
    if states:
        torch.set_rng_state(states[0])
    if len(states) > 1 and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(states[1:])
