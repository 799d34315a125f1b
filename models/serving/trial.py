"""A new version is loaded for the first time in a process of its own, `python -m models.serving.trial`.

What is damaged or hostile breaks that process, or passes its limits, and never the worker. `try_out` starts it.
"""

import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from core.confine import die_with, lower
from core.errors import ConfigError, ModelRefused
from core.labels import Modality
from models.serving.lineup import Lineup

if TYPE_CHECKING:
    from models.serving.engine import TorchEngine

LIMIT_S = 300.0
_SPARE_BYTES = 3_000_000_000
_COPIES = 8
"""Weights are stored in half precision, read in full, and copied once while they are."""
REFUSED = 3
_POLL_S = 0.05
# No secrets for a process that opens strangers' files, and no GPU: the worker's own is busy.
ENVIRONMENT = {
    "LC_ALL": "C.UTF-8",
    "OMP_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",
    "HF_HUB_OFFLINE": "1",
    "CUDA_VISIBLE_DEVICES": "",
}


def try_out(lineup: Lineup, modality: Modality, *, stop: threading.Event, limit_s: float = LIMIT_S) -> None:
    """Load one model of a lineup in a child; returns when it loaded and computed what it did when saved.

    Raises:
        ModelRefused: it did not; also when `stop` was set meanwhile.
    """
    name = f"{modality}:{lineup.parts[modality].number}"
    with lineup.folder() as folder, tempfile.TemporaryFile() as said:
        child = subprocess.Popen(  # noqa: S603 - our own module
            (sys.executable, "-m", "models.serving.trial", str(os.getpid()), str(folder), modality.value),
            cwd=Path(__file__).parents[2],
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            code = _wait(child, stop, limit_s)
        finally:
            child.kill()
            child.wait()
        said.seek(0)
        reason = said.read(2_000).decode(errors="replace").strip()
    if code == REFUSED:
        raise ModelRefused(f"{name}: {reason}")
    if code != 0:
        raise ModelRefused(f"{name}: loading it {how_it_ended(code, limit_s)}")


def _wait(child: "subprocess.Popen[bytes]", stop: threading.Event, limit_s: float) -> int | None:
    end_s = time.monotonic() + limit_s
    while time.monotonic() < end_s and not stop.is_set():
        with suppress(subprocess.TimeoutExpired):
            return child.wait(_POLL_S)
    return None


def how_it_ended(code: int | None, limit_s: float) -> str:
    """What became of a child that did not say why."""
    if code is None:
        return f"did not end in {limit_s:.0f} s"
    return f"killed its process ({signal.Signals(-code).name})" if code < 0 else f"broke its process (exit {code})"


def main() -> int:
    """Confine this process and load: arguments are the parent's pid, the folder of models and the modality."""
    parent_pid, folder, modality = int(sys.argv[1]), Path(sys.argv[2]), Modality(sys.argv[3])
    confine(parent_pid, sum(path.stat().st_size for path in folder.glob("*/*")))
    try:
        prove(folder, modality)
    except ConfigError as error:
        sys.stdout.write(error.message)
        return REFUSED
    except MemoryError:
        sys.stdout.write("it wants more memory than its weights explain")
        return REFUSED
    return 0


def prove(folder: Path, modality: Modality) -> "TorchEngine | None":
    """The engine of one model, which computes what it did when saved; None where the folder is without it.

    Raises:
        ConfigError: it cannot be served.
    """
    from models.bundle import load_bundle  # noqa: PLC0415 - torch comes after the limits
    from models.serving.engine import TorchEngine  # noqa: PLC0415 - see above
    from models.serving.golden import alone, check_finite, check_golden  # noqa: PLC0415 - see above

    bundle = load_bundle(folder)
    if getattr(bundle, modality) is None:
        return None
    check_finite(getattr(bundle, modality))
    engine = TorchEngine(alone(bundle, modality))
    check_golden(engine, folder / modality)
    return engine


def confine(parent_pid: int, size_bytes: int) -> None:
    """Die with the parent, be nice, and want no more memory than weights of this size explain."""
    die_with(parent_pid)
    lower(resource.RLIMIT_DATA, _SPARE_BYTES + _COPIES * size_bytes)
    lower(resource.RLIMIT_CORE, 0)
    os.nice(10)


if __name__ == "__main__":
    sys.exit(main())
