"""The baseline: Bytewax's own Kafka source and sink with nothing between. `bytewax.run operations.bench.bare_flow`."""

import sys
import time

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSinkMessage, KafkaSource, KafkaSourceMessage
from bytewax.connectors.kafka import operators as kop
from bytewax.dataflow import Dataflow

from core import topics
from core.settings import Settings, process_environment

COUNT_VARIABLE = "BENCH_EVENTS"


def flow() -> Dataflow:
    """Copy BENCH_EVENTS records from one topic to another, print the seconds it took, end."""
    settings = Settings.load()
    wanted = int(process_environment()[COUNT_VARIABLE])
    seen, started_s = 0, 0.0

    def count(message: KafkaSourceMessage[bytes, bytes]) -> KafkaSinkMessage[bytes, bytes]:
        nonlocal seen, started_s
        started_s = started_s or time.perf_counter()
        seen += 1
        if seen == wanted:
            sys.stdout.write(f"{time.perf_counter() - started_s}\n")
            sys.stdout.flush()
        return KafkaSinkMessage(key=message.key, value=message.value)

    bare = Dataflow("bare")
    source = KafkaSource([settings.kafka.brokers], [topics.VIDEO_POSTED.name], tail=True)
    messages = op.input("read", bare, source)
    copied = op.map("copy", messages, count)  # type: ignore[arg-type]  # no errors come: raise_on_errors
    kop.output("write", copied, brokers=[settings.kafka.brokers], topic="bench.copy")
    return bare
