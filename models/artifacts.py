"""What a model's folder may hold on its way through the registry, and the digests it is known by. No torch here."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from core.errors import ModelRefused

MAX_FILES = 64
MAX_TEXT_BYTES = 64_000_000
"""Of a file that is not weights: the largest vocabularies have 17 MB."""
WEIGHTS = "*.safetensors"
ALLOWED = (
    WEIGHTS,
    "*.json",
    "*.md",
    "*.txt",
    "sentencepiece.bpe.model",
    "spiece.model",
    "tokenizer.model",
    "bpe.codes",
)
"""Everything that is data; no pickle, no code."""


@dataclass(frozen=True)
class Digests:
    """SHA-256 in hex.

    Attributes:
        weights: of the one weights file, as `sha256sum` prints it; of several, that of their list.
        files: of the list of all files.
    """

    weights: str
    files: str


def check_names(sizes_bytes: Mapping[str, int], *, max_bytes: int, of: str) -> None:
    """Refuse, by names and sizes alone, what must not even be downloaded.

    Raises:
        ModelRefused: a file that is not expected, too many, too much, or no weights.
    """
    for name, size_bytes in sizes_bytes.items():
        if "/" in name or name.startswith(".") or not any(fnmatch(name, pattern) for pattern in ALLOWED):
            raise ModelRefused(f"{of} holds {name!r}, which is neither safetensors nor text; save it with train")
        if not fnmatch(name, WEIGHTS) and size_bytes > MAX_TEXT_BYTES:
            raise ModelRefused(f"{of}: {name} has {size_bytes:,} bytes, allowed are {MAX_TEXT_BYTES:,}")
    if len(sizes_bytes) > MAX_FILES:
        raise ModelRefused(f"{of} holds {len(sizes_bytes)} files, allowed are {MAX_FILES}")
    total_bytes = sum(sizes_bytes.values())
    if total_bytes > max_bytes:
        raise ModelRefused(f"{of} has {total_bytes:,} bytes, mlflow.max_model_bytes allows {max_bytes:,}")
    if "config.json" not in sizes_bytes or not any(fnmatch(name, WEIGHTS) for name in sizes_bytes):
        raise ModelRefused(f"{of} lacks config.json or safetensors weights; save it with save_pretrained")


def check_folder(folder: Path, *, max_bytes: int) -> Digests:
    """Refuse a folder that holds more than a model; returns what it is known by.

    Raises:
        ModelRefused: see check_names; or a link, a folder, or a config that names code of its own.
    """
    paths = sorted(folder.iterdir())
    for path in paths:
        if path.is_symlink() or not path.is_file():
            raise ModelRefused(f"{folder} holds {path.name!r}, which is no plain file")
    check_names({path.name: path.stat().st_size for path in paths}, max_bytes=max_bytes, of=str(folder))
    for path in paths:
        if path.suffix == ".json" and _names_code(path):
            raise ModelRefused(f"{path} names code of its own (auto_map), which is never run; remove that entry")
    digests = {path.name: _sha256(path) for path in paths}
    weights = {name: digest for name, digest in digests.items() if fnmatch(name, WEIGHTS)}
    return Digests(next(iter(weights.values())) if len(weights) == 1 else _of_list(weights), _of_list(digests))


def _names_code(path: Path) -> bool:
    try:
        content: Any = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ModelRefused(f"{path} is no JSON") from error
    return isinstance(content, dict) and "auto_map" in content


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _of_list(digests: Mapping[str, str]) -> str:
    lines = (f"{digest}  {name}\n" for name, digest in sorted(digests.items()))
    return hashlib.sha256("".join(lines).encode()).hexdigest()
