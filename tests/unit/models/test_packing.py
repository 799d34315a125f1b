import pytest
import torch
from torch import nn

from models.networks.packing import Packed, dequantise, pack_modules, quantise, rounded, unpack_modules


@pytest.mark.parametrize(("bits", "most"), [(4, 0.15), (8, 0.01)])
def test_a_matrix_comes_back_nearly_as_it_was(bits: int, most: float) -> None:
    weight = torch.randn(20, 64, generator=torch.manual_seed(0))

    error = (rounded(weight, bits) - weight).norm() / weight.norm()

    assert error < most


@pytest.mark.parametrize("bits", [4, 8])
def test_what_came_back_is_kept_exactly(bits: int) -> None:
    once = rounded(torch.randn(20, 64, generator=torch.manual_seed(0)), bits)

    codes, scales = quantise(once, bits)

    assert torch.equal(dequantise(codes, scales.half().float(), bits), once)


def test_a_block_of_zeros_stays_zeros() -> None:
    assert rounded(torch.zeros(2, 32), 4).count_nonzero() == 0


@pytest.mark.parametrize("bits", [4, 8])
def test_packed_layers_compute_what_rounded_ones_do(bits: int) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Embedding(10, 16), nn.Linear(16, 64), nn.Linear(64, 3))
    ids, exact = torch.arange(10), model[2].weight.clone()
    expected = nn.functional.linear(rounded(model[0].weight, bits)[ids], rounded(model[1].weight, bits), model[1].bias)

    pack_modules(model, {"0": bits, "1": bits})
    size = sum(part.codes.numel() for part in model if isinstance(part, Packed))
    unpack_modules(model)

    assert size == (10 * 16 + 64 * 16) * bits // 8
    assert torch.allclose(model[1](model[0](ids)), expected, atol=1e-6)
    assert torch.equal(model[2].weight, exact)
