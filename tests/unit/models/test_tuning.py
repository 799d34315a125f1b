from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from torch import nn
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    VideoMAEConfig,
    VideoMAEForVideoClassification,
    XLMRobertaConfig,
    XLMRobertaForSequenceClassification,
)

from models.networks.adapters import HuggingFaceText, HuggingFaceVideo
from models.networks.attention import JoinedAttention, join_attention
from models.networks.tuning import compile_layers, rearrange, repeated_layers
from models.preprocess import PixelScale

SIZES: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "num_labels": 2,
}
CPU = torch.device("cpu")
GREY = PixelScale((127.0, 127.0, 127.0), (64.0, 64.0, 64.0))


def video() -> HuggingFaceVideo:
    torch.manual_seed(0)
    config = VideoMAEConfig(**SIZES, image_size=16, patch_size=8, num_frames=4)
    model = VideoMAEForVideoClassification(config)
    nn.init.normal_(model.videomae.encoder.layer[0].attention.attention.query.bias)
    return HuggingFaceVideo(model, GREY).eval()


def text(*, decoder: bool = False) -> HuggingFaceText:
    torch.manual_seed(0)
    config = XLMRobertaConfig(**SIZES, vocab_size=50, max_position_embeddings=40, is_decoder=decoder)
    return HuggingFaceText(XLMRobertaForSequenceClassification(config)).eval()


def bert() -> HuggingFaceText:
    torch.manual_seed(0)
    config = BertConfig(**SIZES, vocab_size=50, max_position_embeddings=40)
    return HuggingFaceText(BertForSequenceClassification(config)).eval()


def clips(count: int) -> tuple[torch.Tensor]:
    return (torch.randint(0, 256, (count, 4, 16, 16, 3), dtype=torch.uint8, generator=torch.manual_seed(count)),)


def captions(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    ids = torch.randint(3, 50, (count, 12), generator=torch.manual_seed(count))
    mask = (torch.arange(12) < torch.arange(3, 3 + count).unsqueeze(1)).long()
    return ids * mask + (1 - mask), mask


CASES = [(video, clips), (text, captions), (bert, captions)]


@torch.inference_mode()
@pytest.mark.parametrize(("build", "inputs"), CASES)
def test_a_rearranged_network_computes_what_it_did(
    build: Callable[[], nn.Module], inputs: Callable[[int], Sequence[torch.Tensor]]
) -> None:
    network = build()
    before = network(*inputs(3))

    rearrange(network, CPU)

    after = network(*inputs(3))
    assert sum(isinstance(layer, JoinedAttention) for layer in network.modules()) == 3
    assert torch.allclose(after.probabilities, before.probabilities, atol=1e-6)
    assert torch.allclose(after.states, before.states, atol=1e-4)


def test_attention_that_looks_only_back_stays() -> None:
    assert join_attention(text(decoder=True)) == 0


def test_tensors_that_modules_keep_beside_their_weights_come_along() -> None:
    network = video()

    rearrange(network, torch.device("meta"))

    assert network.model.videomae.embeddings.position_embeddings.device.type == "meta"


@torch.inference_mode()
@pytest.mark.parametrize(("build", "inputs"), CASES)
def test_all_layers_of_an_encoder_compile_once_for_all_batch_sizes_but_one(
    build: Callable[[], nn.Module], inputs: Callable[[int], Sequence[torch.Tensor]]
) -> None:
    torch._dynamo.reset()
    compiled: list[torch.fx.GraphModule] = []

    def count(graph: torch.fx.GraphModule, _examples: list[torch.Tensor]) -> Callable[..., Any]:
        compiled.append(graph)
        return graph.forward

    network = build()
    rearrange(network, CPU)
    before = [network(*inputs(size)).probabilities for size in (8, 4, 2, 1)]
    compile_layers(network, lambda function: torch.compile(function, backend=count))

    after = [network(*inputs(size)).probabilities for size in (8, 4, 2, 1)]

    # For 8, for any number, and for 1; pixels likewise.
    assert len(compiled) <= (6 if build is video else 3)
    assert all(torch.allclose(now, was, atol=1e-6) for now, was in zip(after, before, strict=True))


def test_compiling_can_be_undone() -> None:
    network = video()

    def refuse(_function: Callable[..., Any]) -> Callable[..., Any]:
        def fail(*_args: object, **_kwargs: object) -> object:
            raise RuntimeError("no compiler here")

        return fail

    undo = compile_layers(network, refuse)
    with pytest.raises(RuntimeError, match="no compiler"):
        network(*clips(1))
    undo()

    assert network(*clips(1)).probabilities.shape == (1, 1)


def test_the_layers_of_an_encoder_are_found_and_lists_of_other_things_are_not() -> None:
    assert len(repeated_layers(video())) == 3
    assert repeated_layers(nn.Sequential(nn.ModuleList([nn.Linear(1, 1), nn.ReLU()]))) == []
    assert repeated_layers(nn.Sequential(nn.ModuleList([nn.Sequential(), nn.Sequential()]))) == []
