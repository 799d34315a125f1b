"""What `clipwarden train text|video|fusion` calls: one function per model, and one that picks."""

from pathlib import Path

from core.errors import ConfigError
from core.labels import Modality
from models.training.config import TEXT_SOURCES, FusionTraining, TextTraining, VideoTraining
from models.training.evaluate import Figures
from models.training.finetune import finetune
from models.training.fusion import train_fusion
from models.training.loop import Report, log_progress
from models.training.recipes import Finetuning, Recipe, TextRecipe
from models.training.tables import table_names
from models.training.text import train_text
from models.training.video import train_video

__all__ = ["REVIEWS", "train", "train_fusion", "train_text", "train_video"]

REVIEWS = "reviews"
"""The source of captions that moderators labelled; text learns from it where the data has it."""


def train(
    modality: Modality,
    *,
    data: Path,
    out: Path,
    version: str = "local",
    recipe: Recipe | None = None,
    report: Report = log_progress,
) -> dict[str, Figures]:
    """Train one model and write its folder: weights, config, card.

    Without a recipe it is the product's own network with its default hyperparameters, else the recipe's encoder. Fusion
    reads the states of the `text` and `video` folders beside `out`.

    Args:
        modality: which model.
        data: folder with tables of captions in `text/` and `video/manifest.csv`; CSV or Parquet.
        out: the model's folder; what it held is replaced, once training ended well.
        version: what the model calls itself in every verdict.
        recipe: of the same modality; what to fine-tune, and how.
        report: told of each epoch; the product's own video model has none.

    Returns:
        Figures by what they were measured on.

    Raises:
        ConfigError: the data, the models or the folder cannot be used.
        MediaError: a clip cannot be decoded.
    """
    if recipe is not None:
        return finetune(_finetuning(modality, recipe, data=data, out=out, version=version), report)
    if modality is Modality.TEXT:
        return train_text(TextTraining(data=data, out=out, version=version, sources=text_sources(data)), report)
    if modality is Modality.VIDEO:
        return train_video(VideoTraining(data=data, out=out, version=version))
    return train_fusion(FusionTraining(data=data, out=out, version=version, models=out.parent), report)


def text_sources(data: Path) -> tuple[str, ...]:
    """The default sources, and moderators' captions where the data has them; all there are in data without those."""
    there = table_names(data / "text")
    if there and not set(TEXT_SOURCES) & set(there):
        return there
    return (*TEXT_SOURCES, REVIEWS) if REVIEWS in there else TEXT_SOURCES


def _finetuning(modality: Modality, recipe: Recipe, *, data: Path, out: Path, version: str) -> Finetuning:
    if recipe.modality != modality:
        raise ConfigError(f"this is a recipe for {recipe.modality.value}, not {modality.value}; name another")
    if isinstance(recipe, TextRecipe) and not recipe.sources:
        recipe = recipe.model_copy(update={"sources": text_sources(data)})
    return Finetuning(data=data, out=out, version=version, recipe=recipe)
