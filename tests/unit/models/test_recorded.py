from collections.abc import Callable

import pytest
import torch

from models.networks.outputs import VideoOutput
from models.serving.recorded import Recorded, joined, sizes_to

CPU = torch.device("cpu")


class Doubling:
    """Each row of the output is its input, doubled; counts how large its batches were."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def __call__(self, values: torch.Tensor) -> VideoOutput:
        self.batches.append(len(values))
        doubled = values * 2
        return VideoOutput(doubled, doubled.unsqueeze(1), doubled)


class Tape:
    """Replays by running again into the very memory of the first run, as a CUDA graph does."""

    def __init__(self, recorded: Recorded[VideoOutput]) -> None:
        self._recorded = recorded

    def __call__(self, run: Callable[[], None]) -> Callable[[], None]:
        run()
        (outputs,) = [cell.cell_contents for cell in run.__closure__ or () if isinstance(cell.cell_contents, list)]
        (first,) = outputs

        def replay() -> None:
            run()
            for name, memory in vars(first).items():
                memory.copy_(getattr(outputs[0], name))
            outputs[:] = [first]

        return replay


def rows(*values: float) -> torch.Tensor:
    return torch.tensor(values).unsqueeze(1).repeat(1, 3)


@pytest.fixture
def network() -> Doubling:
    return Doubling()


@pytest.fixture
def recorded(network: Doubling) -> Recorded[VideoOutput]:
    recorded: Recorded[VideoOutput] = Recorded(network, device=CPU)
    for size in (4, 2, 1):
        recorded.record(Tape(recorded), torch.zeros(size, 3))
    network.batches.clear()
    return recorded


@pytest.mark.parametrize(("count", "batches"), [(1, [1]), (2, [2]), (3, [4]), (4, [4]), (7, [4, 4])])
def test_a_batch_is_padded_to_the_next_size_and_only_its_own_rows_come_back(
    network: Doubling, recorded: Recorded[VideoOutput], count: int, batches: list[int]
) -> None:
    values = rows(*range(1, count + 1))

    output = recorded(values)

    assert network.batches == batches
    assert torch.equal(output.probabilities, values * 2)
    assert torch.equal(output.states, values.unsqueeze(1) * 2)


def test_what_a_replay_gave_is_not_changed_by_the_next(recorded: Recorded[VideoOutput]) -> None:
    first = recorded(rows(1, 2, 3))
    recorded(rows(7, 8, 9))

    assert torch.equal(first.probabilities, rows(2, 4, 6))


def test_shapes_that_were_not_recorded_run_as_they_are(network: Doubling, recorded: Recorded[VideoOutput]) -> None:
    assert torch.equal(recorded(torch.ones(5, 2)).probabilities, torch.full((5, 2), 2.0))
    recorded.forget()
    assert torch.equal(recorded(rows(1, 2, 3)).probabilities, rows(2, 4, 6))
    assert network.batches == [5, 3]


def test_sizes_double_until_the_largest_batch_fits() -> None:
    assert sizes_to(1) == (1,)
    assert sizes_to(16) == (1, 2, 4, 8, 16)
    assert sizes_to(17) == (1, 2, 4, 8, 16, 32)


def test_batches_are_joined_in_order() -> None:
    double = Doubling()

    assert torch.equal(joined([double(rows(1)), double(rows(2, 3))]).probabilities, rows(2, 4, 6))
