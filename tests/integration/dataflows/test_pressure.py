"""The decode stage behind and on time again: cheap frames while posts wait, and the verdict says which it had."""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, replace
from threading import Event

import pytest

from core.clock import SystemClock
from core.events import VideoPosted
from core.health import Health
from core.media.cage import Cage
from core.media.protocol import Sampling
from core.settings import DecodeSettings
from core.storage.memory import MemoryMedia
from core.telemetry import CLIPS_DECODED
from dataflows.apply import PolicyApplier
from dataflows.decide import Origin
from dataflows.decode import Decoder
from dataflows.infer import Scored, Scorer
from dataflows.parse import Posted, Record
from dataflows.policy import PolicyFile
from dataflows.wait import Patience
from models.fake import FAKE_SERVED, FakeClient
from tests.fixtures.media import VideoShelf, write_video
from tests.fixtures.stores import NOON

pytestmark = pytest.mark.integration

BUCKET, KEY = "clipwarden-media", "clip.mp4"
CHEAP_AFTER_S = 0.3
SERVED = replace(FAKE_SERVED, labels={"video": ("hate", "harassment", "violence")})
TIMEOUT_S = 30


@dataclass
class Stage:
    """Decode and infer on one child and one thread, with the decider behind them."""

    scorer: Scorer
    cage: Cage
    applier: PolicyApplier

    def submit(self) -> "Future[Scored]":
        event = VideoPosted(
            schema_="video.posted.v1",
            video_id="v:1",
            media_uri=f"s3://{BUCKET}/{KEY}",
            platform="p",
            posted_at=NOON,
            source="test",
        )
        record = Record("video.posted.v1", 0, 5, b"v:1", b"{}", (), NOON)
        answer = self.scorer.submit(Posted(record, event, Origin(record.ref, NOON)))
        assert isinstance(answer, Future)
        return answer

    def sampling(self, answer: "Future[Scored]") -> Sampling | None:
        verdict = self.applier.outcome(answer.result(TIMEOUT_S)).verdict
        assert verdict is not None
        return verdict.sampling


@pytest.fixture
def stage(videos: VideoShelf) -> Iterator[Stage]:
    media, clock, client = MemoryMedia(), SystemClock(), FakeClient(SERVED)
    media.ensure_buckets([BUCKET])
    path = videos.folder / "many_keys.mp4"
    media.put_file(BUCKET, KEY, write_video(path, options={"g": "3"}), "video/mp4")
    with Cage(DecodeSettings(children=1)) as cage:
        decoder = Decoder(media, cage, settings=DecodeSettings(), patience=Patience(Health(), Event()))
        scorer = Scorer(client, decoder, threads=1, clock=clock, cheap_after_s=CHEAP_AFTER_S)
        yield Stage(scorer, cage, PolicyApplier(PolicyFile(), client.served().labels, clock=clock))
        scorer.close()
        client.close()


def _decoded(sampling: Sampling) -> float:
    return CLIPS_DECODED.labels(sampling.value)._value.get()  # type: ignore[no-any-return]  # it ships no types


def test_posts_that_waited_for_a_decoder_get_key_frames_until_the_queue_is_short_again(stage: Stage) -> None:
    assert stage.sampling(stage.submit()) is Sampling.EVEN
    by_keys, (child,) = _decoded(Sampling.KEYS), stage.cage.pids()
    os.kill(child, signal.SIGSTOP)

    answers = [stage.submit() for _ in range(3)]
    behind_s = time.monotonic() + CHEAP_AFTER_S
    while time.monotonic() < behind_s:
        time.sleep(0.01)
    os.kill(child, signal.SIGCONT)

    assert [stage.sampling(answer) for answer in answers] == [Sampling.EVEN, Sampling.KEYS, Sampling.KEYS]
    assert _decoded(Sampling.KEYS) == by_keys + 2
    assert stage.sampling(stage.submit()) is Sampling.EVEN
