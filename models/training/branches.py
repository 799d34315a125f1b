"""The two branches of the text network as tasks for the loop: what each reads, its loss, its score."""

import random
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import nn
from torch.func import functional_call
from torch.nn import functional

from models.networks.encoder import Encoder
from models.networks.hybrid import HybridTextModel
from models.networks.packing import rounded
from models.training.captions import Ids, encode, pad, predict_logits
from models.training.config import LoopConfig, TextTraining
from models.training.data import Captions
from models.training.evaluate import measure
from models.training.loop import Task
from models.training.noise import disguised

LANGUAGES = ("vi", "en")
_UNKNOWN_ID = 3


class Rows:
    """The training captions as written and in other spellings; each epoch mixes them."""

    def __init__(self, train: Captions, texts: Sequence[Sequence[str]], tokenizer: Tokenizer) -> None:
        self.targets = torch.from_numpy(train.targets)
        self._is_plenty = torch.from_numpy(~train.harmful & (train.table["lang"] == "vi").to_numpy())
        self._spellings = [encode(tokenizer, spelling) for spelling in texts]
        self._lengths = torch.tensor([len(ids) for ids in self._spellings[0]], dtype=torch.float)

    def batches(self, size: int, safe_share: float) -> Iterator[torch.Tensor]:
        """Every row once, but a share of the safe Vietnamese ones; like lengths together, in random order."""
        by_length = (self._lengths * torch.randn(len(self._lengths)).mul(0.1).exp()).argsort()
        is_in = ~self._is_plenty | (torch.rand(len(by_length)) < safe_share)
        parts = torch.split(by_length[is_in[by_length]], size)
        return (parts[place] for place in torch.randperm(len(parts)).tolist())

    def weights(self, batch: torch.Tensor, safe_share: float) -> torch.Tensor:
        """How many rows each row of a batch stands for."""
        return torch.where(self._is_plenty[batch], 1 / safe_share, 1.0)

    def inputs(self, batch: torch.Tensor, *, most: int, disguised_share: float) -> tuple[torch.Tensor, torch.Tensor]:
        """Padded ids and mask of some rows, of each at most its last pieces, a share of them in another spelling."""
        others = len(self._spellings) - 1
        drawn = torch.rand(len(batch))
        spelling = 1 + (drawn / disguised_share * others).long()
        chosen = torch.where(drawn < disguised_share, spelling, 0).clamp(max=others)
        pairs = zip(batch.tolist(), chosen.tolist(), strict=True)
        return pad([self._spellings[spelling][row][-most:] for row, spelling in pairs])


def spellings(train: Captions, config: TextTraining) -> list[list[str]]:
    """The captions as written, then as many other spellings of all of them as the config asks for."""
    rng = random.Random(config.random_state)  # noqa: S311 - no secret
    texts, languages = train.table["text"].tolist(), train.table["lang"].tolist()
    pairs = list(zip(texts, languages, strict=True))
    others = [[disguised(text, rng, language=language) for text, language in pairs] for _ in range(config.disguises)]
    return [texts, *others]


class HalfEncoder(nn.Module):
    """An encoder that computes in bfloat16 with weights kept in full, as they would come back from a checkpoint.

    Attributes:
        bits: of the codes its layers will be stored in; 0 while they are not rounded.
    """

    def __init__(self, encoder: Encoder, bits: int = 0) -> None:
        super().__init__()
        self.encoder = encoder
        self.bits = bits

    def forward(self, input_ids: torch.Tensor, is_real: torch.Tensor) -> torch.Tensor:
        """As the encoder's own."""
        weights = {name: self._as_stored(name, weight) for name, weight in self.encoder.named_parameters()}
        states: torch.Tensor = functional_call(self.encoder, weights, (input_ids, is_real))
        return states

    def _as_stored(self, name: str, weight: torch.Tensor) -> torch.Tensor:
        if self.bits and weight.ndim > 1 and name.startswith("layers."):
            # The gradient passes as if nothing had been rounded.
            weight = weight + (rounded(weight.detach(), self.bits) - weight).detach()
        return weight.bfloat16()


class EncoderBranch(nn.Module):
    """The encoder and its head."""

    def __init__(self, model: HybridTextModel, *, frozen_layers: int = 0, bits: int = 0) -> None:
        super().__init__()
        self.encoder = HalfEncoder(model.encoder, bits)
        self.head = nn.ModuleDict(
            {name: getattr(model, name) for name in ("read", "norm", "attention", "piece_logits")}
        )
        self._model = [model]
        encoder = model.encoder
        for part in (encoder.words, encoder.places, encoder.norm, *encoder.layers[:frozen_layers]):
            part.requires_grad_(requires_grad=False)

    def logits(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """(B, L)."""
        model = self._model[0]
        _, contributions = model.read_states(*model.bordered_states(self.encoder, input_ids, attention_mask))
        return contributions.sum(1)


class NgramBranch(nn.Module):
    """The n-gram reader over what the pieces spell."""

    def __init__(self, model: HybridTextModel) -> None:
        super().__init__()
        self.ngrams = model.ngrams
        self._model = [model]

    def logits(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """(B, L)."""
        said, _ = self._model[0].read_words(input_ids, attention_mask)
        return said.sum(1) + self.ngrams.linear.bias


def branch_task(
    branch: EncoderBranch | NgramBranch,
    rows: Rows,
    validation: tuple[Captions, Ids],
    loop: LoopConfig,
    *,
    config: TextTraining,
) -> Task:
    """The task of a branch, scored by the mean average precision over the languages."""
    is_encoder = isinstance(branch, EncoderBranch)
    drop, safe_share = (config.word_dropout, config.safe_share) if is_encoder else (0.0, 1.0)
    most = config.train_tokens if is_encoder else config.max_tokens

    def loss(batch: torch.Tensor) -> torch.Tensor:
        targets = rows.targets[batch]
        known = ~targets.isnan()
        smooth = targets[known] * (1 - 2 * config.label_smoothing) + config.label_smoothing
        ids, mask = rows.inputs(batch, most=most, disguised_share=config.disguised_share)
        ids = torch.where(torch.rand(ids.shape) < drop, _UNKNOWN_ID, ids)
        logits = branch.logits(ids, mask)[known]
        weights = rows.weights(batch, safe_share).unsqueeze(1).expand_as(known)[known]
        total = functional.binary_cross_entropy_with_logits(logits, smooth, weights, reduction="sum")
        return total / len(batch)

    return Task(lambda: rows.batches(loop.batch_size, safe_share), loss, scorer(*validation), _rates(config))


def scorer(captions: Captions, ids: Ids) -> Callable[[nn.Module], float]:
    """Mean average precision of harm over the languages."""
    languages = [(captions.table["lang"] == language).to_numpy() for language in LANGUAGES]

    def score(branch: nn.Module) -> float:
        logits = predict_logits(branch, ids)[:, 0]
        return float(
            np.mean([measure(captions.harmful[mask], logits[mask], 0.0).ap for mask in languages if mask.any()])
        )

    return score


def _rates(config: TextTraining) -> Callable[[str], float]:
    def rate(name: str) -> float:
        if name.startswith("head."):
            return config.head_rate
        if ".layers." in name:
            layer = int(name.partition(".layers.")[2].partition(".")[0])
            return float(config.layer_decay ** (config.layers - 1 - layer))
        return 1.0 if name.startswith("ngrams.") else float(config.layer_decay**config.layers)

    return rate
