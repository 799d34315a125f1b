"""`clipwarden train text|video --recipe`: a published encoder, fine-tuned → a folder that is served like any other.

What is learnt from is what serving computes: its tokenizer, its decoder, its pixels, through the network it will load.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import structlog
import torch
from numpy.typing import NDArray
from sklearn.metrics import f1_score
from torch.nn import functional

from core.errors import ConfigError
from core.labels import HARMFUL_LABEL
from models.networks.adapters import HuggingFaceText, HuggingFaceVideo
from models.networks.loading import load_text, load_video
from models.training.checkpoint import check_out, save_checkpoint
from models.training.data import SPLITS, Split, load_captions
from models.training.evaluate import Figures, calibrate, measure
from models.training.examples import Arguments, Examples, caption_examples, clip_examples
from models.training.finetune_card import finetune_card
from models.training.foundation import load_text_foundation, load_video_foundation
from models.training.loop import Report, Task, fit, log_progress
from models.training.recipes import Finetuning, Recipe, TextRecipe, VideoRecipe

Network = HuggingFaceText | HuggingFaceVideo
_COOLEST, _HOTTEST = 0.05, 20.0
"""Temperatures between which validation tells something about the size of logits."""
_CUTS = 101
_log = structlog.get_logger()


@dataclass(frozen=True)
class Subject:
    """What is trained, on what, and how it is loaded again."""

    network: Network
    splits: Mapping[Split, Examples]
    files: dict[str, str]
    load: Callable[[Path], Network]


def finetune(config: Finetuning, report: Report = log_progress) -> dict[str, Figures]:
    """Train, calibrate on validation, save, and measure the saved folder once on test.

    A run that was killed goes on where it was, by what it left in the cache.

    Returns:
        Figures by what they were measured on; the card holds them too.

    Raises:
        ConfigError: the data, the encoder, the device or the folder cannot be used.
        MediaError: a clip cannot be decoded.
    """
    recipe = config.recipe
    check_out(config.out)
    device = _device(recipe)
    _log.info("training.started", computed_on=device.type, **recipe.model_dump(mode="json"))
    torch.manual_seed(recipe.random_state)
    subject = _text(config, recipe) if isinstance(recipe, TextRecipe) else _video(config, recipe)
    keep = config.cache / f"finetune-{_mark(recipe, subject)}.pt"
    network = subject.network.to(device)
    fit(network, finetune_task(recipe, network, subject.splits, device), recipe.loop, report, keep=keep)
    # As the weights will be stored.
    network.to(torch.float16).float()
    validation = subject.splits["validation"]
    set_calibration(network.config, validation.harmful.numpy(), predict(network.harm, validation, recipe, device))
    network.config.clipwarden_version = config.version
    save_checkpoint(network.model.cpu(), config.out, subject.files)
    saved = subject.load(config.out).to(device)
    figures = _measure(saved, subject.splits, recipe, device)
    (config.out / "README.md").write_text(finetune_card(config, saved, subject.splits, figures), encoding="utf-8")
    keep.unlink(missing_ok=True)
    return figures


def finetune_task(recipe: Recipe, network: Network, splits: Mapping[Split, Examples], device: torch.device) -> Task:
    """What the loop is to learn: harmful or not; scored by average precision on validation."""
    train, validation = splits["train"], splits["validation"]
    harmful = train.harmful.float()
    weight_of = class_weights(train.harmful, recipe.class_weights)
    flip_share = recipe.flip_share if isinstance(recipe, VideoRecipe) else 0.0

    def loss(batch: torch.Tensor) -> torch.Tensor:
        arguments = _flipped(train.read(batch), flip_share)
        with _precision(recipe, device):
            logits = network.harm(*_on(device, arguments))[:, 0].float()
        targets = harmful[batch] * (1 - 2 * recipe.label_smoothing) + recipe.label_smoothing
        weights = weight_of[train.harmful[batch].long()]
        inputs = (logits, targets.to(device), weights.to(device))
        # A sum over the batch's rows, so that several batches add up to a larger one.
        return functional.binary_cross_entropy_with_logits(*inputs, reduction="sum") / len(batch)

    def score(_: torch.nn.Module) -> float:
        with _precision(recipe, device):
            logits = predict(network.harm, validation, recipe, device)
        return measure(validation.harmful.numpy(), logits, 0.0).ap

    return Task(lambda: train.batches(recipe.batch_size), loss, score, accumulate=recipe.accumulate)


def class_weights(harmful: torch.Tensor, how: str) -> torch.Tensor:
    """(2,) weights of a safe and of a harmful row; balanced ones make both labels count alike and have mean 1."""
    counts = torch.bincount(harmful.long(), minlength=2).float()
    return counts.sum() / (2 * counts) if how == "balanced" else torch.ones(2)


def predict(
    answer: Callable[..., torch.Tensor], examples: Examples, recipe: Recipe, device: torch.device
) -> NDArray[np.float32]:
    """(N,) of what the network answers, (B, 1) or (B, L), for each row: its first column."""
    said = np.empty(len(examples), dtype=np.float32)
    with torch.inference_mode():
        for rows in torch.split(examples.lengths.argsort(stable=True), 2 * recipe.batch_size):
            said[rows.numpy()] = answer(*_on(device, examples.read(rows)))[:, 0].float().cpu().numpy()
    return said


def set_calibration(config: Any, truth: NDArray[np.bool_], logits: NDArray[np.float32]) -> None:  # noqa: ANN401 - any checkpoint's config
    """Put the cut of the best macro-F1 at 0.5, with the temperature of least log loss where validation tells one."""
    config.thresholds = {HARMFUL_LABEL: 0.5}
    if logits[truth].min() <= logits[~truth].max():
        # Where logits tell nothing, the slope that a temperature is one over is 0.
        with suppress(ZeroDivisionError):
            calibrate(config, truth, logits)
            if _COOLEST <= config.calibration_temperature <= _HOTTEST:
                return
    # All rows are told apart, or none: the size of the logits stays as it is.
    _log.warning("training.temperature_unknown", rows=len(truth))
    config.calibration_temperature, config.calibration_bias = 1.0, -_middle_cut(truth, logits)


def _middle_cut(truth: NDArray[np.bool_], logits: NDArray[np.float32]) -> float:
    """The middle of the cuts of the best macro-F1."""
    cuts = np.quantile(logits.astype(np.float64), np.linspace(0, 1, _CUTS))
    scores = np.array([f1_score(truth, logits >= cut, average="macro", zero_division=0) for cut in cuts])
    best = cuts[scores == scores.max()]
    return float((best[0] + best[-1]) / 2)


def _text(config: Finetuning, recipe: TextRecipe) -> Subject:
    foundation = load_text_foundation(recipe)
    parts = {
        split: load_captions(config.data, split, sources=recipe.sources, random_state=recipe.random_state)
        for split in SPLITS
    }
    splits = {split: caption_examples(captions, foundation.tokenizer) for split, captions in parts.items()}
    return Subject(foundation.network, splits, foundation.files, lambda folder: load_text(folder).network)


def _video(config: Finetuning, recipe: VideoRecipe) -> Subject:
    foundation = load_video_foundation(recipe)
    splits = clip_examples(config.data / "video", foundation.clip, cache=config.cache)
    return Subject(foundation.network, splits, foundation.files, lambda folder: load_video(folder).network)


def _measure(
    saved: Network, splits: Mapping[Split, Examples], recipe: Recipe, device: torch.device
) -> dict[str, Figures]:
    """Figures of the folder as it is served, at 0.5."""

    def answer(*arguments: torch.Tensor) -> torch.Tensor:
        return saved(*arguments).probabilities  # type: ignore[no-any-return]  # torch types no call

    figures = {}
    for split in SPLITS[1:]:
        said, truth = predict(answer, splits[split], recipe, device), splits[split].harmful.numpy()
        for name, mask in _sets(split, splits[split]):
            figures[name] = measure(truth[mask], said[mask], 0.5)
    return figures


def _sets(split: Split, examples: Examples) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """The whole split; of captions on test also each language and source."""
    yield split, np.ones(len(examples), dtype=bool)
    if split == "test" and "lang" in examples.table:
        for column, kind in (("lang", " pooled"), ("source", "")):
            for name in examples.table[column].unique():
                yield f"{name}{kind}", (examples.table[column] == name).to_numpy(dtype=bool)


def _device(recipe: Recipe) -> torch.device:
    has_gpu = torch.cuda.is_available()
    if recipe.device == "cuda" and not has_gpu:
        raise ConfigError("the recipe's device is cuda, and PyTorch finds none; set it to auto or cpu")
    return torch.device("cuda" if has_gpu and recipe.device != "cpu" else "cpu")


def _precision(recipe: Recipe, device: torch.device) -> torch.autocast:
    return torch.autocast(device.type, torch.bfloat16, enabled=recipe.precision == "bf16")


def _on(device: torch.device, arguments: Arguments) -> Arguments:
    return tuple(argument.to(device) for argument in arguments)


def _flipped(arguments: Arguments, share: float) -> Arguments:
    """Clips, (B, T, H, W, 3), some of them mirrored."""
    if share == 0:
        return arguments
    is_flipped = (torch.rand(len(arguments[0])) < share).view(-1, 1, 1, 1, 1)
    return (torch.where(is_flipped, arguments[0].flip(3), arguments[0]),)


def _mark(recipe: Recipe, subject: Subject) -> str:
    """What a run depends on: its recipe, the encoder's weights, its data."""
    weights = [float(weight.detach().double().sum()) for weight in subject.network.parameters()]
    data = [examples.digest for examples in subject.splits.values()]
    return hashlib.sha256(f"{recipe!r} {weights} {data}".encode()).hexdigest()[:16]
