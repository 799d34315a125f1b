"""What bench gpu feeds: clips in shared memory, as flows leave them, and captions that nearly fill their bucket."""

import os
from collections.abc import Sequence
from functools import partial
from math import prod

import numpy as np
import torch

_SEED = 7
_FIRST_WORD = 3


class Clips:
    """So many clips of noise, which cost what others do, in a block like a client's."""

    def __init__(self, shape: Sequence[int], count: int) -> None:
        self.shape = tuple(shape)
        self._clip_bytes = prod(shape)
        pixels = np.random.default_rng(_SEED).integers(0, 256, (count, *shape), dtype=np.uint8)
        self._fd = os.memfd_create("clips")
        with os.fdopen(os.dup(self._fd), "wb") as block:
            block.write(pixels.tobytes())

    def fills(self, count: int) -> list[partial[None]]:
        """What writes the first clips, one each; from memory that is read as the worker reads it."""
        return [partial(self._fill, number) for number in range(count)]

    def batch(self, count: int) -> torch.Tensor:
        """The first clips, uint8."""
        body = bytearray(os.pread(self._fd, count * self._clip_bytes, 0))
        return torch.frombuffer(body, dtype=torch.uint8).view(count, *self.shape)

    def _fill(self, number: int, out: memoryview) -> None:
        if os.preadv(self._fd, [out], number * self._clip_bytes) != self._clip_bytes:
            raise ValueError("the block was cut")


class Captions:
    """Captions of more than half a bucket and at most all of it: what ends in the bucket."""

    def __init__(self, tokens: int, count: int, words: int) -> None:
        random = torch.Generator().manual_seed(_SEED)
        lengths = torch.randint(tokens // 2 + 1, tokens + 1, (count, 1), generator=random)
        # One fills it: who pads to the longest pads as much.
        lengths[0] = tokens
        self._mask = (torch.arange(tokens) < lengths).long()
        ids = torch.randint(_FIRST_WORD, words, (count, tokens), generator=random)
        # 1 is XLM-R's padding.
        self._ids = torch.where(self._mask == 1, ids, 1)

    def batch(self, count: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Ids and mask of the first captions."""
        return self._ids[:count], self._mask[:count]
