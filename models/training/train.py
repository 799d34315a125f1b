"""What `clipwarden train text|video|fusion` calls: one function per model, and one that picks."""

from pathlib import Path

from core.labels import Modality
from models.training.config import TEXT_SOURCES, FusionTraining, TextTraining, VideoTraining
from models.training.evaluate import Figures
from models.training.fusion import train_fusion
from models.training.loop import Report, log_progress
from models.training.text import train_text
from models.training.video import train_video

__all__ = ["REVIEWS", "train", "train_fusion", "train_text", "train_video"]

REVIEWS = "reviews"
"""The source of captions that moderators labelled; text learns from it where the data has it."""


def train(
    modality: Modality, *, data: Path, out: Path, version: str = "local", report: Report = log_progress
) -> dict[str, Figures]:
    """Train one model with the default hyperparameters and write its folder: weights, config, card.

    Fusion reads the states of the `text` and `video` folders beside `out`.

    Args:
        modality: which model.
        data: folder with `text/*.parquet` and `video/manifest.csv`.
        out: the model's folder; what it held is replaced, once training ended well.
        version: what the model calls itself in every verdict.
        report: told of each epoch of text and fusion.

    Returns:
        Figures by what they were measured on.

    Raises:
        ConfigError: the data, the models or the folder cannot be used.
        MediaError: a clip cannot be decoded.
    """
    if modality is Modality.TEXT:
        return train_text(TextTraining(data=data, out=out, version=version, sources=text_sources(data)), report)
    if modality is Modality.VIDEO:
        return train_video(VideoTraining(data=data, out=out, version=version))
    return train_fusion(FusionTraining(data=data, out=out, version=version, models=out.parent), report)


def text_sources(data: Path) -> tuple[str, ...]:
    """The published mix and moderators' captions where the data has them; else every text file that it has."""
    found = sorted(path.stem for path in (data / "text").glob("*.parquet"))
    if not set(TEXT_SOURCES) & set(found):
        return tuple(found)
    return (*TEXT_SOURCES, REVIEWS) if REVIEWS in found else TEXT_SOURCES
