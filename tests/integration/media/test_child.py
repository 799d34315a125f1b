import signal
import subprocess
import sys

import pytest

pytestmark = pytest.mark.integration

_SPEND = """
import time
from core.media.child import _allow_cpu

def spend(cpu_s):
    stop = time.process_time() + cpu_s
    while time.process_time() < stop:
        pass

"""


def _run(lines: str) -> int:
    return subprocess.run([sys.executable, "-c", _SPEND + lines], check=False, timeout=60).returncode


def test_a_request_over_its_cpu_limit_ends_the_child() -> None:
    assert _run("_allow_cpu(1); spend(5)") == -signal.SIGXCPU


def test_a_child_that_has_served_for_long_is_not_ended() -> None:
    assert _run("for _ in range(3): _allow_cpu(1); spend(0.8)") == 0
