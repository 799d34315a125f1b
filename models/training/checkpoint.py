"""A trained network → a folder that can be served: half-precision weights, config and model card, all or nothing."""

import shutil
from pathlib import Path
from typing import Any

import torch

from core.errors import ConfigError


def check_out(out: Path) -> None:
    """Refuse, before the training, a folder that cannot be written.

    Raises:
        ConfigError: its parent cannot be made, or something else than a folder is in the way.
    """
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{out.parent} cannot be made ({error.strerror}); name another folder with --out") from error
    if out.exists() and not out.is_dir():
        raise ConfigError(f"{out} is a file; name a folder with --out")


def save_checkpoint(model: Any, out: Path, files: dict[str, str]) -> None:  # noqa: ANN401 - a PreTrainedModel
    """Write the folder beside its place, then put it there; what was there before is replaced."""
    partial = out.with_name(f".{out.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    model.to(torch.float16).save_pretrained(partial)
    (partial / "model.safetensors").chmod(0o644)
    for name, text in files.items():
        (partial / name).write_text(text, encoding="utf-8")
    shutil.rmtree(out, ignore_errors=True)
    partial.rename(out)
    model.float()
