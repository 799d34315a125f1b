from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from transformers import BertConfig, BertModel

from models.networks.encoder import Encoder, EncoderSizes
from models.networks.hybrid import HybridTextConfig, HybridTextModel
from models.networks.loading import load_text
from models.networks.packing import pack_modules, unpack_modules
from models.training.checkpoint import save_checkpoint

LETTERS, SPACE, PIECES = 10, 2, 40
SIZES = {"vocab_size": PIECES, "width": 32, "layers": 2, "heads": 2, "inner": 64, "hidden": 16}
N_GRAMS = {"rows": 1 << 10, "dim": 16, "word_hidden": 12, "first_letter_id": LETTERS, "spelling": 4, "max_tokens": 30}


def captions(*rows: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
    longest = max(len(row) for row in rows)
    ids = torch.tensor([row + [0] * (longest - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
    return ids, mask


@pytest.fixture
def text() -> HybridTextModel:
    """Every second piece begins a word."""
    torch.manual_seed(0)
    model = HybridTextModel(HybridTextConfig(**SIZES, **N_GRAMS)).eval()
    spelled = torch.randint(LETTERS, LETTERS + 20, (PIECES, 4), dtype=torch.int16)
    spelled[::2, 0] = SPACE
    model.spelled.copy_(spelled)
    model.spelled[:3] = 0
    return model


@torch.inference_mode()
def test_padding_changes_no_score(text: HybridTextModel) -> None:
    short, long = [4, 5, 6, 8], [4, 6, 7, 9, 10, 12, 13]

    alone, together = text(*captions(short)), text(*captions(short, long))

    assert torch.allclose(alone.probabilities[0], together.probabilities[0], atol=1e-5)
    assert torch.allclose(alone.token_scores[0], together.token_scores[0, : len(short)], atol=1e-5)
    assert torch.allclose(alone.states[0], together.states[0, : 1 + len(short)], atol=1e-5)
    assert together.token_scores[0, len(short) :].sum() == 0
    assert together.state_mask.sum(1).tolist() == [1 + len(short), 1 + len(long)]


@torch.inference_mode()
def test_no_kind_of_harm_is_likelier_than_harm(text: HybridTextModel) -> None:
    out = text(torch.randint(4, PIECES, (16, 20)), torch.ones(16, 20, dtype=torch.long))

    assert (out.probabilities[:, 1:] <= out.probabilities[:, :1]).all()
    assert out.states.shape == (16, 21, text.config.hidden + 3)
    assert ((out.token_scores >= 0) & (out.token_scores <= 1)).all()


@torch.inference_mode()
def test_a_caption_without_an_id_scores_zero(text: HybridTextModel) -> None:
    out = text(torch.zeros(1, 4, dtype=torch.long), torch.zeros(1, 4, dtype=torch.long))

    assert out.probabilities.tolist() == [[0, 0, 0]]
    assert torch.isfinite(out.states).all()


@torch.inference_mode()
def test_pieces_of_one_word_say_the_same(text: HybridTextModel) -> None:
    scores = text(*captions([4, 5, 7, 6])).token_scores[0]

    assert scores[0] == scores[1] == scores[2]


@torch.inference_mode()
def test_branches_add_up_to_the_logits(text: HybridTextModel) -> None:
    batch = captions([4, 5, 6, 8], [10, 12])
    text.blend.copy_(torch.tensor([[0.7, 0.2, 0.1], [0.4, 0.9, 0.3]]))
    text.blend_bias.copy_(torch.tensor([0.1, 0.2, 0.3]))

    blended = (text.branch_logits(*batch) * text.blend).sum(1) + text.blend_bias

    assert torch.allclose(text.logits(*batch), blended, atol=1e-5)


@torch.inference_mode()
def test_a_saved_network_says_what_its_rounded_one_did(text: HybridTextModel, tmp_path: Path) -> None:
    text.config.packed = {"encoder.words": 4, "encoder.layers": 4, "ngrams.table": 8}
    batch = captions([4, 5, 6, 8], [10, 12])
    pack_modules(text, text.config.packed)
    save_checkpoint(text, tmp_path / "text", {"tokenizer.json": "{}"})

    unpack_modules(text)

    loaded = load_text(tmp_path / "text").network

    with safe_open(tmp_path / "text" / "model.safetensors", "pt") as stored:
        assert stored.get_tensor("encoder.layers.0.widen.codes").dtype == torch.uint8
    assert torch.equal(loaded.encoder.layers[0].widen.weight, text.encoder.layers[0].widen.weight)
    assert torch.allclose(loaded(*batch).probabilities, text(*batch).probabilities, atol=2e-3)
    assert loaded.spelled.equal(text.spelled)


@torch.inference_mode()
def test_the_encoder_is_bert(text: HybridTextModel) -> None:
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=50,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=20,
    )
    bert = BertModel(config, add_pooling_layer=False).eval()
    encoder = Encoder(EncoderSizes(50, 20, 32, 2, 2, 64)).eval()
    encoder.load_state_dict(as_own(bert.state_dict(), layers=2))
    ids, mask = captions([4, 5, 6, 8], [10, 12])

    expected = bert(input_ids=ids, attention_mask=mask).last_hidden_state
    states = encoder(ids, mask.bool())

    assert torch.allclose(states[mask.bool()], expected[mask.bool()], atol=1e-5)
    with torch.enable_grad():
        assert torch.allclose(encoder(ids, mask.bool())[mask.bool()], states[mask.bool()], atol=1e-5)


def as_own(bert: dict[str, torch.Tensor], *, layers: int) -> dict[str, torch.Tensor]:
    own = {
        "words.weight": bert["embeddings.word_embeddings.weight"],
        "places.weight": bert["embeddings.position_embeddings.weight"]
        + bert["embeddings.token_type_embeddings.weight"][0],
    }
    names = {
        "mix": "attention.output.dense",
        "look_norm": "attention.output.LayerNorm",
        "widen": "intermediate.dense",
        "narrow": "output.dense",
        "think_norm": "output.LayerNorm",
    }
    for part in ("weight", "bias"):
        own[f"norm.{part}"] = bert[f"embeddings.LayerNorm.{part}"]
        for layer in range(layers):
            start = f"encoder.layer.{layer}."
            looks = [bert[f"{start}attention.self.{name}.{part}"] for name in ("query", "key", "value")]
            own[f"layers.{layer}.look.{part}"] = torch.cat(looks)
            own |= {f"layers.{layer}.{name}.{part}": bert[f"{start}{theirs}.{part}"] for name, theirs in names.items()}
    return own
