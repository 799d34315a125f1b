"""Captions → padded ids → a text network's answers, in batches of like length."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import nn

Ids = list[torch.Tensor]
_BATCH = 256


def encode(tokenizer: Tokenizer, texts: Iterable[str]) -> Ids:
    """Captions as id tensors."""
    return [torch.tensor(encoding.ids, dtype=torch.long) for encoding in tokenizer.encode_batch(list(texts))]


def pad(ids: Sequence[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """Captions of any length → (B, S) ids and mask, S at least 1."""
    longest = max(1, *(len(caption) for caption in ids))
    mask = torch.zeros(len(ids), longest, dtype=torch.long)
    padded = torch.zeros_like(mask)
    for row, caption in enumerate(ids):
        padded[row, : len(caption)] = caption
        mask[row, : len(caption)] = 1
    return padded, mask


def predict_logits(model: nn.Module, ids: Ids) -> NDArray[np.float32]:
    """Uncalibrated (N, L) logits."""
    return _by_length(model.logits, ids)  # type: ignore[arg-type]  # torch types attributes as modules


def predict_branches(model: nn.Module, ids: Ids) -> NDArray[np.float32]:
    """What each branch of a hybrid network says for itself, (N, 2, L)."""
    return _by_length(model.branch_logits, ids)  # type: ignore[arg-type]  # torch types attributes as modules


def predict_summaries(model: nn.Module, ids: Ids) -> NDArray[np.float32]:
    """What a hybrid network's encoder makes of each caption, (N, H)."""
    return _by_length(model.summary, ids)  # type: ignore[arg-type]  # torch types attributes as modules


def predict(model: nn.Module, ids: Ids) -> NDArray[np.float32]:
    """Probabilities (N, L) as served."""
    return _by_length(lambda padded, mask: model(padded, mask).probabilities, ids)


def _by_length(network: Callable[[torch.Tensor, torch.Tensor], torch.Tensor], ids: Ids) -> NDArray[np.float32]:
    order = sorted(range(len(ids)), key=lambda row: len(ids[row]))
    batches = (order[start : start + _BATCH] for start in range(0, len(order), _BATCH))
    with torch.inference_mode():
        parts = [network(*pad([ids[row] for row in batch])) for batch in batches]
    result = np.empty((len(ids), *parts[0].shape[1:]), dtype=np.float32)
    result[order] = torch.cat(parts).numpy()
    return result
