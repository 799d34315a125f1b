"""A challenger beside a worker: a process of its own, whose scores follow the answers, whose end changes none."""

import os
import queue
import signal
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from core.errors import ModelRefused
from core.labels import Modality
from core.media.protocol import Resize
from core.settings import ServingSettings
from models.bundle import STARTER
from models.client import InferRequest, Sample, Shadow
from models.fake import FAKE_SERVED
from models.serving.challenger import MAX_WAITING, Ask, Challenger
from models.serving.golden import ArrayClip
from models.serving.job import Job
from models.serving.lineup import Lineup, Part
from models.serving.load import load_engine
from models.serving.shadows import Shadows
from models.spec import ClipSpec
from models.tokens import CaptionTokenizer
from models.wire import Message, SampleRef, Shadowed
from tests.fixtures.inference import StubEngine, client_of, running_worker, until
from tests.fixtures.registry import save_text, save_video

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

NOON = datetime(2026, 3, 1, 12, 0, 0, 5, tzinfo=UTC)
CLIP = ClipSpec(num_frames=4, size_px=32, resize=Resize.CROP)
ALONE = Path("/nonexistent")
WAIT_S = 60.0


class _Rig:
    """Starts challengers, and notes what they say and how they end."""

    def __init__(self) -> None:
        self.shadows = Shadows()
        self.broken: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.stop = threading.Event()
        self.started: list[Challenger] = []

    def start(self, lineup: Lineup, modality: Modality, clip: ClipSpec = CLIP) -> Challenger:
        challenger = Challenger(
            lineup, modality, clip=clip, told=self.shadows.tell, broken=self.broken.put, stop=self.stop
        )
        self.started.append(challenger)
        self.shadows.serve(self.started)
        return challenger


@pytest.fixture
def rig() -> Iterator[_Rig]:
    rig = _Rig()
    yield rig
    for challenger in rig.started:
        challenger.close()


@pytest.fixture
def bind(tmp_path: Path) -> str:
    return f"ipc://{tmp_path}/worker.sock"


@pytest.fixture
def text(tmp_path: Path) -> Lineup:
    return Lineup(ALONE, {Modality.TEXT: Part(4, save_text(tmp_path / "text"))})


@pytest.fixture
def video(tmp_path: Path) -> Lineup:
    return Lineup(ALONE, {Modality.VIDEO: Part(7, save_video(tmp_path / "video"))})


def _counted(outcome: str) -> float:
    return REGISTRY.get_sample_value("shadow_scores_total", {"outcome": outcome}) or 0.0


def _harmful(lineup: Lineup, job: Job) -> float:
    engine = load_engine(ServingSettings(device="cpu", precision="fp32", threads=1), lineup)
    (result,) = engine.score([job])
    return ((result.text if job.token_ids else result.video) or {})["harmful"]


def test_a_challenger_reads_the_caption_with_its_own_tokenizer_and_the_answer_stays_the_champions(
    rig: _Rig, text: Lineup, bind: str
) -> None:
    told: list[Shadow] = []
    rig.start(text, Modality.TEXT)
    with running_worker(StubEngine(), bind=bind, shadows=rig.shadows), client_of(bind, on_shadow=told.append) as client:
        result = client.infer(InferRequest((5,), sample=Sample("v:1", NOON, "abc"))).result(10)
        client.infer(InferRequest((6,))).result(10)
        until(lambda: told != [], within_s=WAIT_S)

    assert (result.model_version, result.text) == (FAKE_SERVED.model_version, {"harmful": 0.05})
    (shadow,) = told
    assert (shadow.video_id, shadow.event_time.isoformat(), shadow.modality) == ("v:1", NOON.isoformat(), Modality.TEXT)
    assert (shadow.model_version, shadow.challenger) == (FAKE_SERVED.model_version, "text:4")
    assert shadow.champion_scores == {"harmful": 0.05}
    expected = _harmful(text, Job((3, 4, 5), None, 16))
    assert shadow.challenger_scores["harmful"] == pytest.approx(expected, abs=1e-4)


def test_a_challenger_scores_the_clip_that_was_answered_though_its_slot_is_used_again(
    rig: _Rig, video: Lineup, bind: str
) -> None:
    told: list[Shadow] = []
    engine = StubEngine(replace(FAKE_SERVED, clip=CLIP))
    challenger = rig.start(video, Modality.VIDEO)
    with (
        running_worker(engine, bind=bind, shadows=rig.shadows),
        client_of(bind, slots=1, on_shadow=told.append) as client,
    ):
        os.kill(challenger.pid, signal.SIGSTOP)
        client.served()
        for shade in (200, 10):
            with client.slot() as slot:
                slot.frames[:] = shade
                sample = Sample("v:1", NOON) if shade == 200 else None
                client.infer(InferRequest(None, slot, sample=sample)).result(10)
        os.kill(challenger.pid, signal.SIGCONT)
        until(lambda: told != [], within_s=WAIT_S)

    clip = ArrayClip(bytes([200]) * CLIP.clip_bytes)
    assert told[0].challenger_scores["harmful"] == pytest.approx(_harmful(video, Job(None, clip)), abs=1e-4)
    assert told[0].champion_scores["harmful"] == pytest.approx(200 / 255)


def test_what_is_too_much_is_dropped_and_counted_and_every_answer_comes(rig: _Rig, text: Lineup, bind: str) -> None:
    told: list[Shadow] = []
    challenger = rig.start(text, Modality.TEXT)
    dropped = _counted("dropped")
    with running_worker(StubEngine(), bind=bind, shadows=rig.shadows), client_of(bind, on_shadow=told.append) as client:
        os.kill(challenger.pid, signal.SIGSTOP)
        posts = [InferRequest((5,), sample=Sample(f"v:{number}", NOON, "abc")) for number in range(40)]
        answers = [future.result(10) for future in [client.infer(post) for post in posts]]
        until(lambda: _counted("dropped") - dropped >= 40 - MAX_WAITING - 1)
        os.kill(challenger.pid, signal.SIGCONT)
        until(lambda: len(told) + _counted("dropped") - dropped == 40, within_s=WAIT_S)

    assert [answer.text for answer in answers] == [{"harmful": 0.05}] * 40
    assert MAX_WAITING <= len(told) <= MAX_WAITING + 1


def test_a_challenger_that_dies_is_told_of_once_and_the_champion_serves_on(rig: _Rig, text: Lineup, bind: str) -> None:
    challenger = rig.start(text, Modality.TEXT)
    with running_worker(StubEngine(), bind=bind, shadows=rig.shadows), client_of(bind) as client:
        os.kill(challenger.pid, signal.SIGSEGV)
        for _ in range(20):
            sample = Sample("v:1", NOON, "abc")
            assert client.infer(InferRequest((5,), sample=sample)).result(10).text == {"harmful": 0.05}

        assert rig.broken.get(timeout=WAIT_S) == "scoring with it killed its process (SIGSEGV)"
    assert rig.broken.empty()


def test_a_post_a_challenger_cannot_score_is_counted_and_the_next_one_scored(
    rig: _Rig, text: Lineup, bind: str
) -> None:
    told: list[Shadow] = []
    rig.start(text, Modality.TEXT)
    failed = _counted("failed")
    with running_worker(StubEngine(), bind=bind, shadows=rig.shadows), client_of(bind, on_shadow=told.append) as client:
        for video_id, caption in (("v:none", None), ("v:1", "abc")):
            client.infer(InferRequest((5,), sample=Sample(video_id, NOON, caption))).result(10)
        until(lambda: told != [], within_s=WAIT_S)

    assert ([shadow.video_id for shadow in told], _counted("failed")) == (["v:1"], failed + 1)


def test_a_challenger_that_reads_other_clips_is_refused(rig: _Rig, video: Lineup) -> None:
    with pytest.raises(ModelRefused, match="video:7: it reads other clips than the champion"):
        rig.start(video, Modality.VIDEO, replace(CLIP, num_frames=8))


def test_a_folder_that_cannot_be_loaded_is_refused_with_the_reason(rig: _Rig, text: Lineup) -> None:
    (text.of(Modality.TEXT) / "config.json").write_text("{}")

    with pytest.raises(ModelRefused, match=r"text:4: .*config"):
        rig.start(text, Modality.TEXT)


def test_a_fusion_challenger_reads_what_the_two_that_serve_make_of_a_post(rig: _Rig) -> None:
    lineup = Lineup(STARTER, {Modality.FUSION: Part(9, STARTER / "fusion")})
    engine = load_engine(ServingSettings(device="cpu", precision="fp32", threads=1), lineup)
    served = engine.served
    body = bytes(range(256)) * (served.clip.clip_bytes // 256)
    ids = CaptionTokenizer(served.tokenizer_json, served.max_tokens).encode("chúc ngủ ngon").ids
    (expected,) = engine.score([Job(ids, ArrayClip(body), 16)])

    sample = SampleRef.of(Sample("v:1", NOON, "chúc ngủ ngon"))
    rig.start(lineup, Modality.FUSION, served.clip).offer(Ask(b"c", sample, "text:1", {"harmful": 0.5}, body))

    told: list[Message] = []
    until(lambda: told.extend(answer for _, answer in rig.shadows.answers()) or told != [], within_s=WAIT_S)
    (shadowed,) = told
    assert isinstance(shadowed, Shadowed)
    assert shadowed.challenger == "fusion:9"
    assert shadowed.challenger_scores == pytest.approx(expected.fusion, abs=1e-3)


def test_a_fusion_challenger_that_was_trained_over_others_is_refused(rig: _Rig, text: Lineup, video: Lineup) -> None:
    lineup = Lineup(ALONE, {**text.parts, **video.parts, Modality.FUSION: Part(9, STARTER / "fusion")})

    with pytest.raises(ModelRefused, match="fusion:9: it was trained over other models"):
        rig.start(lineup, Modality.FUSION)
