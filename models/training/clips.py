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

from core.errors import ConfigError
from core.media.decode import decode_clip
from core.media.protocol import ClipTarget, MediaLimits
from models.networks.video import MotionVideoModel

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


def load_clips(folder: Path, model: MotionVideoModel, *, cache: Path) -> Clips:
    """Every labelled clip of `video/manifest.csv`.

    Raises:
        ConfigError: the manifest is missing or incomplete, or a clip has no label.
        MediaError: a clip cannot be decoded.
    """
    table = _read_manifest(folder / "video" / "manifest.csv")
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


def _read_manifest(path: Path) -> pd.DataFrame:
    try:
        table = pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read ({error}); it must be a CSV with columns {_COLUMNS}") from error
    absent = set(_COLUMNS) - set(table.columns)
    if absent:
        raise ConfigError(f"{path} has no column {', '.join(sorted(absent))}")
    unlabelled = ~table["label"].isin(["safe", "harmful"])
    if unlabelled.any():
        raise ConfigError(
            f"{path} has {int(unlabelled.sum())} clips whose label is neither safe nor harmful; label them"
        )
    return table[list(_COLUMNS)]


def _key(table: pd.DataFrame, model: MotionVideoModel) -> str:
    """What the kept arrays depend on."""
    config = model.config
    sizes = f"{config.stages} {config.grid} {config.num_frames} {config.size_px} {list(table['file'])}"
    weights = list(model.trunk.parameters())[-2]
    return hashlib.sha256(sizes.encode() + weights.detach().float().numpy().tobytes()).hexdigest()[:16]


def _describe(folder: Path, table: pd.DataFrame, model: MotionVideoModel) -> list[NDArray[np.float16]]:
    """Per stage read, (N, T, cells, C)."""
    seen = []
    for number, name in enumerate(table["file"]):
        with torch.inference_mode():
            maps = model.describe(_decode(folder / name, model).unsqueeze(0))
        seen.append([part[0].numpy() for part in maps])
        if number % 50 == 0:
            _log.info("training.clips_described", done=number, of=len(table))
    return [np.stack(parts) for parts in zip(*seen, strict=True)]


def _decode(path: Path, model: MotionVideoModel) -> torch.Tensor:
    target = ClipTarget(model.config.num_frames, model.config.size_px)
    out = np.empty(target.shape, dtype=np.uint8)
    decode_clip(path, target, _LIMITS, out=out)
    return torch.from_numpy(out)
