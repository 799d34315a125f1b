"""bench shortcuts: what cheaper ways to decode do to the video model's scores, on labelled clips that are not test."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from rich.progress import track
from rich.table import Table

from core.errors import ConfigError
from core.media.decode import decode_clip
from core.media.protocol import ClipTarget, Sampling
from core.settings import Settings
from models.bundle import STARTER, load_bundle
from operations.bench.decoders import limits_of
from operations.seat import screen

SPLITS = ("train", "validation")
"""Test chooses nothing, so it takes no part."""
THRESHOLD = 0.5

VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "as served": {},
    "no loop filter": {"deblock": False},
    "near_keys": {"sampling": Sampling.NEAR_KEYS},
    "keys": {"sampling": Sampling.KEYS},
}
Scores = NDArray[np.float64]


def bench_shortcuts(folder: Path) -> dict[str, object]:
    """Every clip of train and validation, decoded in each way and scored by the starter video model."""
    table = pd.read_csv(folder / "manifest.csv")
    table = table[table["split"].isin(SPLITS)].reset_index(drop=True)
    score, target = _scorer(), _target()
    scores: dict[str, list[float]] = {name: [] for name in VARIANTS}
    cpu_s = dict.fromkeys(VARIANTS, 0.0)
    for file in track(list(table["file"]), "scoring", console=screen, transient=True):
        for name, changes in VARIANTS.items():
            clip, spent_s = _decode(folder / file, replace(target, **changes))
            scores[name].append(score(clip))
            cpu_s[name] += spent_s
    found = {name: np.array(values) for name, values in scores.items()}
    return {
        "bench": "shortcuts",
        "clips": len(table),
        "cpu_ms_per_clip": {name: round(spent_s / len(table) * 1e3, 2) for name, spent_s in cpu_s.items()},
        "rows": [row for split in SPLITS for row in _compare(found, table, split)],
    }


def show(result: Mapping[str, Any]) -> None:
    """A table for people."""
    table = Table(
        "split", "decoded", "clips", "CPU ms", "mean change", "largest", "verdicts changed", "accuracy", "AUC"
    )
    for row in result["rows"]:
        table.add_row(
            *(row["split"], row["variant"], str(row["clips"]), f"{result['cpu_ms_per_clip'][row['variant']]:.1f}"),
            *(f"{row['mean_change']:.4f}", f"{row['largest_change']:.3f}", str(row["verdicts_changed"])),
            *(f"{row['accuracy']:.3f}", f"{row['auc']:.3f}"),
        )
    screen.print(table)


def _target() -> ClipTarget:
    spec = load_bundle(STARTER).served.clip
    return ClipTarget(spec.num_frames, spec.size_px, spec.resize.value)


def _scorer() -> Callable[[NDArray[np.uint8]], float]:
    network = load_bundle(STARTER).fuse().video
    if network is None:
        raise ConfigError("the starter models hold no video model")

    @torch.inference_mode()
    def score(clip: NDArray[np.uint8]) -> float:
        return float(network(torch.from_numpy(clip).unsqueeze(0)).probabilities.max())

    return score


def _decode(path: Path, target: ClipTarget) -> tuple[NDArray[np.uint8], float]:
    out = np.empty(target.shape, np.uint8)
    started_s = time.process_time()
    decode_clip(path, target, limits_of(Settings.load()), out=out)
    return out, time.process_time() - started_s


def _compare(scores: Mapping[str, Scores], table: pd.DataFrame, split: str) -> list[dict[str, object]]:
    rows = (table["split"] == split).to_numpy()
    harmful = (table["label"] == "harmful").to_numpy()[rows]
    served = scores["as served"][rows]
    return [
        {
            "split": split,
            "variant": name,
            "clips": int(rows.sum()),
            "mean_change": round(float(np.abs(found[rows] - served).mean()), 5),
            "largest_change": round(float(np.abs(found[rows] - served).max()), 4),
            "verdicts_changed": int(((found[rows] >= THRESHOLD) != (served >= THRESHOLD)).sum()),
            "accuracy": round(float(((found[rows] >= THRESHOLD) == harmful).mean()), 4),
            "auc": round(_auc(found[rows], harmful), 4),
        }
        for name, found in scores.items()
    ]


def _auc(scores: Scores, harmful: NDArray[np.bool_]) -> float:
    """How often a harmful clip stands above a safe one; equals count half."""
    above = scores[harmful][:, None] - scores[~harmful]
    return float((np.sign(above) / 2 + 0.5).mean())
