import pytest
import torch

from core.settings import ServingSettings
from models.serving.cuda import CudaDevice
from models.serving.engine import difference
from models.serving.golden import EXACT, ROUNDED, golden_jobs
from models.serving.load import load_engine
from tests.fixtures.cuda import GPU_TESTS

pytestmark = GPU_TESTS


@pytest.mark.parametrize(("precision", "tolerance"), [("fp32", EXACT), ("bf16", ROUNDED)])
def test_the_models_that_ship_score_on_a_gpu_as_on_a_cpu(precision: str, tolerance: float) -> None:
    threads = torch.get_num_threads()
    cpu = load_engine(ServingSettings(device="cpu", precision="fp32"))
    gpu = load_engine(ServingSettings(device="cuda", precision=precision))
    jobs = golden_jobs(cpu.served, cpu.vocabulary)

    assert isinstance(gpu.device, CudaDevice)
    assert (gpu.device.recorded, gpu.problem) == (("video",), "")
    assert difference(cpu.score(jobs), gpu.score(jobs), tolerance=tolerance) == ""
    torch.set_num_threads(threads)
