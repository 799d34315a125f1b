"""The error tree: every error crosses a process border, has its own code and its place in the drawn tree."""

import pickle
from collections.abc import Iterator

import pytest

import core.errors_console
import core.errors_query  # noqa: F401 - its branch of the tree is there once it is loaded
from core import errors, errors_ingest
from core.errors import InferenceError, InferenceFailed, InferenceStale, PlatformError


def _tree(kind: type[PlatformError] = PlatformError) -> Iterator[type[PlatformError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _tree(child)


# Another package draws its own branch.
EVERY = [kind for kind in _tree() if kind.__module__.startswith("core.")]


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
def test_an_error_survives_pickling(kind: type[PlatformError]) -> None:
    error = kind("what, why, what to do")

    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes

    assert (type(copy), str(copy), copy.message) == (kind, str(error), error.message)


def test_codes_are_unique() -> None:
    codes = [kind.code for kind in EVERY]

    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
def test_the_drawn_tree_names_every_error_and_its_code(kind: type[PlatformError]) -> None:
    tree = f"{errors.__doc__}\n{errors_ingest.__doc__}"
    drawn = [line for line in tree.splitlines() if kind.__name__ in line.replace("─", " ").split()]

    assert len(drawn) == 1
    assert kind.__subclasses__() or kind.code in drawn[0]


def test_the_message_names_the_code() -> None:
    assert str(InferenceFailed("three times")) == "inference.failed: three times"


def test_a_workers_code_becomes_its_error() -> None:
    assert isinstance(InferenceError.from_code("inference.stale", "swapped"), InferenceStale)
    assert isinstance(InferenceError.from_code("never heard of", "?"), InferenceFailed)


def test_what_another_process_refused_by_its_code_becomes_its_error() -> None:
    assert isinstance(errors_ingest.from_code("ingest.gone", "404"), errors_ingest.IngestGone)
    assert type(errors_ingest.from_code("never heard of", "?")) is errors.IngestError


def test_how_long_a_site_asks_to_wait_crosses_a_process_border() -> None:
    copy = pickle.loads(pickle.dumps(errors_ingest.IngestRateLimited("slow down", 30.0)))  # noqa: S301 - our own bytes

    assert (copy.retry_after_s, copy.is_passing) == (30.0, True)
