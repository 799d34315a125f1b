import pytest
import torch

from core.errors import ConfigError
from operations.bench.gpu import bench_gpu
from operations.bench.gpu_inputs import Captions, Clips
from operations.bench.gpu_models import PUBLISHED
from operations.bench.gpu_shapes import logit_error


def test_operations_are_those_published_for_these_networks() -> None:
    """VideoMAE's paper has 180 G multiply-adds for ViT-B on 16 x 224 x 224; XLM-R-large follows from its sizes."""
    assert PUBLISHED.clip_flop == pytest.approx(361e9, rel=2e-3)
    assert PUBLISHED.text.flop(128) == pytest.approx(78.9e9, rel=1e-3)
    assert PUBLISHED.text.flop(64) == pytest.approx(39.1e9, rel=2e-3)


def test_the_error_of_a_logit_is_a_share_of_its_items_largest() -> None:
    theirs = torch.tensor([[10.0, -1.0], [0.5, 0.2]])

    assert logit_error(theirs, theirs) == 0
    assert logit_error(theirs + torch.tensor([[0.1, 0.0], [0.0, -0.1]]), theirs) == pytest.approx(0.2)


def test_clips_are_read_as_they_lie_in_memory() -> None:
    clips, out = Clips((2, 4, 4, 3), 3), bytearray(96)

    clips.fills(3)[2](memoryview(out))

    assert bytes(out) == clips.batch(3)[2].numpy().tobytes()


def test_captions_would_all_be_in_the_same_bucket() -> None:
    ids, mask = Captions(64, 16, 100).batch(16)

    assert ids.shape == mask.shape == (16, 64)
    assert mask.sum(1).min() > 32
    assert mask.sum(1).max() == 64
    assert bool((ids[mask == 0] == 1).all())


@pytest.mark.parametrize(("device", "mode"), [("cuda:0", "default"), ("cpu", "fast")])
def test_unknown_choices_are_wrong_usage(device: str, mode: str) -> None:
    with pytest.raises(ConfigError, match="bench gpu takes"):
        bench_gpu(device, mode, tiny=True)
