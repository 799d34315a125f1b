"""What a network frees is used again: measured in page faults, in processes of their own."""

import subprocess
import sys

import pytest

_PROGRAM = """
import resource, sys
import numpy as np
from models.serving.memory import keep_freed_memory
if sys.argv[1] == "keep":
    assert keep_freed_memory()
def clip():
    maps = [np.ones(12 << 20, np.uint8) for _ in range(4)]
for _ in range(5):
    clip()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    clip()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def _page_faults(mode: str) -> int:
    done = subprocess.run([sys.executable, "-c", _PROGRAM, mode], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's mallopt")
def test_large_buffers_are_used_again_instead_of_fetched_anew() -> None:
    assert _page_faults("keep") * 10 < _page_faults("give back")
