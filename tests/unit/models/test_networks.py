from typing import TypeVar

import pytest
import torch
from torch import nn

from models.networks.fusion import CrossFusionConfig, CrossFusionModel
from models.networks.ngrams import SPACE_ID, NgramHasher
from models.networks.text import NgramTextConfig, NgramTextModel
from models.networks.trunk import Trunk
from models.networks.video import MotionVideoConfig, MotionVideoModel

LETTERS = 10
N = TypeVar("N", bound=nn.Module)


def captions(*rows: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
    longest = max(len(row) for row in rows)
    ids = torch.tensor([row + [0] * (longest - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
    return ids, mask


def words(text: str) -> list[int]:
    return [SPACE_ID if char == " " else LETTERS + ord(char) - ord("a") for char in text]


def at_rest(network: N) -> N:
    network.train(mode=False)
    return network


@pytest.fixture
def text() -> NgramTextModel:
    torch.manual_seed(0)
    return at_rest(NgramTextModel(NgramTextConfig(rows=1 << 10, dim=8, hidden=12, first_letter_id=LETTERS)))


@pytest.fixture
def video() -> MotionVideoModel:
    torch.manual_seed(0)
    return at_rest(MotionVideoModel(MotionVideoConfig(stages=(2, 3), num_frames=8, size_px=64)))


@pytest.fixture
def fusion() -> CrossFusionModel:
    torch.manual_seed(0)
    return at_rest(CrossFusionModel(CrossFusionConfig(text_dim=6, video_dim=5, dim=16)))


def test_a_word_hashes_alike_wherever_it_stands() -> None:
    hasher = NgramHasher(rows=1 << 16, first_letter_id=LETTERS, char_orders=3, word_orders=2)

    ngrams = hasher(*captions(words("bad dog bad dog"), words("dog")))

    rows = ngrams.word_rows[:, :, 0]
    assert rows[0, 0] == rows[0, 2] != rows[0, 1] == rows[1, 0]
    assert ngrams.word_rows[0, 1, 1] == ngrams.word_rows[0, 3, 1]
    assert ngrams.is_word.tolist() == [[True] * 4, [True, False, False, False]]


def test_letters_in_another_order_are_another_word() -> None:
    hasher = NgramHasher(rows=1 << 16, first_letter_id=LETTERS, char_orders=3, word_orders=1)

    rows = hasher(*captions(words("tab bat"))).word_rows[0, :, 0]

    assert rows[0] != rows[1]


@torch.inference_mode()
def test_padding_changes_no_score(text: NgramTextModel) -> None:
    short, long = words("a bad dog"), words("one two three four five six")

    alone, together = text(*captions(short)), text(*captions(short, long))

    assert torch.allclose(alone.probabilities[0], together.probabilities[0], atol=1e-6)
    assert torch.allclose(alone.token_scores[0], together.token_scores[0, : len(short)], atol=1e-6)
    assert together.token_scores[0, len(short) :].sum() == 0


@torch.inference_mode()
def test_no_kind_of_harm_is_likelier_than_harm(text: NgramTextModel) -> None:
    out = text(torch.randint(2, 40, (16, 30)), torch.ones(16, 30, dtype=torch.long))

    assert (out.probabilities[:, 1:] <= out.probabilities[:, :1]).all()
    assert out.states.shape[:2] == out.state_mask.shape
    assert ((out.token_scores >= 0) & (out.token_scores <= 1)).all()


@torch.inference_mode()
def test_a_caption_without_an_id_scores_zero(text: NgramTextModel) -> None:
    out = text(torch.zeros(1, 4, dtype=torch.long), torch.zeros(1, 4, dtype=torch.long))

    assert out.probabilities.tolist() == [[0, 0, 0]]


@pytest.mark.parametrize("size", [64, 65])
def test_the_trunk_halves_odd_and_even_sizes_upwards(size: int) -> None:
    with torch.inference_mode():
        maps = Trunk(3)(torch.zeros(1, 3, size, size))

    assert [tuple(part.shape[1:]) for part in maps] == [
        (16, (size + 1) // 2, (size + 1) // 2),
        (24, (size + 3) // 4, (size + 3) // 4),
        (40, (size + 7) // 8, (size + 7) // 8),
    ]


@torch.inference_mode()
def test_clips_of_a_batch_do_not_mix(video: MotionVideoModel) -> None:
    clips = torch.randint(0, 256, (2, 8, 64, 64, 3), dtype=torch.uint8)

    alone, together = video(clips[:1]), video(clips)

    assert torch.allclose(alone.probabilities, together.probabilities[:1], atol=1e-4)
    assert torch.allclose(alone.frame_scores, together.frame_scores[:1], atol=1e-4)
    assert together.frame_scores.shape == (2, 8)
    assert together.states.shape == (2, 9, video.config.state_dim)


@torch.inference_mode()
def test_the_moment_that_moves_scores_apart_from_the_rest(video: MotionVideoModel) -> None:
    clips = torch.full((1, 8, 64, 64, 3), 90, dtype=torch.uint8)
    clips[:, 6:, :32] = 200

    scores = video(clips).frame_scores[0]

    assert scores[0] == scores[1]
    assert (scores[6] - scores[0]).abs() > 1e-3


@torch.inference_mode()
def test_half_precision_says_nearly_the_same(video: MotionVideoModel) -> None:
    clips = torch.randint(0, 256, (1, 8, 64, 64, 3), dtype=torch.uint8)
    full = video(clips).probabilities

    video.trunk.to(torch.bfloat16)

    assert torch.allclose(video(clips).probabilities, full, atol=0.05)


@torch.inference_mode()
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_fused_network_computes_the_same_numbers(video: MotionVideoModel, dtype: torch.dtype) -> None:
    clips = torch.randint(0, 256, (1, 8, 64, 64, 3), dtype=torch.uint8)
    video.trunk.to(dtype=dtype, memory_format=torch.channels_last)
    plain = video(clips)

    video.fuse()

    assert video.trunk.stem.is_fused
    assert torch.allclose(video(clips).states, plain.states, atol=1e-3)


@torch.inference_mode()
@pytest.mark.parametrize("missing", ["text", "video"])
def test_fusion_ignores_what_a_missing_modality_holds(fusion: CrossFusionModel, missing: str) -> None:
    text, mask, video = torch.randn(3, 4, 6), torch.ones(3, 4, dtype=torch.bool), torch.randn(3, 7, 5)
    is_there = torch.tensor([[missing != "text", missing != "video"]]).expand(3, 2)
    without = {"text": (torch.zeros(3, 1, 6), mask[:, :1], video), "video": (text, mask, torch.zeros(3, 1, 5))}

    whole = fusion(text, mask, video, is_there)

    assert torch.allclose(whole, fusion(*without[missing], is_there), atol=1e-6)
    assert not torch.allclose(whole, fusion(text, mask, video, torch.ones(3, 2, dtype=torch.bool)), atol=1e-4)


@torch.inference_mode()
def test_fusion_without_any_modality_still_answers(fusion: CrossFusionModel) -> None:
    none = torch.zeros(1, 2, dtype=torch.bool)

    out = fusion(torch.zeros(1, 1, 6), torch.zeros(1, 1, dtype=torch.bool), torch.zeros(1, 1, 5), none)

    assert torch.isfinite(out).all()
