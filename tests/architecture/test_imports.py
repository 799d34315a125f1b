"""Who may import whom: the linter's contracts, and which file alone knows a technology."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.checkout import ROOT, imported, sources

BENCHES = "operations/bench/"
"""Each bench brings its baseline: what most people would write on the same technology."""
SHELL = {f"dataflows/{name}.py" for name in ("moderation", "steps", "kafka", "sinks")}
HOMES = {
    "bytewax": {*SHELL, BENCHES},
    "torch": {"models/", BENCHES},
    "transformers": {"models/", BENCHES},
    "huggingface_hub": {"models/hub.py", "models/networks/loading.py"},
    "mlflow": {"models/registry.py", "operations/"},
    # A client without a browser needs the protocol's messages.
    "streamlit": {"dashboard/", "operations/bench/console/visitor.py"},
    "zmq": {"models/"},
    "matplotlib": {"models/evaluation/pictures.py"},
    "sklearn": {"models/training/"},
    "minio": {"core/storage/media.py", "core/storage/parts.py", "operations/embedded/s3.py"},
}
"""Technology → where it may be imported; what ends with a slash is a folder."""


def test_the_import_contracts_hold() -> None:
    linter = Path(sys.executable).with_name("lint-imports")

    result = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("technology", sorted(HOMES))
def test_a_technology_is_known_in_its_home_only(technology: str) -> None:
    strangers = [
        path.as_posix()
        for path in sources()
        if technology in imported(path) and not any(_lies_in(path, home) for home in HOMES[technology])
    ]

    assert not strangers


def test_the_shell_around_bytewax_is_these_four_files() -> None:
    assert {path.as_posix() for path in sources() if _is_shell(path)} == SHELL


def _is_shell(path: Path) -> bool:
    return "bytewax" in imported(path) and not path.as_posix().startswith(BENCHES)


def _lies_in(path: Path, home: str) -> bool:
    return path.as_posix() == home or (home.endswith("/") and path.as_posix().startswith(home))
