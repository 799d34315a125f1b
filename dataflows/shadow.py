"""Challengers beside the path: which posts they score too, and their scores into the database.

worker ─ Shadow ─▶ ShadowLog (bounded) ─ judged under the policy in force ─▶ shadow_scores. No verdict waits for it,
and what cannot be written is counted and forgotten.
"""

import hashlib
import queue
import threading
from collections.abc import Callable, Mapping
from typing import Self

import structlog

from core.errors import StoreUnavailable
from core.events import ModalityScore, verdict_id
from core.labels import HARMFUL_LABEL, Modality
from core.storage.shadow import ShadowScore, ShadowScores
from core.telemetry import SHADOW_SCORES
from dataflows.decide import Judgement, Scores, judge
from dataflows.parse import Posted
from dataflows.policy import FusionUse, Policy
from models.client import Sample, Shadow

MAX_WAITING = 10_000
"""At a few hundred bytes each; an outage of the database that lasts longer loses shadow scores."""
MAX_BATCH = 500
RETRY_S = 1.0
_POLL_S = 0.2
_STOP_S = 5.0

log = structlog.get_logger()


def is_sampled(video_id: str, share: float) -> bool:
    """Whether a post is in the sample: by its id alone, so the same one after a restart, a replay and a new model."""
    digest = hashlib.sha256(b"shadow\n" + video_id.encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64


def sample_of(posted: Posted, share: float) -> Sample | None:
    """What the worker is told of a sampled post; None of any other."""
    event = posted.event
    if not is_sampled(event.video_id, share):
        return None
    return Sample(event.video_id, posted.origin.event_time, event.caption)


def judged(shadow: Shadow, policy: Policy) -> ShadowScore:
    """Both models' scores, each as if that model alone decided."""
    versions = dict(part.split(":", 1) for part in shadow.model_version.split("|"))
    champion = _alone(shadow.modality, shadow.champion_scores, policy)
    challenger = _alone(shadow.modality, shadow.challenger_scores, policy)
    return ShadowScore(
        verdict_id=verdict_id(shadow.video_id, shadow.event_time, shadow.model_version, policy.version),
        video_id=shadow.video_id,
        event_time=shadow.event_time,
        modality=shadow.modality,
        champion=f"{shadow.modality}:{versions.get(shadow.modality, '-')}",
        challenger=shadow.challenger,
        policy_version=policy.version,
        champion_score=champion.label_scores[HARMFUL_LABEL],
        challenger_score=challenger.label_scores[HARMFUL_LABEL],
        champion_verdict=champion.verdict,
        challenger_verdict=challenger.verdict,
    )


def _alone(modality: Modality, labels: Mapping[str, float], policy: Policy) -> Judgement:
    # Also where the policy leaves fusion out: the question is what the model would say if it were asked.
    asked = policy.model_copy(update={"fusion": FusionUse.ON})
    return judge(Scores({modality: ModalityScore(scores=dict(labels))}, model_version=""), asked)


class ShadowLog:
    """A thread that writes shadow scores, so that neither the worker's answers nor the writer wait for them.

    Guarantee: bounded, and never raises into the path; what is too much, or fails, is counted as `unwritten`.

    Args:
        store: where they go; a batch it does not take is tried again until the log is closed.
        policy: the one in force.
    """

    def __init__(self, store: ShadowScores, *, policy: Callable[[], Policy]) -> None:
        self._store = store
        self._policy = policy
        self._waiting: queue.Queue[Shadow] = queue.Queue(MAX_WAITING)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="shadow", daemon=True)

    def start(self) -> Self:
        """Begin to write."""
        self._thread.start()
        return self

    def put(self, shadow: Shadow) -> None:
        """Take a score; from any thread, at once."""
        try:
            self._waiting.put_nowait(shadow)
        except queue.Full:
            SHADOW_SCORES.labels("unwritten").inc()

    def close(self) -> None:
        """Write what waits, if the database takes it at once."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(_STOP_S)

    def _run(self) -> None:
        while batch := self._take():
            try:
                self._write(batch)
            except Exception:  # the thread's outermost frame: a defect here must not end the log
                SHADOW_SCORES.labels("unwritten").inc(len(batch))
                log.exception("shadow.unwritten", scores=len(batch))

    def _take(self) -> list[Shadow]:
        """The next batch; empty at the end."""
        batch: list[Shadow] = []
        while not batch and not (self._closing.is_set() and self._waiting.empty()):
            try:
                batch.append(self._waiting.get(timeout=_POLL_S))
            except queue.Empty:
                continue
        while batch and len(batch) < MAX_BATCH:
            try:
                batch.append(self._waiting.get_nowait())
            except queue.Empty:
                break
        return batch

    def _write(self, batch: list[Shadow]) -> None:
        policy = self._policy()
        scores = [judged(shadow, policy) for shadow in batch]
        while True:
            try:
                self._store.write_shadow(scores)
            except StoreUnavailable as error:
                if self._closing.wait(RETRY_S):
                    SHADOW_SCORES.labels("unwritten").inc(len(scores))
                    log.warning("shadow.unwritten", scores=len(scores), reason=error.message)
                    return
            else:
                SHADOW_SCORES.labels("written").inc(len(scores))
                return
