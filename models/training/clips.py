"""Labelled clips → what the frozen trunk sees of them, decoded by the flow's own decoder and kept between runs."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import structlog
import torch
from numpy.typing import NDArray

from core.media.decode import decode_clip
from core.media.protocol import ClipTarget, MediaLimits
from core.media.sample import FRAME_RULE
from models.networks.video import MotionVideoModel
from models.training.leaks import refuse_shared
from models.training.tables import read_labelled, table_path

_log = structlog.get_logger()
_LIMITS = MediaLimits(max_bytes=500_000_000, max_pixels=4096 * 2304, max_duration_s=600.0, min_distinct_frames=2)
_COLUMNS = ("file", "label", "split", "source", "group")
_BATCH = 16


@dataclass(frozen=True)
class Clips:
    """Labelled clips as the frozen part of the network sees them.

    Attributes:
        table: columns file, label, split, source, group.
        features: (N, F) motion statistics of the whole clips.
        maps: per stage read, (N, T, cells, C) float16.
    """

    table: pd.DataFrame
    features: NDArray[np.float32]
    maps: tuple[torch.Tensor, ...]

    def __len__(self) -> int:
        """How many clips."""
        return len(self.table)

    def of(self, *splits: str) -> "Clips":
        """The clips of some splits."""
        return self.where(self.table["split"].isin(splits).to_numpy())

    def where(self, mask: NDArray[np.bool_]) -> "Clips":
        """The clips where the mask is true."""
        rows = torch.tensor(mask)
        return Clips(
            self.table[mask].reset_index(drop=True), self.features[mask], tuple(part[rows] for part in self.maps)
        )

    @property
    def harmful(self) -> NDArray[np.bool_]:
        """(N,) whether each clip is harmful."""
        return (self.table["label"] == "harmful").to_numpy()


def read_manifest(folder: Path) -> pd.DataFrame:
    """The labelled clips of a folder's `manifest.csv` or `manifest.parquet`.

    Raises:
        ConfigError: it is missing or incomplete, a clip has no label, or a group or file stands in two splits.
    """
    path = table_path(folder, "manifest")
    table = read_labelled(path, _COLUMNS, filled=("file", "split", "source", "group"), rows="clips")
    for column in ("group", "file"):
        refuse_shared(table, column, path)
    return table


def decode(path: Path, target: ClipTarget) -> torch.Tensor:
    """(T, H, W, 3) uint8 frames of a clip, as they are served.

    Raises:
        MediaError: it cannot be decoded.
    """
    out = np.empty(target.shape, dtype=np.uint8)
    decode_clip(path, target, _LIMITS, out=out)
    return torch.from_numpy(out)


def load_clips(folder: Path, model: MotionVideoModel, *, cache: Path) -> Clips:
    """Every labelled clip of `video/manifest.csv`.

    Raises:
        ConfigError: the manifest cannot be used, see `read_manifest`.
        MediaError: a clip cannot be decoded.
    """
    table = read_manifest(folder / "video")
    kept = cache / f"clips-{_key(table, model)}.npz"
    if not kept.exists():
        cache.mkdir(parents=True, exist_ok=True)
        np.savez(kept, *_describe(folder / "video", table, model))
    with np.load(kept) as arrays:
        maps = tuple(torch.from_numpy(arrays[name]) for name in arrays.files)
    return Clips(table, _features(model, maps), maps)


def batched(maps: tuple[torch.Tensor, ...]) -> Iterator[tuple[torch.Tensor, ...]]:
    """A few clips at a time: their statistics in full precision take many times the maps' memory."""
    yield from zip(*(torch.split(part, _BATCH) for part in maps), strict=True)


def _features(model: MotionVideoModel, maps: tuple[torch.Tensor, ...]) -> NDArray[np.float32]:
    whole = torch.arange(maps[0].shape[1]).unsqueeze(0)
    with torch.inference_mode():
        features: NDArray[np.float32] = torch.cat(
            [model.features(whole, *batch)[:, 0] for batch in batched(maps)]
        ).numpy()
    return features


def _key(table: pd.DataFrame, model: MotionVideoModel) -> str:
    """What the kept arrays depend on."""
    config = model.config
    sizes = f"{config.stages} {config.grid} {config.num_frames} {config.size_px} {FRAME_RULE} {list(table['file'])}"
    weights = list(model.trunk.parameters())[-2]
    return hashlib.sha256(sizes.encode() + weights.detach().float().numpy().tobytes()).hexdigest()[:16]


def _describe(folder: Path, table: pd.DataFrame, model: MotionVideoModel) -> list[NDArray[np.float16]]:
    """Per stage read, (N, T, cells, C)."""
    seen = []
    target = ClipTarget(model.config.num_frames, model.config.size_px)
    for number, name in enumerate(table["file"]):
        with torch.inference_mode():
            maps = model.describe(decode(folder / name, target).unsqueeze(0))
        seen.append([part[0].numpy() for part in maps])
        if number % 50 == 0:
            _log.info("training.clips_described", done=number, of=len(table))
    return [np.stack(parts) for parts in zip(*seen, strict=True)]
