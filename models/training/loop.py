"""The one optimisation loop: step, schedule, evaluate, keep the best, stop early."""

import copy
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import structlog
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from models.training.config import LoopConfig

_log = structlog.get_logger()


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


Report = Callable[[Progress], None]


def log_progress(progress: Progress) -> None:
    """Report to the log."""
    _log.info("training.epoch", **{name: round(value, 4) for name, value in vars(progress).items()})


@dataclass(frozen=True)
class Task:
    """What the loop does not know.

    Attributes:
        batches: a fresh pass over the training rows: indices of each batch.
        loss: of one batch.
        score: of a model in eval mode, on validation; larger is better.
    """

    batches: Callable[[], Iterable[torch.Tensor]]
    loss: Callable[[torch.Tensor], torch.Tensor]
    score: Callable[[nn.Module], float]


def fit(model: nn.Module, task: Task, config: LoopConfig, report: Report = log_progress) -> float:
    """Train until validation stops improving; the model ends in eval mode with the averaged weights that scored best.

    What is evaluated and kept is a moving average of the weights: on noisy labels it beats any single step.
    """
    optimizer = torch.optim.AdamW(_groups(model, config), lr=config.learning_rate, betas=(0.9, 0.99))
    steps = config.epochs * sum(1 for _ in task.batches())
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step / steps, config.warmup_share))
    average = AveragedModel(model, multi_avg_fn=_moving(config.average_decay))
    best, best_epoch, best_weights = -math.inf, 0, copy.deepcopy(model.state_dict())
    started = time.monotonic()
    for epoch in range(1, config.epochs + 1):
        loss = _train_epoch(model, task, Steps(optimizer, schedule, average))
        score = _evaluate(average.module, task)
        if score > best:
            best, best_epoch, best_weights = score, epoch, copy.deepcopy(average.module.state_dict())
        left_s = (time.monotonic() - started) / epoch * (config.epochs - epoch)
        report(Progress(epoch, config.epochs, loss, score, best, left_s))
        if epoch - best_epoch >= config.patience:
            break
    model.load_state_dict(best_weights)
    model.eval()
    return best


@dataclass(frozen=True)
class Steps:
    """What follows each backward pass."""

    optimizer: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler
    average: AveragedModel

    def take(self, model: nn.Module, loss: torch.Tensor) -> None:
        """Descend once and move the average along."""
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]  # torch's own
        self.optimizer.step()
        self.schedule.step()
        self.average.update_parameters(model)


def _train_epoch(model: nn.Module, task: Task, steps: Steps) -> float:
    """One pass over the training rows; the mean loss."""
    model.train()
    losses = []
    for batch in task.batches():
        loss = task.loss(batch)
        steps.take(model, loss)
        losses.append(loss.item())
    return sum(losses) / max(len(losses), 1)


def _moving(decay: float) -> Callable[..., None]:
    average: Callable[..., None] = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]  # torch's own
    return average


def _evaluate(model: nn.Module, task: Task) -> float:
    model.eval()
    with torch.inference_mode():
        return task.score(model)


def _groups(model: nn.Module, config: LoopConfig) -> list[dict[str, object]]:
    """Weight decay for matrices, none for biases and norms."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    matrices = [parameter for parameter in trained if parameter.ndim > 1]
    others = [parameter for parameter in trained if parameter.ndim <= 1]
    return [{"params": matrices, "weight_decay": config.weight_decay}, {"params": others, "weight_decay": 0.0}]


def _rate(done: float, warmup_share: float) -> float:
    """Share of the learning rate at a share of the run: linear warm-up, then half a cosine."""
    warm = min(1.0, (done + 1e-3) / warmup_share)
    return warm * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
