"""`clipwarden train text`: labelled captions → a text checkpoint with its calibration, thresholds and card.

Two branches are trained one after the other, so that the quicker one does not leave the other nothing to learn; what
each then says of validation captions it has not seen decides how much it counts.
"""

import hashlib
import itertools
from collections.abc import Iterable
from dataclasses import asdict

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from torch import nn

from models.networks.hybrid import HybridTextConfig, HybridTextModel
from models.networks.packing import pack_modules, unpack_modules
from models.training.accents import as_served, learn_plain, lift_plain
from models.training.branches import LANGUAGES, EncoderBranch, NgramBranch, Rows, branch_task, spellings
from models.training.captions import Ids, encode, predict, predict_branches, predict_logits
from models.training.cards import text_card
from models.training.checkpoint import check_out, save_checkpoint
from models.training.config import LoopConfig, TextTraining
from models.training.data import TEXT_LABELS, Captions, Split, load_captions, with_harmless, with_second_labels
from models.training.encoder import Published, load_published
from models.training.evaluate import Figures, best_threshold, calibrate, measure
from models.training.loop import Report, fit, log_progress
from models.training.vocabulary import Vocabulary, cut_vocabulary

_SPELLING = 16
"""Most characters of a published piece."""
_LEAST_SLOPE = 0.05
_LEAST_SHARE = 0.01


def train_text(config: TextTraining, report: Report = log_progress) -> dict[str, Figures]:
    """Train, blend and calibrate on validation, save, and measure the saved weights once on test.

    A run that was killed goes on where it was, by what it left in the cache.

    Returns:
        Figures by what they were measured on, e.g. `vi pooled`; the card holds them too.

    Raises:
        ConfigError: the data, the published encoder or the folder cannot be used.
    """
    check_out(config.out)
    torch.manual_seed(config.random_state)
    torch.set_num_threads(config.threads)
    train, validation, test = (_load(config, split) for split in ("train", "validation", "test"))
    train = with_harmless(with_second_labels(train, config), config, measured=(validation, test))
    texts = spellings(train, config)
    model, vocabulary = build(config, load_published(), texts)
    validation_ids = encode(vocabulary.tokenizer, validation.table["text"])
    rows = Rows(train, texts, vocabulary.tokenizer)
    _fit_branches(config, model, rows, validation=(validation, validation_ids), report=report)
    model.config.packed = packing(config)
    pack_modules(model, model.config.packed)
    unpack_modules(model)
    logits = blend(model, validation, validation_ids)
    set_thresholds(model.config, validation, logits)
    learn_plain(model, train, vocabulary.tokenizer, random_state=config.random_state)
    lift_plain(model, validation, vocabulary.tokenizer, cut=-model.config.calibration_bias)
    # The lift moves captions that were typed so, too.
    set_thresholds(model.config, validation, predict_logits(as_served(model), validation_ids))
    pack_modules(model, model.config.packed)
    save_checkpoint(model, config.out, {"tokenizer.json": vocabulary.tokenizer.to_str(pretty=False)})
    saved = HybridTextModel.from_pretrained(config.out, dtype=torch.float32).eval()
    saved.encoder.bfloat16()
    figures = measure_text(saved, test, encode(vocabulary.tokenizer, test.table["text"]))
    (config.out / "README.md").write_text(text_card(config, saved, (train, validation, test), figures))
    return figures


def build(
    config: TextTraining, published: Published, texts: Iterable[Iterable[str]]
) -> tuple[HybridTextModel, Vocabulary]:
    """The network before training, over the pieces that the training captions use in any spelling."""
    vocabulary = cut_vocabulary(published, itertools.chain.from_iterable(texts), spelling=_SPELLING)
    vocabulary.tokenizer.enable_truncation(config.max_tokens)
    sizes = published.sizes
    model = HybridTextModel(
        HybridTextConfig(
            vocab_size=len(vocabulary.ids),
            width=sizes.width,
            layers=config.layers,
            heads=sizes.heads,
            inner=sizes.inner,
            rows=config.rows,
            dim=config.dim,
            first_letter_id=vocabulary.first_letter_id,
            spelling=_SPELLING,
            max_tokens=config.max_tokens,
            clipwarden_version=config.version,
        )
    )
    model.spelled.copy_(vocabulary.spelled)
    model.encoder = published.encoder(layers=config.layers, ids=vocabulary.ids, positions=config.max_tokens + 2)
    model.ngram_keep = config.ngram_keep
    return model, vocabulary


def packing(config: TextTraining) -> dict[str, int]:
    """Bits to keep of each number, by the start of a layer's name.

    What stays as published was published in 4 bits, so that these lose nothing; what training moved needs 8.
    """
    layers = {f"encoder.layers.{layer}": 4 if layer < config.frozen_layers else 8 for layer in range(config.layers)}
    return {"encoder.words": 4, **layers, "ngrams.table": 8}


def blend(model: HybridTextModel, validation: Captions, ids: Ids) -> NDArray[np.float32]:
    """Set how much each branch counts for each label, where the log loss on validation is least.

    Returns:
        (N, L) logits of the blend.
    """
    said = predict_branches(as_served(model), ids)
    for column in range(len(TEXT_LABELS)):
        truth = validation.targets[:, column]
        known = ~np.isnan(truth)
        weights, bias = _line(said[known, :, column], truth[known] > 0)
        with torch.no_grad():
            model.blend[:, column] = torch.from_numpy(weights)
            model.blend_bias[column] = bias
    logits: NDArray[np.float32] = (said * model.blend.detach().numpy()).sum(1) + model.blend_bias.detach().numpy()
    return logits


def _line(said: NDArray[np.float32], truth: NDArray[np.bool_]) -> tuple[NDArray[np.float64], float]:
    """Weights and bias of least log loss; where the data tells nothing apart, the same answer for all: its share."""
    if len(set(truth.tolist())) > 1:
        line = LogisticRegression(C=1.0).fit(said, truth)
        return line.coef_[0], float(line.intercept_[0])
    share = np.clip(truth.mean() if len(truth) else 0.0, _LEAST_SHARE, 1 - _LEAST_SHARE)
    return np.zeros(said.shape[1]), float(np.log(share / (1 - share)))


def set_thresholds(config: HybridTextConfig, validation: Captions, logits: NDArray[np.float32]) -> None:
    """Calibrate harm, and set each kind's threshold where its F1 is best."""
    harm = calibrate_sides(config, validation.harmful, logits[:, 0])
    config.thresholds = {TEXT_LABELS[0]: 0.5}
    for column, label in enumerate(TEXT_LABELS[1:], start=1):
        truth = np.where(validation.harmful, validation.targets[:, column], 0.0)
        known = ~np.isnan(truth)
        kind = harm / (1 + np.exp(-logits[:, column]))
        config.thresholds[label] = best_threshold(truth[known] > 0, kind[known])


def calibrate_sides(
    config: HybridTextConfig, truth: NDArray[np.bool_], logits: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Put the cut of the best macro-F1 at 0.5, and on either side of it set the temperature of least log loss.

    One temperature for both would have to be wrong: that cut is where about a third of the rows are harmful.

    Returns:
        (N,) probabilities of the logits under it.
    """
    calibrate(config, truth, logits)
    moved = logits.astype(np.float64) + config.calibration_bias
    config.calibration_temperature = _temperature(truth, moved, moved > 0)
    config.calibration_below = _temperature(truth, moved, moved <= 0)
    scaled = moved / np.where(moved > 0, config.calibration_temperature, config.calibration_below)
    return np.asarray(1 / (1 + np.exp(-scaled)))


def _temperature(truth: NDArray[np.bool_], moved: NDArray[np.float64], side: NDArray[np.bool_]) -> float:
    if not 0 < truth[side].sum() < side.sum():
        return 1.0
    line = LogisticRegression(C=np.inf, fit_intercept=False).fit(moved[side].reshape(-1, 1), truth[side])
    return 1 / max(float(line.coef_[0, 0]), _LEAST_SLOPE)


def measure_text(model: nn.Module, test: Captions, ids: Ids) -> dict[str, Figures]:
    """Figures of harmful at the model's own threshold: each language pooled, then each source."""
    probabilities = predict(model, ids)[:, 0]
    masks = {f"{language} pooled": (test.table["lang"] == language).to_numpy() for language in LANGUAGES}
    masks |= {name: (test.table["source"] == name).to_numpy() for name in test.table["source"].unique()}
    return {name: measure(test.harmful[mask], probabilities[mask], 0.5) for name, mask in masks.items() if mask.any()}


def _load(config: TextTraining, split: Split) -> Captions:
    return load_captions(config.data, split, sources=config.sources, random_state=config.random_state)


def _fit_branches(
    config: TextTraining, model: HybridTextModel, rows: Rows, *, validation: tuple[Captions, Ids], report: Report
) -> None:
    mark = hashlib.sha256(repr(asdict(config) | {"out": "", "cache": ""}).encode()).hexdigest()[:12]
    parts: dict[str, tuple[EncoderBranch | NgramBranch, LoopConfig]] = {
        "ngrams": (NgramBranch(model), config.ngram_loop),
        "encoder": (EncoderBranch(model, frozen_layers=config.frozen_layers), config.encoder_loop),
    }
    for name, (branch, loop) in parts.items():
        task = branch_task(branch, rows, validation, loop, config=config)
        fit(branch, task, loop, report, keep=config.cache / f"text-{mark}" / f"{name}.pt")
    model.train(mode=False)
