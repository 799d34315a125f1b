from contextlib import suppress

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import wire
from models.client import InferResult
from models.fake import FAKE_SERVED

_scores = st.dictionaries(st.text(max_size=8), st.floats(0, 1), max_size=3)
_results = st.builds(
    InferResult,
    model_version=st.text(max_size=20),
    text=st.none() | _scores,
    video=st.none() | _scores,
    fusion=st.none() | _scores,
    token_scores=st.none() | st.lists(st.floats(0, 1), max_size=5).map(tuple),
    frame_scores=st.none() | st.lists(st.floats(0, 1), max_size=5).map(tuple),
    codes=st.dictionaries(st.text(max_size=8), st.text(max_size=20), max_size=2),
)
_infers = st.builds(
    wire.Infer,
    id=st.integers(0, 2**63 - 1),
    inputs_id=st.text(max_size=16),
    priority=st.integers(0, 1),
    deadline_ms=st.integers(1, 2**31 - 1),
    is_alone=st.booleans(),
    token_ids=st.none() | st.lists(st.integers(0, 2**31 - 1), max_size=9).map(tuple),
    slot=st.none() | st.builds(wire.SlotRef, arena=st.text(max_size=20), offset_bytes=st.integers(0, 2**48 - 1)),
    has_frame=st.booleans(),
)


def _infer(**changes: object) -> bytes:
    fields = {"kind": "infer", "id": 7, "inputs_id": "", "priority": 1, "deadline_ms": 100, "token_ids": [1, 2]}
    return bytes(msgpack.packb(fields | changes))


@given(_infers)
def test_requests_survive_the_wire(infer: wire.Infer) -> None:
    assert wire.parse_request(infer.to_bytes()) == infer


@given(_results, st.integers(0, 2**63 - 1))
def test_results_survive_the_wire(result: InferResult, request_id: int) -> None:
    answer = wire.parse_answer(wire.Result.of(request_id, result).to_bytes())

    assert isinstance(answer, wire.Result)
    assert (answer.id, answer.result()) == (request_id, result)


def test_welcome_carries_everything_that_is_served() -> None:
    answer = wire.parse_answer(wire.Welcome(generation="a", served=FAKE_SERVED).to_bytes())

    assert isinstance(answer, wire.Welcome)
    assert answer.served == FAKE_SERVED


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_a_wire_error_and_nothing_else(body: bytes) -> None:
    with pytest.raises(wire.WireError):
        wire.parse_request(body)


_nested = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | st.text(max_size=9)
    | st.binary(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=12,
)


@given(
    st.dictionaries(st.sampled_from(["kind", "id", "token_ids", "slot", "priority", "protocol"]), _nested),
    st.sampled_from([{}, {"kind": "infer"}, {"kind": "hello"}]),
)
def test_any_structure_is_parsed_or_a_wire_error(fields: dict[str, object], kind: dict[str, object]) -> None:
    with suppress(wire.WireError):
        wire.parse_request(msgpack.packb(fields | kind))


@pytest.mark.parametrize(
    "changes",
    [
        {"priority": 9},
        {"priority": True},
        {"deadline_ms": 0},
        {"token_ids": [-1]},
        {"token_ids": [1.5]},
        {"token_ids": [2**40]},
        {"token_ids": [1] * (wire.MAX_TOKEN_IDS + 1)},
        {"slot": {"arena": "a", "offset_bytes": -1}},
        {"slot": {"arena": "a" * 200, "offset_bytes": 0}},
        {"slot": {"arena": "a", "offset_bytes": 0, "more": 1}},
        {"surplus": 1},
        {"inputs_id": b"bytes"},
    ],
    ids=str,
)
def test_a_request_out_of_bounds_is_refused_by_name(changes: dict[str, object]) -> None:
    with pytest.raises(wire.WireError) as refused:
        wire.parse_request(_infer(**changes))

    assert refused.value.request_id == 7


def test_scores_that_are_no_probabilities_do_not_leave_the_worker() -> None:
    for bad in (float("nan"), 1.2, -0.1):
        with pytest.raises(ValueError, match="text"):
            wire.Result.of(1, InferResult("v", text={"harmful": bad}))
