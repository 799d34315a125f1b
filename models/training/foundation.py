"""A published encoder, by name or folder → the network to fine-tune, with the preprocessing it will be served with."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from tokenizers.normalizers import Sequence
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoModelForVideoClassification,
    AutoTokenizer,
    PreTrainedTokenizerFast,
)
from transformers.utils.hub import cached_file

from core.errors import ConfigError
from core.labels import HARMFUL_LABEL
from models.networks.adapters import HuggingFaceText, HuggingFaceVideo
from models.networks.loading import (
    PREPROCESSORS,
    UNREADABLE,
    clip_spec,
    one_line,
    pixel_scale,
    read_tokenizer,
    register_networks,
)
from models.spec import ClipSpec
from models.tokens import CaptionTokenizer
from models.training.normalise import build_normalizer
from models.training.recipes import Recipe, TextRecipe, VideoRecipe

_LABELS = {0: "safe", 1: HARMFUL_LABEL}


@dataclass(frozen=True)
class TextFoundation:
    """An encoder of captions with a new head.

    Attributes:
        files: what lies beside the weights when it is served, by name.
    """

    network: HuggingFaceText
    tokenizer: CaptionTokenizer
    files: dict[str, str]


@dataclass(frozen=True)
class VideoFoundation:
    """An encoder of clips with a new head; `files` as above."""

    network: HuggingFaceVideo
    clip: ClipSpec
    files: dict[str, str]


def load_text_foundation(recipe: TextRecipe) -> TextFoundation:
    """The encoder and its tokenizer, which from here on is read as serving reads it.

    Raises:
        ConfigError: there is no such encoder, or it is none of captions.
    """
    model = _load_model(recipe, AutoModelForSequenceClassification)
    with TemporaryDirectory() as name:
        folder = Path(name)
        _save_tokenizer(recipe, model.config, folder)
        tokenizer = CaptionTokenizer(*read_tokenizer(folder, model.config))
        return TextFoundation(HuggingFaceText(model), tokenizer, _texts(folder))


def load_video_foundation(recipe: VideoRecipe) -> VideoFoundation:
    """The encoder, and the clips and pixels it takes.

    Raises:
        ConfigError: there is no such encoder, or it is none of clips.
    """
    model = _load_model(recipe, AutoModelForVideoClassification)
    with TemporaryDirectory() as name:
        folder = Path(name)
        try:
            _copy_preprocessor(recipe, folder)
            network = HuggingFaceVideo(model, pixel_scale(folder))
            return VideoFoundation(network, clip_spec(folder, model.config), _texts(folder))
        except UNREADABLE as error:
            raise _refusal(recipe, f"its preprocessor cannot be read: {one_line(error)}") from error


def _load_model(recipe: Recipe, auto: Any) -> Any:  # noqa: ANN401 - an Auto class and what it makes
    register_networks()
    known = _source(recipe)
    try:
        config = AutoConfig.from_pretrained(
            recipe.base, **known, id2label=_LABELS, label2id={label: place for place, label in _LABELS.items()}
        )
        config.problem_type = "single_label_classification"
        model, report = auto.from_pretrained(
            recipe.base,
            **known,
            config=config,
            dtype=torch.float32,
            ignore_mismatched_sizes=True,
            output_loading_info=True,
        )
    except UNREADABLE as error:
        raise _refusal(recipe, one_line(error)) from error
    new = [*report["missing_keys"], *(str(key[0]) for key in report["mismatched_keys"])]
    # The head is new, and a pooler is part of it; an encoder with random numbers in it is none.
    absent = sorted(key for key in new if key.startswith(f"{model.base_model_prefix}.") and "pooler" not in key)
    if absent:
        raise _refusal(recipe, f"{len(absent)} weights are missing or misshapen, e.g. {absent[0]}")
    return model


def _save_tokenizer(recipe: TextRecipe, config: Any, folder: Path) -> None:  # noqa: ANN401 - any checkpoint's config
    try:
        tokenizer = AutoTokenizer.from_pretrained(recipe.base, **_source(recipe))
        backend = tokenizer.backend_tokenizer
    except UNREADABLE as error:
        raise _refusal(recipe, f"no fast tokenizer: {one_line(error)}") from error
    words = len(tokenizer) - len(tokenizer.all_special_ids)
    if words <= 0 or len(tokenizer) > config.vocab_size:
        raise _refusal(recipe, f"its tokenizer has {words} words for {config.vocab_size} embeddings")
    if recipe.normalise:
        backend.normalizer = Sequence([build_normalizer(), *([backend.normalizer] if backend.normalizer else [])])
    special = {name: str(token) for name, token in tokenizer.special_tokens_map.items()}
    longest = min(recipe.max_tokens, tokenizer.model_max_length)
    # By its general class: an encoder's own would build its own normalizer again when it is loaded.
    general = PreTrainedTokenizerFast(tokenizer_object=backend, model_max_length=longest, **special)  # type: ignore[no-untyped-call]  # transformers' own
    general.save_pretrained(folder)


def _copy_preprocessor(recipe: VideoRecipe, folder: Path) -> None:
    for name in PREPROCESSORS:
        found = cached_file(
            recipe.base,
            name,
            _raise_exceptions_for_missing_entries=False,
            _raise_exceptions_for_connection_errors=False,
            **_source(recipe, trusts=None),
        )
        if found is not None:
            (folder / name).write_bytes(Path(found).read_bytes())
            return


def _source(recipe: Recipe, *, trusts: bool | None = False) -> dict[str, Any]:
    source = {"revision": recipe.revision, "local_files_only": Path(recipe.base).is_dir()}
    # Code that comes with a checkpoint is never run.
    return source if trusts is None else source | {"trust_remote_code": trusts}


def _texts(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.iterdir()) if path.is_file()}


def _refusal(recipe: Recipe, reason: str) -> ConfigError:
    return ConfigError(f"the encoder {recipe.base} cannot be trained ({reason}); name another with base or --base")
