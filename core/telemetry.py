"""Logs and metrics of every process on the path; the only file that names a metric."""

import logging
import sys

import structlog
from prometheus_client import Counter, Gauge, Histogram

from core.settings import TelemetrySettings
from core.vitals import TROUBLES

_SHORT_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_LONG_S = (0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 13.0, 21.0, 60.0, 300.0, 1800.0)

EGRESS_REFUSED = Counter("egress_refused", "What the gate out did not let pass.", ["code"])
EGRESS_BYTES = Counter("egress_bytes", "Bytes that passed the gate out, both ways.")
GATEWAY_REQUESTS = Counter(
    "gateway_requests", "Requests answered, by HTTP status; `gone`: the caller left.", ["status"]
)
GATEWAY_BYTES = Counter("gateway_received_bytes", "Bytes of files that came whole.")
GATEWAY_UPLOADS = Gauge("gateway_uploads", "Uploads under way.")

ITEMS = Gauge("ingestion_items", "Items in the ledger.", ["source", "state", "code"])
OLDEST_ITEM_S = Gauge("ingestion_oldest_waiting_seconds", "Since when the oldest open item waits; 0 without one.")
EVENTS_WAITING = Gauge("ingestion_waiting_events", "Events of posted items not yet known to be on the topic.")
ITEMS_DONE = Counter("ingestion_steps", "Steps of items in this process.", ["source", "state", "code"])
INGESTED_BYTES = Counter("ingestion_stored_bytes", "Bytes of objects put by this process.", ["source"])
EVENTS_RELAYED = Counter("ingestion_relayed_events", "Events put on the topic by this process.")

ALERTS_ROUTED = Counter("routed_alerts", "Attempts to deliver: delivered, again, dead.", ["kind", "outcome"])
ROUTER_OLDEST_S = Gauge("router_oldest_waiting_seconds", "Since when the oldest delivery waits; 0 without one.")

VERDICTS = Counter("verdicts", "Verdicts written.", ["verdict"])
DEAD_LETTERS = Counter("dead_letters", "Dead letters written.", ["code"])
POSTED_TO_VERDICT_S = Histogram(
    "posted_to_verdict_seconds", "Record timestamp to stored verdict, replays excluded.", buckets=_LONG_S
)
POSTED_TO_ALERT_S = Histogram(
    "posted_to_alert_seconds", "Record timestamp to published alert, replays excluded.", buckets=_LONG_S
)
DECODE_S = Histogram("decode_seconds", "One video: fetched and decoded into a clip.", buckets=_LONG_S)
CLIPS_DECODED = Counter("clips_decoded", "Clips decoded, by how their frames were chosen.", ["sampling"])
INFER_S = Histogram("infer_seconds", "One request: sent to the worker until its answer.", buckets=_SHORT_S)
IN_FLIGHT_VIDEOS = Gauge("flow_in_flight_videos", "Videos read from the topic and not yet written.")
DEPENDENCY_UP = Gauge("dependency_up", "1 while the dependency answers, 0 while the process waits.", ["dependency"])

WORKER_REQUESTS = Counter("worker_requests", "Answers of the inference worker.", ["outcome"])
WORKER_DROPPED = Counter("worker_dropped_messages", "Messages without an answer.", ["reason"])
WORKER_QUEUE = Gauge("worker_queue_requests", "Requests accepted and waiting for a batch.")
WORKER_CLIENTS = Gauge("worker_clients", "Clients heard within the last seconds.")
WORKER_COMPUTE_S = Histogram("worker_compute_seconds", "One batch on the device.", buckets=_SHORT_S)
ENGINE_SLOWED = Gauge(
    "engine_slowed", "1 while a model runs without the compiler or recordings that its GPU could have.", ["modality"]
)
MODEL_SWAPS = Counter("model_swaps", "Champions of the registry: swapped, returned, refused.", ["outcome"])
CHALLENGERS = Counter("challengers", "Challengers of the registry: shadowing, refused.", ["outcome"])
SHADOW_SCORES = Counter(
    "shadow_scores",
    "Sampled posts, per challenger: scored, dropped under load, failed, written, unwritten.",
    ["outcome"],
)
INFER_BATCH_SIZE = Histogram("infer_batch_size", "Requests per batch.", buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256))


def total(counter: Counter) -> float:
    """What a counter counted, over all its labels."""
    return sum(
        sample.value for metric in counter.collect() for sample in metric.samples if sample.name.endswith("_total")
    )


def configure_logging(settings: TelemetrySettings) -> None:
    """Send every log line to stderr, as JSON or for a terminal; stdout belongs to a command's result."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    logging.basicConfig(level=max(level, logging.WARNING), stream=sys.stderr, format="%(name)s %(message)s", force=True)
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if settings.log_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            TROUBLES,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info if settings.log_json else _as_is,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        # Asked for with each line: whoever redirects stderr gets the lines, and a closed one is never written to.
        logger_factory=lambda *_: structlog.WriteLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )


def _as_is(
    _logger: structlog.typing.WrappedLogger, _name: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    return event
