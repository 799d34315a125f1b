"""One model folder → one network with what is served beside it; own networks and Hugging Face's by the same call."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForSequenceClassification,
    AutoModelForVideoClassification,
    AutoTokenizer,
    logging,
)

from core.errors import ConfigError
from core.media.protocol import Resize
from models.networks.adapters import HuggingFaceText, HuggingFaceVideo
from models.networks.config import OwnConfig
from models.networks.fusion import CrossFusionConfig, CrossFusionModel
from models.networks.hybrid import HybridTextConfig, HybridTextModel
from models.networks.video import MotionVideoConfig, MotionVideoModel
from models.preprocess import PixelScale
from models.spec import ClipSpec

N = TypeVar("N")
_LONGEST_CAPTION = 512
_POSITIONS_AFTER_PADDING = frozenset({"roberta", "xlm-roberta", "xlm-roberta-xl", "camembert"})
_VOCABULARIES = ("tokenizer.json", "vocab.*", "*.model")
PREPROCESSORS = ("preprocessor_config.json", "video_preprocessor_config.json")
"""Where a video checkpoint may say how its pixels are scaled."""
_IMAGENET_MEAN, _IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
UNREADABLE = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    RuntimeError,
    SafetensorError,
    StrictDataclassError,
)
"""What transformers, torch and safetensors raise over a folder they cannot make sense of."""


@dataclass(frozen=True)
class Loaded(Generic[N]):
    """A network from a folder.

    Attributes:
        labels: of the columns of its probabilities.
        version: the folder's own name for itself.
        fingerprint: of its weights, in hex.
    """

    network: N
    config: Any
    labels: tuple[str, ...]
    version: str
    fingerprint: str


@dataclass(frozen=True)
class _Foreign:
    """How a checkpoint that is not the product's own is loaded: its Auto class, then its adapter."""

    auto: Any
    adapt: Callable[[Any], HuggingFaceText | HuggingFaceVideo]


def register_networks() -> None:
    """Make the starter's networks known to transformers' Auto classes."""
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # transformers' own
    for config, model in (
        (HybridTextConfig, HybridTextModel),
        (MotionVideoConfig, MotionVideoModel),
        (CrossFusionConfig, CrossFusionModel),
    ):
        AutoConfig.register(config.model_type, config, exist_ok=True)
        AutoModel.register(config, model, exist_ok=True)


def load_text(folder: Path) -> Loaded[Any]:
    """The text network of a folder.

    Raises:
        ConfigError: the folder cannot be served.
    """
    return _load(folder, HybridTextConfig, _Foreign(AutoModelForSequenceClassification, HuggingFaceText))


def load_video(folder: Path) -> Loaded[Any]:
    """The video network of a folder.

    Raises:
        ConfigError: the folder cannot be served.
    """

    def adapt(model: Any) -> HuggingFaceVideo:  # noqa: ANN401 - any of transformers' classes
        return HuggingFaceVideo(model, pixel_scale(folder))

    return _load(folder, MotionVideoConfig, _Foreign(AutoModelForVideoClassification, adapt))


def load_fusion(folder: Path) -> Loaded[Any]:
    """The fusion network of a folder.

    Raises:
        ConfigError: the folder cannot be served.
    """
    return _load(folder, CrossFusionConfig, None)


def read_tokenizer(folder: Path, config: Any) -> tuple[bytes, int]:  # noqa: ANN401 - any checkpoint's config
    """The fast tokenizer as JSON, and how many ids a caption may have.

    Raises:
        ConfigError: there is none.
    """
    try:
        if isinstance(config, HybridTextConfig):
            return (folder / "tokenizer.json").read_bytes(), config.max_tokens
        if not any(path for pattern in _VOCABULARIES for path in folder.glob(pattern)):
            # transformers would make one up without words in it.
            raise FileNotFoundError(f"none of {', '.join(_VOCABULARIES)}")
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        # RoBERTa and its children begin to count positions after the padding id.
        taken = config.pad_token_id + 1 if config.model_type in _POSITIONS_AFTER_PADDING else 0
        longest = min(tokenizer.model_max_length, config.max_position_embeddings - taken, _LONGEST_CAPTION)
        return tokenizer.backend_tokenizer.to_str().encode(), longest
    except UNREADABLE as error:
        raise _refusal(folder, f"no fast tokenizer: {one_line(error)}") from error


def clip_spec(folder: Path, config: Any) -> ClipSpec:  # noqa: ANN401 - any checkpoint's config
    """The clip to decode for a video network."""
    if isinstance(config, MotionVideoConfig):
        return ClipSpec(config.num_frames, config.size_px, Resize.STRETCH)
    preprocessor = _preprocessor(folder)
    resize = Resize.CROP if preprocessor.get("do_center_crop", True) else Resize.STRETCH
    return ClipSpec(config.num_frames, config.image_size, resize)


def pixel_scale(folder: Path) -> PixelScale:
    """Mean and std that a folder's preprocessor_config.json states, ImageNet's where it has none."""
    preprocessor = _preprocessor(folder)
    factor = preprocessor.get("rescale_factor", 1 / 255)
    # ViViT's pixels are in -1..1 before the mean is taken off.
    offset = 1.0 if preprocessor.get("offset") else 0.0
    mean = preprocessor.get("image_mean", _IMAGENET_MEAN)
    std = preprocessor.get("image_std", _IMAGENET_STD)
    red, green, blue = ((value + offset) / factor for value in mean)
    red_std, green_std, blue_std = (value / factor for value in std)
    return PixelScale((red, green, blue), (red_std, green_std, blue_std))


def fingerprint(folder: Path) -> str:
    """What tells two trained networks apart: the start of their weights' SHA-256."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.safetensors")):
        with path.open("rb") as weights:
            digest.update(hashlib.file_digest(weights, "sha256").digest())
    return digest.hexdigest()[:16]


def _load(folder: Path, own: type[OwnConfig], foreign: _Foreign | None) -> Loaded[Any]:
    register_networks()
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
        if isinstance(config, own):
            network = _from_pretrained(folder, AutoModel)
            labels = config.labels
        elif foreign is not None:
            network = foreign.adapt(_from_pretrained(folder, foreign.auto))
            labels = network.reader.labels
        else:
            raise _refusal(folder, f"its model_type is {config.model_type}, not {own.model_type}")
        mark = fingerprint(folder)
    except UNREADABLE as error:
        raise _refusal(folder, one_line(error)) from error
    version = getattr(config, "clipwarden_version", None) or mark[:8]
    return Loaded(network.eval(), config, labels, version, mark)


def _from_pretrained(folder: Path, auto: Any) -> Any:  # noqa: ANN401 - an Auto class and what it makes
    model, report = auto.from_pretrained(
        folder, dtype=torch.float32, local_files_only=True, use_safetensors=True, output_loading_info=True
    )
    absent = sorted(report["missing_keys"]) + sorted(str(key) for key in report["mismatched_keys"])
    if absent:
        # transformers would fill them with random numbers and go on.
        raise _refusal(folder, f"{len(absent)} weights are missing or misshapen, e.g. {absent[0]}")
    return model


def _preprocessor(folder: Path) -> dict[str, Any]:
    texts = (path.read_text(encoding="utf-8") for name in PREPROCESSORS if (path := folder / name).is_file())
    return dict(json.loads(next(texts, "{}")))


def one_line(error: BaseException) -> str:
    """What another library says went wrong, for the end of a line."""
    return " ".join(str(error).split())[:300] or type(error).__name__


def _refusal(folder: Path, reason: str) -> ConfigError:
    return ConfigError(f"the model in {folder} cannot be served ({reason}); train it again or name another folder")
