"""Every sink of the flow is waited for before an epoch is committed: Bytewax's DynamicSink is not, and loses data."""

from collections.abc import Iterator, Sequence
from typing import Any

from bytewax.dataflow import Operator
from bytewax.inputs import FixedPartitionedSource
from bytewax.outputs import DynamicSink, FixedPartitionedSink

from dataflows import kafka, sinks
from dataflows.kafka import ShareSource
from dataflows.moderation import build_flow
from dataflows.sinks import WriterSink
from tests.architecture.checkout import ROOT, sources


def _operators(steps: Sequence[Operator]) -> Iterator[Operator]:
    for step in steps:
        yield step
        yield from _operators(step.substeps)


def _built() -> list[Any]:
    source = ShareSource.__new__(ShareSource)
    sink = WriterSink.__new__(WriterSink)
    nothing: Any = None
    flow = build_flow(source, parse=lambda _: nothing, score=lambda _: nothing, decide=lambda _: nothing, sink=sink)
    return list(_operators(flow.substeps))


def test_all_sinks_of_the_flow_are_fixed_partitioned() -> None:
    found = [operator.sink for operator in _built() if hasattr(operator, "sink")]

    assert found
    assert all(isinstance(sink, FixedPartitionedSink) for sink in found)


def test_all_sources_of_the_flow_are_fixed_partitioned() -> None:
    found = [operator.source for operator in _built() if hasattr(operator, "source")]

    assert found
    assert all(isinstance(source, FixedPartitionedSource) for source in found)


def test_no_dynamic_sink_is_defined_or_named() -> None:
    kinds = [kind for module in (kafka, sinks) for kind in vars(module).values() if isinstance(kind, type)]

    assert not [kind for kind in kinds if issubclass(kind, DynamicSink)]
    assert not [
        path.as_posix()
        for path in sources()
        if path.parts[0] == "dataflows" and "import DynamicSink" in (ROOT / path).read_text(encoding="utf-8")
    ]
