"""bench sinks: verdicts/s through database, topic and Redis in batches, beside one verdict at a time."""

import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from core.clock import SystemClock
from core.events import ModalityScore, RecordRef, Verdict, VideoPosted
from core.health import Health
from core.labels import Modality
from core.storage.history import TimescaleHistory
from core.storage.live import RedisLive
from core.storage.media import S3Media
from dataflows.decide import Origin, Scores, decide
from dataflows.parse import Record
from dataflows.policy import Policy, PolicyFile
from dataflows.publish import TopicPublisher
from dataflows.track import InFlight
from dataflows.wait import Patience
from dataflows.write import MAX_BATCH, Outcome, Stores, Writer
from operations.bench.site import BenchSite, bench_site
from operations.state import Plan

SINGLES = 100


def bench_sinks(verdicts: int) -> dict[str, object]:
    """The flow's own writer over ready verdicts."""
    with bench_site(Plan()) as site:
        writer = _writer(site)
        outcomes = _outcomes(verdicts + SINGLES)
        one_by_one = _rate(writer, [outcomes[at : at + 1] for at in range(SINGLES)])
        rest = outcomes[SINGLES:]
        batched = _rate(writer, [rest[at : at + MAX_BATCH] for at in range(0, len(rest), MAX_BATCH)])
    return {
        "bench": "sinks",
        "verdicts": verdicts,
        "batch": MAX_BATCH,
        "verdicts_per_s": round(batched),
        "baseline_one_at_a_time_per_s": round(one_by_one),
        "ratio_to_baseline": round(batched / one_by_one, 1),
    }


def _writer(site: BenchSite) -> Writer:
    settings, clock = site.settings, SystemClock()
    stores = Stores(
        TimescaleHistory(settings.store),
        TopicPublisher(settings.kafka),
        RedisLive(settings.redis),
        S3Media(settings.media),
    )
    patience = Patience(Health(), threading.Event())
    return Writer(stores, settings=settings.media, patience=patience, in_flight=InFlight(1), clock=clock)


def _outcomes(count: int) -> list[Outcome]:
    policy, now = PolicyFile().policy, datetime.now(UTC)
    return [Outcome(_record(number, now), _verdict(number, now, policy)) for number in range(count)]


def _record(number: int, now: datetime) -> Record:
    return Record("bench", 0, number, None, b"", (), now)


def _verdict(number: int, now: datetime, policy: Policy) -> Verdict:
    event = VideoPosted(
        schema_="video.posted.v1",
        video_id=f"bench:{number}",
        caption=f"a caption of ordinary length, number {number}, with a few more words in it",
        platform="bench",
        posted_at=now,
        source="bench",
    )
    scores = Scores({Modality.TEXT: ModalityScore(scores={"harmful": 0.1, "hate": 0.9 * (number % 3 == 0)})}, "text:b")
    origin = Origin(RecordRef(topic="bench", partition=0, offset=number), now + timedelta(milliseconds=number))
    return decide(event, origin, scores, signals=(), policy=policy, now=now)


def _rate(writer: Writer, batches: Sequence[Sequence[Outcome]]) -> float:
    started_s = time.perf_counter()
    for batch in batches:
        writer.write(batch)
    return sum(map(len, batches)) / (time.perf_counter() - started_s)
