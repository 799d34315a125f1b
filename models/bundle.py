"""A folder of models → one servable bundle, by the same code for the starter models and any Hugging Face folder."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
import torch

from core.errors import ConfigError
from core.labels import Modality
from core.media.protocol import Resize
from models.networks.loading import Loaded, clip_spec, load_fusion, load_text, load_video, read_tokenizer
from models.networks.outputs import FusionNetwork, TextNetwork, VideoNetwork
from models.spec import ClipSpec, ServedModels

STARTER = Path(__file__).parent / "starter"
"""The models that serve until the registry names better ones."""

_ANY_CLIP = ClipSpec(num_frames=16, size_px=224, resize=Resize.STRETCH)
_log = structlog.get_logger()


@dataclass(frozen=True)
class Bundle:
    """The networks served together, in eval mode; a missing one is None.

    Attributes:
        served: what clients are told; `served.labels[modality]` names the columns of that network's probabilities.
    """

    text: TextNetwork | None
    video: VideoNetwork | None
    fusion: FusionNetwork | None
    served: ServedModels

    def to(self, device: torch.device | str, dtype: torch.dtype = torch.float32) -> "Bundle":
        """Move every network, in place; parts that gain nothing from half precision stay float32."""
        for network in (self.text, self.video, self.fusion):
            if network is not None:
                _place(network, device, dtype)
        return self

    def fuse(self) -> "Bundle":
        """Let networks that can compute with fewer passes over a CPU's memory; for inference alone, same numbers."""
        for network in (self.text, self.video, self.fusion):
            if fuse := getattr(network, "fuse", None):
                fuse()
        return self


def load_bundle(folder: Path, *, device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32) -> Bundle:
    """Load `folder/text`, `folder/video` and `folder/fusion`; a folder that is not there is a missing model.

    Fusion is left out when it was trained over another text or video model than the ones beside it.

    Raises:
        ConfigError: a folder is there but cannot be served, or there is no model at all; one line.
    """
    text = _if_there(folder / Modality.TEXT, load_text)
    video = _if_there(folder / Modality.VIDEO, load_video)
    if text is None and video is None:
        raise ConfigError(f"{folder} holds neither text/ nor video/; name a folder of models")
    fusion = _if_matching(
        _if_there(folder / Modality.FUSION, load_fusion), {Modality.TEXT: text, Modality.VIDEO: video}
    )
    parts = {Modality.TEXT: text, Modality.VIDEO: video, Modality.FUSION: fusion}
    networks = {modality.value: part.network if part else None for modality, part in parts.items()}
    return Bundle(**networks, served=_describe(folder, parts)).to(device, dtype)


def _place(network: Any, device: torch.device | str, dtype: torch.dtype) -> None:  # noqa: ANN401 - any network
    half_modules = getattr(network, "half_modules", None)
    if half_modules is None:
        network.to(device, dtype)
        return
    network.to(device)
    for name in half_modules:
        network.get_submodule(name).to(dtype=dtype, memory_format=torch.channels_last)


def _if_there(folder: Path, load: Callable[[Path], Loaded[Any]]) -> Loaded[Any] | None:
    return load(folder) if folder.is_dir() else None


def _if_matching(fusion: Loaded[Any] | None, others: dict[Modality, Loaded[Any] | None]) -> Loaded[Any] | None:
    if fusion is None:
        return None
    beside = {modality.value: part.fingerprint for modality, part in others.items() if part is not None}
    if fusion.config.trained_over == beside:
        return fusion
    _log.warning("bundle.fusion_left_out", trained_over=fusion.config.trained_over, beside=beside)
    return None


def _describe(folder: Path, parts: dict[Modality, Loaded[Any] | None]) -> ServedModels:
    text, video, fusion = parts[Modality.TEXT], parts[Modality.VIDEO], parts[Modality.FUSION]
    tokenizer_json, max_tokens = read_tokenizer(folder / Modality.TEXT, text.config) if text else (b"", 0)
    return ServedModels(
        model_version="|".join(f"{modality}:{part.version if part else '-'}" for modality, part in parts.items()),
        clip=clip_spec(folder / Modality.VIDEO, video.config) if video else _ANY_CLIP,
        max_tokens=max_tokens,
        tokenizer_json=tokenizer_json,
        labels={modality.value: part.labels for modality, part in parts.items() if part},
        fusion_passed_gate=bool(fusion and fusion.config.passed_gate),
    )
