import numpy as np
import pandas as pd
import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Split

from models.networks.hybrid import HybridTextConfig, HybridTextModel
from models.training.accents import as_served, learn_plain, lift_plain
from models.training.captions import encode, predict_logits, predict_summaries
from models.training.data import TEXT_LABELS, Captions
from models.training.noise import without_accents

LETTERS = ["<pad>", "<unk>", " ", *"abcdeghiklmnopqrstuvxy", *"áàảãạăâếềểêđôơưứừíìúù"]
WORDS = {
    "vi": ("chế", "đồ", "ứng", "xấu", "bạn", "tệ", "cảm", "ơn", "mừng", "trời"),
    "en": ("cat", "good", "had", "sun"),
}


@pytest.fixture
def tokenizer() -> Tokenizer:
    letters = {letter: number for number, letter in enumerate(dict.fromkeys(LETTERS))}
    made = Tokenizer(WordLevel(letters, unk_token="<unk>"))
    made.pre_tokenizer = Split("", "isolated")
    return made


@pytest.fixture
def model() -> HybridTextModel:
    torch.manual_seed(0)
    sizes = {"vocab_size": len(LETTERS), "width": 32, "layers": 1, "heads": 2, "inner": 64, "hidden": 16}
    network = HybridTextModel(HybridTextConfig(**sizes, rows=1 << 10, dim=8, word_hidden=8, spelling=1, max_tokens=60))
    network.spelled.copy_(torch.arange(len(LETTERS)).unsqueeze(1))
    return network.eval()


@pytest.fixture
def captions() -> Captions:
    rng = np.random.default_rng(0)
    languages = ["vi"] * 200 + ["en"] * 100
    table = pd.DataFrame({"text": [" ".join(rng.choice(WORDS[lang], 5)) for lang in languages], "lang": languages})
    return Captions(table.assign(source="own"), rng.integers(0, 2, (300, len(TEXT_LABELS))).astype(np.float32))


def plainness(model: HybridTextModel, tokenizer: Tokenizer, texts: list[str]) -> float:
    """How sure the network is that these lost their accents."""
    with torch.inference_mode():
        summaries = torch.from_numpy(predict_summaries(as_served(model), encode(tokenizer, texts)))
        return model.plain(summaries).mean().item()


def test_vietnamese_without_accents_is_told_from_the_rest(
    model: HybridTextModel, captions: Captions, tokenizer: Tokenizer
) -> None:
    learn_plain(model, captions, tokenizer, random_state=0)

    texts = captions.table["text"].tolist()
    assert plainness(model, tokenizer, [without_accents(text) for text in texts[:200]]) > 0.6
    assert plainness(model, tokenizer, texts[:200]) < 0.35
    assert plainness(model, tokenizer, texts[200:]) < 0.35


def test_harm_that_lost_its_accents_is_found_nearly_as_often(
    model: HybridTextModel, captions: Captions, tokenizer: Tokenizer
) -> None:
    learn_plain(model, captions, tokenizer, random_state=0)
    texts = captions.where(captions.harmful & (captions.table["lang"] == "vi").to_numpy()).table["text"].tolist()
    ids, bare = encode(tokenizer, texts), encode(tokenizer, [without_accents(text) for text in texts])
    if predict_logits(as_served(model), ids)[:, 0].mean() < predict_logits(as_served(model), bare)[:, 0].mean():
        with torch.no_grad():
            model.blend.neg_()
    cut = float(np.median(predict_logits(as_served(model), ids)[:, 0]))
    assert (predict_logits(as_served(model), bare)[:, 0] > cut).mean() < 0.4

    lift_plain(model, captions, tokenizer, cut=cut)

    assert (predict_logits(as_served(model), bare)[:, 0] > cut).mean() >= 0.95 * 0.5


def test_without_vietnamese_nothing_is_lifted(model: HybridTextModel, captions: Captions, tokenizer: Tokenizer) -> None:
    english = captions.where((captions.table["lang"] == "en").to_numpy())

    learn_plain(model, english, tokenizer, random_state=0)
    lift_plain(model, english, tokenizer, cut=0.0)

    assert model.config.plain_lift == 0
