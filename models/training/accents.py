"""Vietnamese typed without its accents: told from other captions, and lifted until its harm is found as often."""

import copy

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from tokenizers import Tokenizer

from models.networks.hybrid import HybridTextModel
from models.training.captions import encode, predict_logits, predict_summaries
from models.training.data import Captions
from models.training.noise import without_accents

_CAPTIONS = 4_000
_RECALL_KEPT = 0.95
"""Of the recall with accents. All of it would cost more: what people really type without them is less often harmful."""
_LIFTS = np.arange(0.0, 2.01, 0.05)
VIETNAMESE = "vi"


def as_served(model: HybridTextModel) -> HybridTextModel:
    """A copy whose encoder computes in bfloat16."""
    reading = copy.deepcopy(model)
    reading.encoder.bfloat16()
    return reading


def learn_plain(model: HybridTextModel, train: Captions, tokenizer: Tokenizer, *, random_state: int) -> None:
    """Fit what tells Vietnamese without accents from Vietnamese with them, and from English; no lift yet."""
    table = train.table.sample(min(_CAPTIONS, len(train)), random_state=random_state)
    is_vietnamese = (table["lang"] == VIETNAMESE).to_numpy()
    texts = table["text"].tolist()
    plain = [without_accents(text) for text in texts]
    is_plain = is_vietnamese & np.array([text == bare for text, bare in zip(texts, plain, strict=True)], dtype=bool)
    asked = texts + [text for text, is_vi in zip(plain, is_vietnamese, strict=True) if is_vi]
    truth = np.concatenate([is_plain, np.ones(int(is_vietnamese.sum()), dtype=bool)])
    if not 0 < truth.sum() < len(truth):
        return
    line = LogisticRegression(max_iter=1_000).fit(predict_summaries(as_served(model), encode(tokenizer, asked)), truth)
    model.config.plain_line = [round(float(number), 4) for number in (*line.intercept_, *line.coef_[0])]
    model.set_plain_line()


def lift_plain(model: HybridTextModel, validation: Captions, tokenizer: Tokenizer, *, cut: float) -> None:
    """Set the least lift with which harm that lost its accents is found nearly as often as it was with them.

    Args:
        model: its lift is still 0.
        validation: whose harmful Vietnamese captions are asked.
        tokenizer: of the model.
        cut: the uncalibrated logit from which on a caption is harmful.
    """
    harmful = validation.where(validation.harmful & (validation.table["lang"] == VIETNAMESE).to_numpy())
    if not len(harmful):
        return
    texts = harmful.table["text"].tolist()
    bare = encode(tokenizer, [without_accents(text) for text in texts])
    reading = as_served(model)
    found = float((predict_logits(reading, encode(tokenizer, texts))[:, 0] > cut).mean())
    before = predict_logits(reading, bare)[:, 0]
    with torch.inference_mode():
        is_plain = reading.plain(torch.from_numpy(predict_summaries(reading, bare)))[:, 0].numpy()
    model.config.plain_lift = _least_lift(before, is_plain, cut=cut, recall=_RECALL_KEPT * found)


def _least_lift(logits: NDArray[np.float32], is_plain: NDArray[np.float32], *, cut: float, recall: float) -> float:
    reached = ((logits + lift * is_plain > cut).mean() >= recall for lift in _LIFTS)
    return round(float(next((lift for lift, enough in zip(_LIFTS, reached, strict=True) if enough), _LIFTS[-1])), 2)
