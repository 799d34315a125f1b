"""Matrices ↔ small codes with a scale per block: what a checkpoint stores; networks compute with the unpacked ones."""

from collections.abc import Mapping

import torch
from torch import nn

_BLOCK = 32
_HALF_BYTE = 4
_SHRINKS = (1.0, 0.96, 0.92, 0.88, 0.84, 0.8)
"""Scales tried for a block, as shares of the one that holds its largest number: rounding all finer may cost less."""


class Packed(nn.Module):
    """A linear or embedding layer at rest: codes of 4 or 8 bits and one half-precision scale per block of a row."""

    codes: torch.Tensor
    scales: torch.Tensor

    def __init__(self, layer: nn.Linear | nn.Embedding, bits: int) -> None:
        super().__init__()
        rows, columns = layer.weight.shape
        self.bits = bits
        self.is_linear = isinstance(layer, nn.Linear)
        self.bias = layer.bias if isinstance(layer, nn.Linear) else None
        self.register_buffer("codes", torch.zeros(rows, columns * bits // 8, dtype=torch.uint8))
        self.register_buffer("scales", torch.zeros(rows, columns // _block(columns)))

    def store(self, weight: torch.Tensor) -> None:
        """Keep a matrix; one that was unpacked before is kept exactly."""
        codes, self.scales = quantise(weight.detach().float(), self.bits)
        self.codes = codes[:, ::2] | codes[:, 1::2] << _HALF_BYTE if self.bits == _HALF_BYTE else codes

    def unpacked(self) -> nn.Linear | nn.Embedding:
        """The layer to compute with, float32."""
        codes = self.codes
        if self.bits == _HALF_BYTE:
            codes = torch.stack([codes & 15, codes >> _HALF_BYTE], dim=2).flatten(1)
        weight = nn.Parameter(dequantise(codes, self.scales.float(), self.bits))
        if not self.is_linear:
            return nn.Embedding(weight.shape[0], weight.shape[1], _weight=weight)
        linear = nn.Linear(weight.shape[1], weight.shape[0], bias=self.bias is not None, device="meta")
        linear.weight = weight
        if self.bias is not None:
            linear.bias = self.bias
        return linear


def quantise(weight: torch.Tensor, bits: int) -> tuple[torch.Tensor, torch.Tensor]:
    """(R, C) float32 → (R, C) uint8 codes and (R, C / block) scales that half precision holds exactly."""
    blocks = weight.view(len(weight), -1, _block(weight.shape[1]))
    middle = 1 << (bits - 1)
    largest = blocks.gather(2, blocks.abs().argmax(2, keepdim=True))
    best_codes, best_scale = torch.zeros_like(blocks), torch.zeros_like(largest)
    best_error = torch.full_like(largest, torch.inf)
    for shrink in _SHRINKS:
        scale = (largest * (-shrink / middle)).half().float()
        codes = (blocks / torch.where(scale == 0, 1.0, scale)).round().clamp(-middle, middle - 1)
        error = (codes * scale - blocks).square().sum(2, keepdim=True)
        is_better = error < best_error
        best_codes, best_scale = torch.where(is_better, codes, best_codes), torch.where(is_better, scale, best_scale)
        best_error = torch.where(is_better, error, best_error)
    return (best_codes + middle).flatten(1).to(torch.uint8), best_scale.squeeze(2)


def dequantise(codes: torch.Tensor, scales: torch.Tensor, bits: int) -> torch.Tensor:
    """The inverse of quantise: (R, C) float32."""
    blocks = codes.float().view(*scales.shape, -1) - (1 << (bits - 1))
    return (blocks * scales.unsqueeze(2)).flatten(1)


def rounded(weight: torch.Tensor, bits: int) -> torch.Tensor:
    """The matrix as it would come back."""
    return dequantise(*quantise(weight, bits), bits)


def pack_modules(model: nn.Module, bits_of: Mapping[str, int], *, store: bool = True) -> None:
    """Replace, in place, every linear and embedding layer under the names by its packed form, empty unless stored."""
    for name, layer, bits in _layers_under(model, bits_of):
        packed = Packed(layer, bits)
        if store:
            packed.store(layer.weight)
        model.set_submodule(name, packed)


def unpack_modules(model: nn.Module) -> None:
    """Replace, in place, every packed layer by one to compute with."""
    found = [(name, module) for name, module in model.named_modules() if isinstance(module, Packed)]
    for name, packed in found:
        model.set_submodule(name, packed.unpacked())


def _block(columns: int) -> int:
    """How many numbers share a scale."""
    return min(_BLOCK, columns)


def _layers_under(model: nn.Module, bits_of: Mapping[str, int]) -> list[tuple[str, nn.Linear | nn.Embedding, int]]:
    return [
        (name, module, bits)
        for prefix, bits in bits_of.items()
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear | nn.Embedding) and f"{name}.".startswith(f"{prefix}.")
    ]
