"""bench decode: CPU per clip, frames and their times of the platform's decoder, beside what others would use."""

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from rich.progress import Progress
from rich.table import Table

from core.media.sample import target_times_s
from operations.bench.decoders import FRAMES, Decoder
from operations.bench.made import CLIPS, FPS, MadeClip, make_clips
from operations.seat import screen

ANSWER_LIMIT_S = 60.0
TARGET_RATIO = 0.9
TARGET_CLIPS = ("720p-15s-gop30", "720p-15s-gop250")


@dataclass
class _Row:
    """What one decoder did with one clip, over the rounds."""

    clip: MadeClip
    decoder: Decoder
    cpu_ms: list[float] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    problem: str | None = None

    def as_json(self) -> dict[str, object]:
        """Medians, and the frames' worst error: in time, and in frames of the mean length."""
        head: dict[str, object] = {"clip": self.clip.name, "decoder": self.decoder.value}
        if self.problem is not None or not self.cpu_ms:
            return head | {"problem": self.problem}
        return head | {
            "cpu_ms": round(median(self.cpu_ms), 1),
            "rounds": len(self.cpu_ms),
            "distinct_frames": len(set(self.numbers)),
            "worst_error_ms": round(self._worst_error_s() * 1e3, 1),
            "worst_error_frames": round(self._worst_error_s() * FPS, 2),
        }

    def _worst_error_s(self) -> float:
        """A number no frame has, or too few frames, is an error without limit."""
        times_s, targets_s = self.clip.times_s, target_times_s(FRAMES, self.clip.seconds)
        if len(self.numbers) != FRAMES or max(self.numbers) >= len(times_s):
            return float("inf")
        return float(np.abs(times_s[self.numbers] - targets_s).max())


class _Lap:
    """A decoder's process: asked for a clip, it answers or is given up."""

    def __init__(self, decoder: Decoder) -> None:
        command = (sys.executable, "-m", "operations.bench.decoders", decoder.value)
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own module
        self._answers: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def ask(self, path: Path, seconds: float) -> dict[str, Any]:
        """The answer; raises queue.Empty after the limit, ValueError when the process has ended."""
        if self.process.stdin is not None and self.process.poll() is None:
            self.process.stdin.write(json.dumps({"path": str(path), "seconds": seconds}) + "\n")
            self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._answers.get(timeout=ANSWER_LIMIT_S))
        return answer

    def close(self) -> None:
        """End it; the listener sees its end, and only then is the pipe closed under it."""
        self.process.kill()
        self._listener.join()
        with self.process:
            pass

    def _listen(self) -> None:
        for line in self.process.stdout or ():
            self._answers.put(line)
        self._answers.put("")


def bench_decode(folder: Path, *, rounds: int, clips: Sequence[MadeClip] = CLIPS) -> dict[str, object]:
    """Each round, every decoder in turn over every clip, one thread each; a first round warms up and does not count."""
    paths = make_clips(folder, clips)
    left_out = {decoder.value: reason for decoder in Decoder if (reason := decoder.why_not())}
    decoders = [decoder for decoder in Decoder if decoder.value not in left_out]
    rows = [_Row(clip, decoder) for clip in clips for decoder in decoders]
    with _laps(decoders) as laps, Progress(console=screen, transient=True) as progress:
        task = progress.add_task("decoding", total=len(rows) * (rounds + 1))
        for number in range(rounds + 1):
            for row in rows:
                _measure(row, laps[row.decoder], paths[row.clip], counts=number > 0)
                progress.advance(task)
    results = [row.as_json() for row in rows]
    ratios = _ratios(results)
    targets = {name: ratios[name] <= TARGET_RATIO for name in TARGET_CLIPS if name in ratios}
    return {
        "bench": "decode",
        "rounds": rounds,
        "rows": results,
        "ratio_to_best_other": ratios,
        "is_within_target": targets,
        "left_out": left_out,
    }


def show(result: Mapping[str, Any]) -> None:
    """A table for people."""
    table = Table("clip", "decoder", "CPU ms", "frames", "error ms", "in frames", "ours/best")
    for row in result["rows"]:
        is_ours = row["decoder"] == Decoder.OURS
        ratio = f"{result['ratio_to_best_other'].get(row['clip'], float('nan')):.2f}" if is_ours else ""
        if "problem" in row:
            table.add_row(row["clip"], row["decoder"], row["problem"])
            continue
        table.add_row(
            *(row["clip"] if is_ours else "", row["decoder"], f"{row['cpu_ms']:.0f}", str(row["distinct_frames"])),
            *(f"{row['worst_error_ms']:.1f}", f"{row['worst_error_frames']:.2f}", ratio),
        )
    screen.print(table)
    for name, reason in result["left_out"].items():
        screen.print(f"[dim]{name} is left out: {reason}[/]")


def _measure(row: _Row, lap: _Lap, path: Path, *, counts: bool) -> None:
    if row.problem is not None:
        return
    try:
        answer = lap.ask(path, float(row.clip.seconds))
    except queue.Empty:
        row.problem = f"no answer in {ANSWER_LIMIT_S:g} s"
        lap.process.kill()
    except ValueError:
        row.problem = "its process ended; see its messages above"
    else:
        row.numbers = answer["numbers"]
        row.cpu_ms += [answer["cpu_ms"]] if counts else []


@contextmanager
def _laps(decoders: Sequence[Decoder]) -> Iterator[dict[Decoder, _Lap]]:
    with ExitStack() as held:
        laps = {decoder: _Lap(decoder) for decoder in decoders}
        for lap in laps.values():
            held.callback(lap.close)
        yield laps


def _ratios(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Per clip our CPU time over that of the quickest other."""
    ratios = {}
    for ours in (row for row in rows if row["decoder"] == Decoder.OURS and "cpu_ms" in row):
        others = [row["cpu_ms"] for row in rows if row["clip"] == ours["clip"] and row is not ours and "cpu_ms" in row]
        if others:
            ratios[ours["clip"]] = round(ours["cpu_ms"] / min(others), 3)
    return ratios
