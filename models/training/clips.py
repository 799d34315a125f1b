"""Labelled clips → what the frozen trunk sees of them, decoded by the flow's own decoder and kept between runs."""

import hashlib
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
from models.networks.video import MotionVideoModel, clip_features

_log = structlog.get_logger()
_LIMITS = MediaLimits(max_bytes=500_000_000, max_pixels=4096 * 2304, max_duration_s=600.0, min_distinct_frames=2)
_COLUMNS = ("file", "label", "split", "source", "group")


@dataclass(frozen=True)
class Clips:
    """Labelled clips as the frozen part of the network sees them.

    Attributes:
        table: columns file, label, split, source, group.
        frames: (N, T, C); `motion`: (N, T - 1, cells).
    """

    table: pd.DataFrame
    frames: torch.Tensor
    motion: torch.Tensor

    def __len__(self) -> int:
        """How many clips."""
        return len(self.table)

    def of(self, *splits: str) -> "Clips":
        """The clips of some splits."""
        return self.where(self.table["split"].isin(splits).to_numpy())

    def where(self, mask: NDArray[np.bool_]) -> "Clips":
        """The clips where the mask is true."""
        rows = torch.tensor(mask)
        return Clips(self.table[mask].reset_index(drop=True), self.frames[rows], self.motion[rows])

    @property
    def harmful(self) -> NDArray[np.bool_]:
        """(N,) whether each clip is harmful."""
        return (self.table["label"] == "harmful").to_numpy()

    @property
    def features(self) -> NDArray[np.float32]:
        """(N, F) motion statistics of the whole clips."""
        features: NDArray[np.float32] = clip_features(self.frames, self.motion).numpy()
        return features


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
        frames, motion = _describe(folder / "video", table, model)
        np.savez(kept, frames=frames, motion=motion)
    with np.load(kept) as arrays:
        return Clips(table, torch.from_numpy(arrays["frames"]), torch.from_numpy(arrays["motion"]))


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
    sizes = f"{config.stages} {config.num_frames} {config.size_px} {list(table['file'])}"
    weights = list(model.trunk.parameters())[-2]
    return hashlib.sha256(sizes.encode() + weights.detach().float().numpy().tobytes()).hexdigest()[:16]


def _describe(
    folder: Path, table: pd.DataFrame, model: MotionVideoModel
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    frames, motion = [], []
    for number, name in enumerate(table["file"]):
        with torch.inference_mode():
            clip_frames, clip_motion = model.describe(_decode(folder / name, model).unsqueeze(0))
        frames.append(clip_frames[0].numpy())
        motion.append(clip_motion[0].numpy())
        if number % 50 == 0:
            _log.info("training.clips_described", done=number, of=len(table))
    return np.stack(frames), np.stack(motion)


def _decode(path: Path, model: MotionVideoModel) -> torch.Tensor:
    target = ClipTarget(model.config.num_frames, model.config.size_px)
    out = np.empty(target.shape, dtype=np.uint8)
    decode_clip(path, target, _LIMITS, out=out)
    return torch.from_numpy(out)
