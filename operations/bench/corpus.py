"""bench corpus: what each kind of broken or hostile file costs the cage: its answer, its seconds, its memory."""

import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from rich.progress import track
from rich.table import Table

from core.errors import MediaCrashed, MediaError, MediaTimeout
from core.media.cage import Cage
from core.media.protocol import ClipTarget
from core.settings import DecodeSettings
from operations.bench.broken import KINDS, OK
from operations.seat import screen

TARGET = ClipTarget(16, 224)
MOST_BYTES = 400_000_000


def bench_corpus(settings: DecodeSettings) -> dict[str, object]:
    """Each kind in a decoder of its own, so that its peak memory is its own."""
    with TemporaryDirectory(prefix="clipwarden-corpus-") as folder:
        rows = [
            decode_kind(name, Path(folder) / name, settings)
            for name in track(KINDS, "decoding", console=screen, transient=True)
        ]
    return {
        "bench": "corpus",
        "kinds": len(rows),
        "hangs": sum(row["code"] == MediaTimeout.code for row in rows),
        "crashes": sum(row["code"] == MediaCrashed.code for row in rows),
        "wrong": [row["kind"] for row in rows if row["code"] != row["expected"]],
        "peak_mb": max(row["peak_mb"] for row in rows),
        "is_within_memory": all(row["peak_mb"] * 1e6 <= MOST_BYTES for row in rows),
        "rows": rows,
    }


def decode_kind(name: str, path: Path, settings: DecodeSettings) -> dict[str, Any]:
    """Make one kind of file and decode it; the child's peak is of its whole life, Python and libraries included."""
    kind = KINDS[name]
    kind.make(path)
    with Cage(settings.model_copy(update={"children": 1})) as cage:
        started_s = time.perf_counter()
        code = _code(cage, path)
        took_s = time.perf_counter() - started_s
        # A child that was killed has taken its account along.
        peaks = [_peak_bytes(pid) for pid in cage.pids()] or [settings.memory_limit_bytes]
    return {
        "kind": name,
        "code": code,
        "expected": kind.code,
        "seconds": round(took_s, 2),
        "peak_mb": round(max(peaks) / 1e6),
    }


def show(result: Mapping[str, Any]) -> None:
    """A table for people."""
    table = Table("kind", "answer", "s", "peak MB")
    for row in result["rows"]:
        said = row["code"] if row["code"] == row["expected"] else f"{row['code']}, not {row['expected']}"
        table.add_row(row["kind"], said, f"{row['seconds']:.2f}", str(row["peak_mb"]))
    screen.print(table)
    screen.print(
        f"{result['kinds']} kinds, {result['hangs']} hangs, {result['crashes']} crashes, "
        f"{len(result['wrong'])} wrong answers, at most {result['peak_mb']} MB"
    )


def _code(cage: Cage, path: Path) -> str:
    try:
        cage.decode_into(path, TARGET, np.zeros(TARGET.shape, np.uint8))
    except MediaError as error:
        return error.code
    return OK


def _peak_bytes(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024
