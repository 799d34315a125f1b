"""Recipe files: everything that fine-tuning a published encoder asks for, parsed once, refused in one line."""

import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from core.errors import ConfigError
from core.labels import Modality
from models.training.config import LoopConfig, TrainConfig

SHIPPED = Path(__file__).parents[1] / "recipes"
DEFAULTS = {Modality.TEXT: "text-xlm-r", Modality.VIDEO: "video-videomae"}
"""The recipe that a base named without one is trained by."""
_Share = Annotated[float, Field(ge=0, lt=1)]
_Count = Annotated[int, Field(ge=1)]
_Positive = Annotated[float, Field(gt=0)]


class _Common(BaseModel):
    """What both kinds of recipe have.

    Attributes:
        base: a published encoder's name, or a folder.
        revision: of a published encoder: a branch, tag or commit.
        batch_size: rows computed at once; accumulate: how many such batches make one step.
        precision: what layers compute in while training; weights are kept in full.
        class_weights: balanced: both labels count alike, however many rows they have.
        patience: epochs without a better validation score, after which it stops.
        average_decay: of the moving average of the weights, which is what is evaluated and kept.
        clip: longest gradient.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    base: Annotated[str, Field(min_length=1)]
    revision: str = "main"
    epochs: _Count
    batch_size: _Count
    accumulate: _Count = 1
    learning_rate: _Positive
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    warmup_share: Annotated[float, Field(gt=0, le=1)] = 0.06
    patience: _Count = 2
    average_decay: _Share = 0.99
    clip: _Positive = 1.0
    label_smoothing: Annotated[float, Field(ge=0, lt=0.5)] = 0.0
    class_weights: Literal["balanced", "none"] = "balanced"
    precision: Literal["bf16", "fp32"] = "bf16"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    random_state: int = 7

    @property
    def loop(self) -> LoopConfig:
        """For the optimisation loop."""
        return LoopConfig(
            epochs=self.epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            warmup_share=self.warmup_share,
            patience=self.patience,
            average_decay=self.average_decay,
            clip=self.clip,
        )


class TextRecipe(_Common):
    """A caption encoder.

    Attributes:
        sources: names of tables in `text/`; empty: the default ones, or all where none of those is there.
        max_tokens: longer captions are cut there, here and when served.
        normalise: whether the tokenizer first brings captions to one spelling, as the product's own models do.
    """

    modality: Literal[Modality.TEXT]
    sources: tuple[str, ...] = ()
    max_tokens: Annotated[int, Field(ge=8)] = 256
    normalise: bool = True


class VideoRecipe(_Common):
    """A clip encoder; how many frames of which size is the base's own choice.

    Attributes:
        flip_share: how many training clips are seen mirrored.
    """

    modality: Literal[Modality.VIDEO]
    flip_share: Annotated[float, Field(ge=0, le=1)] = 0.5


Recipe = TextRecipe | VideoRecipe
_PARSER: TypeAdapter[Recipe] = TypeAdapter(Annotated[Recipe, Field(discriminator="modality")])


@dataclass(frozen=True, kw_only=True)
class Finetuning(TrainConfig):
    """A fine-tuning: where, and by which recipe; the recipe's random_state counts."""

    recipe: Recipe


def shipped_recipes() -> tuple[str, ...]:
    """Names of the recipes that come with the product."""
    return tuple(sorted(path.stem for path in SHIPPED.glob("*.toml")))


def load_recipe(name: str, *, base: str | None = None) -> Recipe:
    """Read a recipe file, or a shipped recipe by its name.

    Args:
        name: a path to a TOML file, or one of `shipped_recipes()`.
        base: an encoder's name or folder instead of the recipe's own.

    Raises:
        ConfigError: there is no such recipe, or an option is unknown, missing or no value for it.
    """
    path = SHIPPED / f"{name}.toml" if name in shipped_recipes() else Path(name)
    try:
        options = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        shipped = ", ".join(shipped_recipes())
        raise ConfigError(f"no recipe {name} ({error.strerror}); name a TOML file or one of {shipped}") from error
    except ValueError as error:
        raise ConfigError(f"{path} is no TOML ({error}); correct it") from error
    return _parse(path, options if base is None else options | {"base": base, "revision": "main"})


def _parse(path: Path, options: dict[str, Any]) -> Recipe:
    try:
        # As JSON: there a list may be a tuple and a string a choice, and nothing else is taken for what it is not.
        return _PARSER.validate_json(json.dumps(options, default=str))
    except ValidationError as error:
        first = error.errors()[0]
        option = ".".join(str(part) for part in first["loc"][1:]) or "modality"
        raise ConfigError(f"{path}: {option}: {first['msg']}; docs/models.md lists the options") from error
