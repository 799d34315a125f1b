import json
import subprocess
import sys

from tests.architecture.checkout import ROOT

BARE = """
import runpy, sys
for name in ("av", "core.settings", "minio", "msgpack", "prometheus_client", "psycopg", "pydantic", "redis", "stamina",
             "structlog", "zmq"):
    sys.modules[name] = None
sys.argv = [ROOT + "/operations/bench/gpu_shapes.py", "--device", "cpu", "--tiny", "--json"]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def test_the_bench_of_the_gpu_runs_where_only_torch_and_transformers_are() -> None:
    code = BARE.replace("ROOT", repr(str(ROOT)))

    run = subprocess.run([sys.executable, "-c", code], cwd="/", capture_output=True, text=True, check=False)

    assert run.returncode == 0, run.stderr
    figures = json.loads(run.stdout)
    assert {"chip", "date", "torch", "matmul_tflops", "video", "text", "both"} <= set(figures)
    assert set(figures["video"]["by_batch"]) == {"1", "2", "4", "8", "16", "32", "64"}
    assert figures["video"]["items_s"] > 0
    assert figures["video"]["logit_error"] < 0.05
    assert figures["text"]["tokens_128"]["logit_error"] < 0.05
