"""Clips in shared memory: written where they belong, by name, and never unlinked by the writer."""

from collections.abc import Iterator
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import ConfigError
from core.media.cage import Cage
from core.media.protocol import ClipTarget
from core.settings import DecodeSettings
from tests.fixtures.media import VideoShelf, read_number

pytestmark = pytest.mark.integration

TARGET = ClipTarget(5, 80)
NUMBERS = [5, 15, 25, 35, 45]
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - where POSIX blocks lie


@pytest.fixture(scope="module")
def cage() -> Iterator[Cage]:
    with Cage(DecodeSettings(children=1)) as shared:
        yield shared


@pytest.fixture
def block() -> Iterator[SharedMemory]:
    memory = SharedMemory(create=True, size=3 * TARGET.nbytes)
    yield memory
    memory.close()
    memory.unlink()


def _slots(block: SharedMemory) -> NDArray[np.uint8]:
    return np.array(block.buf, np.uint8)[: 3 * TARGET.nbytes].reshape(3, *TARGET.shape)


def test_a_clip_lands_in_its_slot_and_nowhere_else(cage: Cage, videos: VideoShelf, block: SharedMemory) -> None:
    cage.decode(videos.get("clip.mp4"), TARGET, shm_name=block.name, offset_bytes=TARGET.nbytes, nbytes=TARGET.nbytes)

    before, slot, after = _slots(block)
    assert [read_number(frame) for frame in slot] == NUMBERS
    assert not before.any()
    assert not after.any()


def test_the_block_outlives_the_child_that_wrote_into_it(videos: VideoShelf, block: SharedMemory) -> None:
    with Cage(DecodeSettings(children=1)) as cage:
        cage.decode(videos.get("clip.mp4"), TARGET, shm_name=block.name, offset_bytes=0, nbytes=TARGET.nbytes)

    assert (SHARED_MEMORY / block.name).exists()


@pytest.mark.parametrize("missing_bytes", [1, TARGET.nbytes])
def test_a_block_too_small_is_our_mistake_not_the_medias(
    cage: Cage, videos: VideoShelf, block: SharedMemory, missing_bytes: int
) -> None:
    size = (SHARED_MEMORY / block.name).stat().st_size
    with pytest.raises(ConfigError, match="needed"):
        cage.decode(
            videos.get("clip.mp4"),
            TARGET,
            shm_name=block.name,
            offset_bytes=size - TARGET.nbytes + missing_bytes,
            nbytes=TARGET.nbytes,
        )

    assert (SHARED_MEMORY / block.name).stat().st_size == size


@pytest.mark.parametrize("name", ["clipwarden-none", "../../tmp", "../shm/x"])
def test_a_block_that_is_not_there_is_our_mistake(cage: Cage, videos: VideoShelf, name: str) -> None:
    with pytest.raises(ConfigError, match="shared-memory"):
        cage.decode(videos.get("clip.mp4"), TARGET, shm_name=name, offset_bytes=0, nbytes=TARGET.nbytes)
