from collections.abc import Sequence

import pytest
import torch
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from core.errors import ConfigError
from models.networks.outputs import TextOutput, VideoOutput
from models.serving.cuda import CudaDevice
from models.serving.device import there
from models.serving.engine import TorchEngine
from models.serving.feed import Fill
from models.serving.golden import golden_jobs
from models.serving.ready import get_ready
from tests.unit.models.test_engine import _bundle


class Pretending(CudaDevice):
    """A GPU in all but where it computes; after `prepare` its scores are off by `shift`, after `forget` by `stays`."""

    def __init__(
        self, engine: TorchEngine, problems: dict[str, str], *, shift: float = 0.0, stays: float = 0.0
    ) -> None:
        bundle = engine._bundle
        clip_shape = engine.served.clip.shape
        super().__init__(bundle.text, bundle.video, clip_shape=clip_shape, where=torch.device("cpu"))
        self._problems, self._shift, self._stays = problems, shift, stays
        self._off = 0.0

    @property
    def recorded(self) -> tuple[str, ...]:
        return ("video",)

    def prepare(self, **_: object) -> dict[str, str]:
        self._off = self._shift
        return self._problems

    def forget(self) -> None:
        self._off = self._stays

    def captions(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> TextOutput:
        return there(self._text)(input_ids, attention_mask)

    def clips(self, fills: Sequence[Fill]) -> VideoOutput:
        output = super().clips(fills)
        return VideoOutput(output.probabilities * (1 - self._off), output.states, output.frame_scores)


@pytest.fixture
def engine() -> TorchEngine:
    engine = TorchEngine(_bundle())
    engine.remember(golden_jobs(engine.served, engine.vocabulary))
    return engine


def _slowed(modality: str) -> float | None:
    return REGISTRY.get_sample_value("engine_slowed", {"modality": modality})


def test_an_engine_on_the_cpu_is_as_fast_as_it_gets(engine: TorchEngine) -> None:
    get_ready(engine, max_batch=4)

    assert (engine.problem, _slowed("text"), _slowed("video")) == ("", 0, 0)


def test_what_could_not_be_compiled_is_an_event_a_metric_and_the_engines_problem(engine: TorchEngine) -> None:
    engine.device = Pretending(engine, {"text": "not compiled (no compiler)"})

    with capture_logs() as logs:
        get_ready(engine, max_batch=4)

    assert engine.problem == "text is not compiled (no compiler)"
    assert (_slowed("text"), _slowed("video")) == (1, 0)
    assert [(line["event"], line["text"]) for line in logs] == [("engine.slowed", "not compiled (no compiler)")]


def test_recordings_that_compute_otherwise_are_not_used(engine: TorchEngine) -> None:
    engine.device = Pretending(engine, {}, shift=0.5)

    get_ready(engine, max_batch=4)

    assert engine.problem.startswith("video is not recorded (it computed otherwise: known input 0: video harmful was")
    assert _slowed("video") == 1


def test_models_that_compute_otherwise_even_unrecorded_do_not_start(engine: TorchEngine) -> None:
    engine.device = Pretending(engine, {}, shift=0.5, stays=0.5)

    with pytest.raises(ConfigError, match="compute otherwise"):
        get_ready(engine, max_batch=4)
