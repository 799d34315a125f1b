"""Labelled captions or clips of one split → a network's arguments, as they are served, in batches."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import structlog
import torch

from core.media.protocol import ClipTarget
from core.media.sample import FRAME_RULE
from models.spec import ClipSpec
from models.tokens import CaptionTokenizer
from models.training.captions import pad
from models.training.clips import decode, read_manifest
from models.training.data import SPLITS, Captions, Split
from models.training.tables import refuse_one_class

Arguments = tuple[torch.Tensor, ...]
_log = structlog.get_logger()


@dataclass(frozen=True)
class Examples:
    """Labelled rows of one split.

    Attributes:
        table: columns label and source; lang where there is one.
        lengths: (N,) float; rows of like length are read together.
        read: (B,) row numbers → the network's arguments, B first in each.
        digest: of all that is learnt from.
    """

    table: pd.DataFrame
    lengths: torch.Tensor
    read: Callable[[torch.Tensor], Arguments]
    digest: str

    def __len__(self) -> int:
        """How many rows."""
        return len(self.table)

    @property
    def harmful(self) -> torch.Tensor:
        """(N,) bool."""
        return torch.tensor((self.table["label"] == "harmful").to_numpy(dtype=bool))

    def batches(self, size: int) -> list[torch.Tensor]:
        """Every row once; like lengths together, in random order."""
        order = torch.randperm(len(self))
        drawn = self.lengths[order] * torch.randn(len(self)).mul(0.1).exp()
        parts = torch.split(order[drawn.argsort(stable=True)], size)
        return [parts[place] for place in torch.randperm(len(parts)).tolist()]


def caption_examples(captions: Captions, tokenizer: CaptionTokenizer) -> Examples:
    """Captions through the tokenizer that serves."""
    ids = [torch.tensor(tokenizer.encode(text).ids, dtype=torch.long) for text in captions.table["text"]]
    label = np.where(captions.harmful, "harmful", "safe")
    table = captions.table.drop(columns="text").assign(label=label)
    digest = hashlib.sha256(label.tobytes())
    for caption in ids:
        digest.update(caption.numpy().tobytes())
        digest.update(b"|")
    lengths = torch.tensor([len(caption) for caption in ids], dtype=torch.float)
    return Examples(table, lengths, lambda rows: pad([ids[row] for row in rows.tolist()]), digest.hexdigest())


def clip_examples(folder: Path, spec: ClipSpec, *, cache: Path) -> dict[Split, Examples]:
    """Each split's clips through the decoder that serves, decoded once and kept.

    Raises:
        ConfigError: the manifest cannot be used, or a split lacks one of the labels.
        MediaError: a clip cannot be decoded.
    """
    table = read_manifest(folder)
    for split in SPLITS:
        refuse_one_class(table, split, folder)
    kept = cache / f"frames-{_key(folder, table, spec)}.npy"
    if not kept.exists():
        _decode_all(folder, table, spec, kept)
    frames = np.load(kept, mmap_mode="r")
    places = {split: np.flatnonzero(table["split"] == split) for split in SPLITS}
    return {split: _clips(table, frames, rows, kept.stem) for split, rows in places.items()}


def _clips(table: pd.DataFrame, frames: np.ndarray, places: np.ndarray, digest: str) -> Examples:
    def read(rows: torch.Tensor) -> Arguments:
        return (torch.from_numpy(np.array(frames[places[rows.numpy()]])),)

    part = table.iloc[places].reset_index(drop=True)
    labels = hashlib.sha256(f"{digest} {list(part['label'])}".encode()).hexdigest()
    return Examples(part, torch.ones(len(part)), read, labels)


def _key(folder: Path, table: pd.DataFrame, spec: ClipSpec) -> str:
    """What the kept frames depend on."""
    stats = [(name, path.stat()) for name in table["file"] if (path := folder / name).is_file()]
    files = [(name, stat.st_size, stat.st_mtime_ns) for name, stat in stats]
    return hashlib.sha256(f"{spec} {FRAME_RULE} {list(table['file'])} {files}".encode()).hexdigest()[:16]


def _decode_all(folder: Path, table: pd.DataFrame, spec: ClipSpec, kept: Path) -> None:
    """Frames may be more than the memory holds: they are written as they come, and renamed once they are whole."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    partial, target = kept.with_suffix(".partial"), ClipTarget(spec.num_frames, spec.size_px, spec.resize)
    frames = np.lib.format.open_memmap(partial, "w+", np.uint8, (len(table), *target.shape))
    for number, name in enumerate(table["file"]):
        frames[number] = decode(folder / name, target).numpy()
        if number % 50 == 0:
            _log.info("training.clips_decoded", done=number, of=len(table))
    frames.flush()
    partial.replace(kept)
