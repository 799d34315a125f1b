"""`clipwarden train text`: labelled captions → a text checkpoint with its calibration, thresholds and card."""

import unicodedata
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import nn
from torch.nn import functional

from models.networks.text import NgramTextConfig, NgramTextModel
from models.training.captions import Ids, encode, pad, predict, predict_logits
from models.training.cards import text_card
from models.training.checkpoint import check_out, save_checkpoint
from models.training.config import TextTraining
from models.training.data import TEXT_LABELS, Captions, Split, load_captions
from models.training.evaluate import Figures, best_threshold, calibrate, measure
from models.training.loop import Report, Task, fit, log_progress
from models.training.vocabulary import build_tokenizer

_LANGUAGES = ("vi", "en")


def train_text(config: TextTraining, report: Report = log_progress) -> dict[str, Figures]:
    """Train, calibrate on validation, save, and measure the saved weights once on test.

    Returns:
        Figures by what they were measured on, e.g. `vi pooled`; the card holds them too.

    Raises:
        ConfigError: the data or the folder cannot be used.
    """
    check_out(config.out)
    torch.manual_seed(config.random_state)
    torch.set_num_threads(config.threads)
    train, validation, test = (_load(config, split) for split in ("train", "validation", "test"))
    tokenizer, first_letter_id = build_tokenizer(train.table["text"], min_char_count=config.min_char_count)
    tokenizer.enable_truncation(config.max_tokens)
    model = _build(config, tokenizer, first_letter_id)
    validation_ids = encode(tokenizer, validation.table["text"])
    fit(model, _task(config, model, _Rows(train, tokenizer, config), (validation, validation_ids)), config.loop, report)
    set_thresholds(model.config, validation, predict_logits(model, validation_ids))
    save_checkpoint(model, config.out, {"tokenizer.json": tokenizer.to_str(pretty=True)})
    saved = NgramTextModel.from_pretrained(config.out, dtype=torch.float32)
    figures = measure_text(saved, test, encode(tokenizer, test.table["text"]))
    (config.out / "README.md").write_text(text_card(config, saved, (train, validation, test), figures))
    return figures


def set_thresholds(config: NgramTextConfig, validation: Captions, logits: NDArray[np.float32]) -> None:
    """Calibrate harm, and set each kind's threshold where its F1 is best."""
    harm = calibrate(config, validation.harmful, logits[:, 0])
    config.thresholds = {TEXT_LABELS[0]: 0.5}
    for column, label in enumerate(TEXT_LABELS[1:], start=1):
        truth = np.where(validation.harmful, validation.targets[:, column], 0.0)
        known = ~np.isnan(truth)
        kind = harm / (1 + np.exp(-logits[:, column]))
        config.thresholds[label] = best_threshold(truth[known] > 0, kind[known])


def measure_text(model: nn.Module, test: Captions, ids: Ids) -> dict[str, Figures]:
    """Figures of harmful at the model's own threshold: each language pooled, then each source."""
    probabilities = predict(model, ids)[:, 0]
    masks = {f"{language} pooled": (test.table["lang"] == language).to_numpy() for language in _LANGUAGES}
    masks |= {name: (test.table["source"] == name).to_numpy() for name in test.table["source"].unique()}
    return {name: measure(test.harmful[mask], probabilities[mask], 0.5) for name, mask in masks.items() if mask.any()}


def _load(config: TextTraining, split: Split) -> Captions:
    return load_captions(config.data, split, sources=config.sources, random_state=config.random_state)


def _build(config: TextTraining, tokenizer: Tokenizer, first_letter_id: int) -> NgramTextModel:
    model = NgramTextModel(
        NgramTextConfig(
            rows=config.rows,
            dim=config.dim,
            first_letter_id=first_letter_id,
            max_tokens=config.max_tokens,
            vocab_size=tokenizer.get_vocab_size(),
            clipwarden_version=config.version,
        )
    )
    model.ngram_keep = config.ngram_keep
    return model


class _Rows:
    """The training captions, as written and without accents; each epoch mixes the two."""

    def __init__(self, train: Captions, tokenizer: Tokenizer, config: TextTraining) -> None:
        self.targets = torch.from_numpy(train.targets)
        self._written = encode(tokenizer, train.table["text"])
        self._plain = encode(tokenizer, [_without_accents(text) for text in train.table["text"]])
        self._plain_share = torch.from_numpy((train.table["lang"] == "vi").to_numpy() * config.plain_share)
        self._batch_size = config.loop.batch_size

    def batches(self) -> Iterator[torch.Tensor]:
        """Every row once, captions of like length together, in random order."""
        lengths = torch.tensor([len(ids) for ids in self._written], dtype=torch.float)
        by_length = (lengths * torch.randn(len(lengths)).mul(0.1).exp()).argsort()
        parts = torch.split(by_length, self._batch_size)
        return (parts[place] for place in torch.randperm(len(parts)).tolist())

    def inputs(self, batch: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Padded ids and mask of some rows."""
        is_plain = torch.rand(len(batch)) < self._plain_share[batch]
        chosen = zip(batch.tolist(), is_plain.tolist(), strict=True)
        return pad([self._plain[row] if plain else self._written[row] for row, plain in chosen])


def _task(config: TextTraining, model: NgramTextModel, rows: _Rows, validation: tuple[Captions, Ids]) -> Task:
    captions, validation_ids = validation
    languages = [(captions.table["lang"] == language).to_numpy() for language in _LANGUAGES]

    def loss(batch: torch.Tensor) -> torch.Tensor:
        targets = rows.targets[batch]
        known = ~targets.isnan()
        smooth = targets[known] * (1 - 2 * config.label_smoothing) + config.label_smoothing
        logits = model.logits(*rows.inputs(batch))[known]
        return functional.binary_cross_entropy_with_logits(logits, smooth, reduction="sum") / len(batch)

    def score(averaged: nn.Module) -> float:
        logits = predict_logits(averaged, validation_ids)[:, 0]
        return float(
            np.mean([measure(captions.harmful[mask], logits[mask], 0.0).ap for mask in languages if mask.any()])
        )

    return Task(rows.batches, loss, score)


def _without_accents(text: str) -> str:
    """The text as typed on a keyboard without Vietnamese letters."""
    decomposed = unicodedata.normalize("NFD", text)
    plain = "".join(char for char in decomposed if not unicodedata.combining(char))
    return plain.replace("đ", "d").replace("Đ", "D")
