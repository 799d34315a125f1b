import threading
import time
from collections.abc import Callable, Sequence

import pytest
import torch

from models.serving.feed import ClipFeed, Fill
from tests.fixtures.cuda import DEVICES, NO_GPU

SHAPE = (4, 24, 24, 3)
LARGEST = 5


def filling(values: Sequence[int], *, delay_s: float = 0.0) -> list[Fill]:
    def fill(value: int) -> Fill:
        def write(out: memoryview) -> None:
            time.sleep(delay_s)
            out[:] = bytes([value]) * len(out)

        return write

    return [fill(value) for value in values]


def feed_on(device: torch.device) -> ClipFeed:
    stream = torch.cuda.Stream(device) if device.type == "cuda" else None
    return ClipFeed(SHAPE, clips=LARGEST, device=device, copiers=3, stream=stream)


def expected(values: Sequence[int]) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.uint8).view(-1, 1, 1, 1, 1).expand(-1, *SHAPE)


@pytest.mark.parametrize("device", DEVICES)
def test_no_batch_ever_sees_the_pixels_of_another(device: torch.device) -> None:
    """Each batch is read only after the next was staged, as a device does that is behind its host."""
    feed = feed_on(device)
    random = torch.Generator().manual_seed(0)
    before: tuple[list[int], torch.Tensor] | None = None

    for _ in range(300):
        values = torch.randint(0, 256, (int(torch.randint(1, LARGEST + 1, (1,), generator=random)),)).tolist()
        staged = feed.stage(filling(values))
        if before is not None:
            read = before[1].clone()
            assert torch.equal(read.cpu(), expected(before[0]))
        before = values, staged


@pytest.mark.gpu
@NO_GPU
def test_a_device_that_lags_behind_still_reads_what_was_staged_for_it() -> None:
    device = torch.device("cuda")
    feed, matrix = feed_on(device), torch.randn(2048, 2048, device=device)
    sums, values = [], [number % 256 for number in range(64)]

    for value in values:
        staged = feed.stage(filling([value] * LARGEST))
        for _ in range(4):
            matrix = (matrix @ matrix).clamp(-1, 1)
        sums.append(staged.float().mean())

    assert [round(float(mean)) for mean in sums] == values


def test_a_clip_that_cannot_be_read_fails_its_batch_and_no_other() -> None:
    feed = feed_on(torch.device("cpu"))

    def fail(_out: memoryview) -> None:
        raise ValueError("the block was cut")

    with pytest.raises(ValueError, match="cut"):
        feed.stage([*filling([1]), fail])
    assert torch.equal(feed.stage(filling([2, 3])), expected([2, 3]))


def test_no_clip_is_still_written_when_its_batch_has_failed() -> None:
    feed, late = feed_on(torch.device("cpu")), threading.Event()

    def write_late(out: memoryview) -> None:
        time.sleep(0.05)
        out[:] = bytes(len(out))
        late.set()

    def fail(_out: memoryview) -> None:
        raise ValueError("the block was cut")

    fills: list[Callable[[memoryview], None]] = [fail, write_late]
    with pytest.raises(ValueError, match="cut"):
        feed.stage(fills)

    assert late.is_set()
