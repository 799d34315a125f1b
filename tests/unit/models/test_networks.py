from typing import TypeVar

import pytest
import torch
from torch import nn

from models.networks.fusion import CrossFusionConfig, CrossFusionModel
from models.networks.ngrams import SPACE_ID, NgramHasher
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

    fusion.correct.reset_parameters()
    whole = fusion(text, mask, video, is_there)

    assert torch.allclose(whole, fusion(*without[missing], is_there), atol=1e-6)
    assert not torch.allclose(whole, fusion(text, mask, video, torch.ones(3, 2, dtype=torch.bool)), atol=1e-4)


@torch.inference_mode()
def test_fusion_starts_as_the_noisy_or_of_both_models(fusion: CrossFusionModel) -> None:
    text, mask, video = torch.randn(8, 4, 6) * 3, torch.ones(8, 4, dtype=torch.bool), torch.randn(8, 7, 5) * 3
    fusion.config.text_logit = 2
    harm = torch.sigmoid(torch.stack([text[:, 0, 2], video[:, 0, -1]], dim=1))

    together = fusion(text, mask, video, torch.ones(8, 2, dtype=torch.bool))

    assert torch.allclose(together[:, 0], 1 - (1 - harm).prod(1), atol=1e-5)


@torch.inference_mode()
def test_fusion_given_one_modality_says_what_its_model_says(fusion: CrossFusionModel) -> None:
    text, mask, video = torch.randn(8, 4, 6), torch.ones(8, 4, dtype=torch.bool), torch.randn(8, 7, 5)
    fusion.correct.reset_parameters()
    fusion.config.alone = {"text": [2.0, 0.5], "video": [0.5, -1.0]}
    fusion.config.calibration_bias = 3.0
    is_text = torch.tensor([True, False] * 4)

    said = fusion(text, mask, video, torch.stack([is_text, ~is_text], dim=1))[:, 0]

    of_text, of_video = (text[:, 0, -1] + 0.5) / 2.0, (video[:, 0, -1] - 1.0) / 0.5
    assert torch.allclose(said, torch.sigmoid(torch.where(is_text, of_text, of_video)), atol=1e-6)


@torch.inference_mode()
@pytest.mark.parametrize("logit", [-60.0, 60.0])
def test_fusion_of_models_that_are_sure_is_finite(fusion: CrossFusionModel, logit: float) -> None:
    text, video = torch.full((1, 4, 6), logit), torch.full((1, 7, 5), logit)

    said = fusion(text, torch.ones(1, 4, dtype=torch.bool), video, torch.ones(1, 2, dtype=torch.bool))

    assert (said > 0.5).item() is (logit > 0)


@torch.inference_mode()
def test_fusion_without_any_modality_scores_zero(fusion: CrossFusionModel) -> None:
    none = torch.zeros(1, 2, dtype=torch.bool)

    out = fusion(torch.zeros(1, 1, 6), torch.zeros(1, 1, dtype=torch.bool), torch.zeros(1, 1, 5), none)

    assert out.tolist() == [[0.0]]


@torch.inference_mode()
def test_a_small_patch_that_moves_fast_is_not_drowned_by_a_still_picture(video: MotionVideoModel) -> None:
    still = torch.full((1, 8, 64, 64, 3), 90, dtype=torch.uint8)
    moving = still.clone()
    moving[:, ::2, 16:28, 16:28] = 250
    frames = torch.arange(8).unsqueeze(0)
    calm, busy = video.describe(still), video.describe(moving)

    read = (video.features(frames, *busy) - video.features(frames, *calm))[0, 0, :24]
    whole_picture = [(maps[0].float().mean(2).std(1, correction=0) + 1e-3).log() for maps in (busy, calm)]

    assert read.min() > 0.1
    assert read.mean() > 3 * (whole_picture[0] - whole_picture[1]).mean()


@torch.inference_mode()
def test_the_cells_read_are_those_that_change_most(video: MotionVideoModel) -> None:
    maps = torch.zeros(1, 8, 49, 24)
    maps[:, ::2, [3, 10, 11, 30]] = 1.0
    elsewhere = maps.clone()
    elsewhere[:, :, 20] = 5.0

    frames = torch.arange(8).unsqueeze(0)

    assert torch.equal(video.features(frames, maps), video.features(frames, elsewhere))
    assert torch.allclose(video.features(frames, maps)[0, 0, -24:], torch.ones(24))


@torch.inference_mode()
def test_a_clip_played_backwards_scores_alike_and_a_shuffled_one_does_not(video: MotionVideoModel) -> None:
    clips = torch.randint(0, 256, (1, 8, 64, 64, 3), dtype=torch.uint8)
    clips[:, 4:] = clips[:, 3:4]

    forwards, backwards = video(clips), video(clips.flip(1))
    shuffled = video(clips[:, [0, 4, 1, 5, 2, 6, 3, 7]])

    assert torch.allclose(forwards.probabilities, backwards.probabilities, atol=1e-5)
    assert torch.allclose(forwards.frame_scores, backwards.frame_scores.flip(1), atol=1e-5)
    assert (shuffled.states[:, 0] - forwards.states[:, 0]).abs().max() > 1e-2


@torch.inference_mode()
@pytest.mark.parametrize("length", [2, 3, 12])
def test_clips_of_another_length_are_read(video: MotionVideoModel, length: int) -> None:
    out = video(torch.randint(0, 256, (2, length, 64, 64, 3), dtype=torch.uint8))

    assert out.frame_scores.shape == (2, length)
    assert torch.isfinite(out.states).all()


@torch.inference_mode()
def test_each_moment_looks_where_it_moves(video: MotionVideoModel) -> None:
    maps = torch.zeros(1, 8, 49, 24)
    maps[:, 0:4:2, 5:9] = 3.0
    maps[:, 5::2, 40:44] = 2.0

    early, late = video.features(torch.tensor([[0, 1, 2], [5, 6, 7]]), maps)[0, :, -24:]

    assert (early == 3.0).all()
    assert (late == 2.0).all()
