from typing import Any

import pytest
import torch
from torch import nn
from transformers import (
    TimesformerConfig,
    TimesformerForVideoClassification,
    VideoMAEConfig,
    VideoMAEForVideoClassification,
    VivitConfig,
    VivitForVideoClassification,
)

from models.networks.patches import LinearPatches, linear_patches

SIZES: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 48,
    "image_size": 32,
    "num_frames": 4,
    "num_labels": 3,
}
MODELS = {
    "videomae": lambda: VideoMAEForVideoClassification(VideoMAEConfig(**SIZES, patch_size=8)),
    "vivit": lambda: VivitForVideoClassification(VivitConfig(**SIZES, tubelet_size=[2, 8, 8])),
    "timesformer": lambda: TimesformerForVideoClassification(TimesformerConfig(**SIZES, patch_size=8)),
}


@torch.inference_mode()
@pytest.mark.parametrize("name", sorted(MODELS))
def test_a_linear_layer_embeds_patches_as_the_convolution_did(name: str) -> None:
    torch.manual_seed(0)
    model = MODELS[name]().eval()
    clips = torch.randn(3, 4, 3, 32, 32)
    before = model(clips).logits

    assert linear_patches(model) == 1

    assert torch.allclose(model(clips).logits, before, atol=1e-5)
    assert not any(isinstance(layer, nn.Conv2d | nn.Conv3d) for layer in model.modules())


@torch.inference_mode()
def test_what_is_left_over_at_the_ends_is_cut_as_a_convolution_cuts_it() -> None:
    convolution = nn.Conv3d(3, 5, (2, 4, 4), (2, 4, 4))
    pixels = torch.randn(2, 3, 5, 9, 11)

    assert torch.allclose(LinearPatches(convolution)(pixels), convolution(pixels), atol=1e-5)


@pytest.mark.parametrize(
    "convolution",
    [
        nn.Conv2d(3, 8, 3, 2),
        nn.Conv2d(3, 8, 4, 4, padding=1),
        nn.Conv2d(4, 8, 4, 4, groups=2),
        nn.Conv2d(3, 8, 2, 2, dilation=2),
        nn.Conv2d(3, 8, 1),
    ],
)
def test_convolutions_that_are_no_patches_stay(convolution: nn.Conv2d) -> None:
    model = nn.Sequential(convolution)

    assert linear_patches(model) == 0
    assert model[0] is convolution
