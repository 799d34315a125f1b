from collections.abc import Callable
from typing import Any

import pytest
import torch

from models.networks.outputs import VideoOutput
from models.serving.prepare import prepare
from models.serving.recorded import Recorded
from tests.unit.models.test_tuning import clips, video

CPU = torch.device("cpu")
EXAMPLES = [clips(1), clips(2)]


def again(run: Callable[[], None]) -> Callable[[], None]:
    run()
    return run


def refuse(run: Callable[[], None]) -> Callable[[], None]:
    run()
    raise RuntimeError("operation not permitted when stream is capturing")


def as_it_is(function: Callable[..., Any]) -> Callable[..., Any]:
    return function


def no_compiler(_function: Callable[..., Any]) -> Callable[..., Any]:
    def fail(*_args: object, **_kwargs: object) -> object:
        raise OSError("no C compiler\nwas found")

    return fail


@torch.inference_mode()
@pytest.mark.parametrize(
    ("compile_", "recorder", "problem", "is_recorded"),
    [
        (as_it_is, again, "", True),
        (no_compiler, again, "not compiled (OSError: no C compiler was found)", True),
        (no_compiler, refuse, "neither compiled (OSError: no C compiler was found) nor recorded (", False),
        (as_it_is, refuse, "neither compiled (RuntimeError: operation not permitted", False),
    ],
)
def test_what_cannot_be_compiled_or_recorded_runs_all_the_same_and_says_so(
    compile_: Callable[..., Any], recorder: Callable[..., Any], problem: str, *, is_recorded: bool
) -> None:
    network = video()
    before = network(*clips(2)).probabilities
    recorded: Recorded[VideoOutput] = Recorded(network, device=CPU)

    said = prepare(recorded, EXAMPLES, recorder=recorder, device=CPU, compile_=compile_)

    assert (said == "") == (problem == "")
    assert said.startswith(problem)
    assert recorded.is_recorded is is_recorded
    assert torch.allclose(recorded(*clips(2)).probabilities, before, atol=1e-6)
