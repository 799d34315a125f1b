"""Relief: cheap while posts wait for a decoder, and no flapping."""

import math

import pytest

from core.media.protocol import Sampling
from dataflows.pressure import Relief

EVEN, KEYS = Sampling.EVEN, Sampling.KEYS


def _samplings(relief: Relief, *waits_s: float) -> list[Sampling]:
    return [relief.sampling(waited_s=waited_s) for waited_s in waits_s]


def test_a_queue_that_keeps_up_is_sampled_evenly() -> None:
    assert _samplings(Relief(4.0), 0.0, 1.0, 3.9) == [EVEN] * 3


def test_a_queue_that_is_behind_is_sampled_by_key_frames() -> None:
    assert _samplings(Relief(4.0), 4.0, 60.0) == [KEYS] * 2


def test_between_the_two_limits_nothing_changes() -> None:
    assert _samplings(Relief(4.0), 3.9, 4.1, 3.9, 1.0, 0.9, 3.9, 4.0) == [EVEN, KEYS, KEYS, KEYS, EVEN, EVEN, KEYS]


def test_waiting_for_the_worker_is_not_waiting_for_a_decoder() -> None:
    relief = Relief(4.0)

    assert relief.sampling(waited_s=60.0, slot_wait_s=0.2) is EVEN
    assert relief.sampling(waited_s=60.0, slot_wait_s=0.01) is KEYS


@pytest.mark.parametrize(("after_s", "sampling"), [(0.0, KEYS), (math.inf, EVEN)])
def test_it_can_be_always_or_never(after_s: float, sampling: Sampling) -> None:
    assert _samplings(Relief(after_s), 0.0, 1e6) == [sampling] * 2
