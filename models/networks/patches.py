"""Patch embeddings of video networks as one matrix product: a step of making a network fast on a GPU."""

from itertools import chain
from math import prod
from typing import Any

import torch
from torch import nn


class LinearPatches(nn.Module):
    """A convolution whose windows do not overlap, as reshape and linear layer: its weights, its numbers."""

    def __init__(self, convolution: Any) -> None:  # noqa: ANN401 - of two or three axes
        super().__init__()
        weight = convolution.weight
        self.kernel = convolution.kernel_size
        self.linear = nn.Linear(prod(weight.shape[1:]), len(weight), bias=convolution.bias is not None, device="meta")
        self.linear.weight = nn.Parameter(weight.detach().flatten(1), requires_grad=weight.requires_grad)
        self.linear.bias = convolution.bias

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """(B, C, sizes) → (B, D, sizes / kernel); what is left over at the ends is cut, as a convolution does."""
        cells = [size // side for size, side in zip(pixels.shape[2:], self.kernel, strict=True)]
        for axis, (count, side) in enumerate(zip(cells, self.kernel, strict=True), start=2):
            pixels = pixels.narrow(axis, 0, count * side)
        sides = chain.from_iterable(zip(cells, self.kernel, strict=True))
        split = pixels.reshape(*pixels.shape[:2], *sides)
        cell_axes = range(2, split.ndim, 2)
        patches = split.permute(0, *cell_axes, 1, *(axis + 1 for axis in cell_axes)).reshape(
            len(pixels), prod(cells), -1
        )
        embedded: torch.Tensor = self.linear(patches)
        return embedded.transpose(1, 2).reshape(len(pixels), -1, *cells)


def linear_patches(model: nn.Module) -> int:
    """Replace, in place, every patch embedding of VideoMAE, ViViT, TimeSformer and their like; returns how many.

    On a GPU the library's convolution over three channels is many times slower than the product; on a CPU it is not.
    """
    found = [(name, layer) for name, layer in model.named_modules() if _is_patches(layer)]
    for name, layer in found:
        model.set_submodule(name, LinearPatches(layer))
    return len(found)


def _is_patches(layer: nn.Module) -> bool:
    # Not their subclasses: those may pad or scale.
    if type(layer) is not nn.Conv2d and type(layer) is not nn.Conv3d:
        return False
    is_plain = layer.groups == 1 and set(layer.dilation) == {1} and layer.padding in ((0, 0), (0, 0, 0), "valid")
    return is_plain and layer.kernel_size == layer.stride and prod(layer.kernel_size) > 1
