"""Scoring: each posted modality comes back with its scores or its code, and a failure never takes the other along."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from core.clock import FixedClock
from core.errors import InferenceCrashed, InferenceFailed, MediaMissing
from core.events import CaptionSpan, ModalityScore, VideoPosted
from core.labels import Modality
from core.media.protocol import Resize, Sampling
from dataflows.decide import Origin
from dataflows.decode import Clip
from dataflows.infer import Scored, Scorer
from dataflows.parse import Posted, Record, Rejected
from dataflows.wait import StoppingError
from models.client import ClipSlot, InferResult, Sample
from models.fake import FAKE_SERVED, FakeClient, fake_scores
from models.spec import ClipSpec, ServedModels
from tests.fixtures.stores import NOON, eventually, make_dead_letter

TIMEOUT_S = 10
OTHER = replace(
    FAKE_SERVED,
    model_version="text:new|video:new|fusion:-",
    clip=ClipSpec(4, 16, Resize.CROP),
    tokenizer_json=FAKE_SERVED.tokenizer_json.replace(b'"kill":90', b'"kill":50'),
)


class Grey:
    """A decoder that paints a clip of one fifth brightness, or raises."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.specs: list[ClipSpec] = []

    def decode(self, event: VideoPosted, spec: ClipSpec, *, slot: ClipSlot, sampling: Sampling) -> Clip:
        self.specs.append(spec)
        if self.error is not None:
            raise self.error
        slot.frames[:] = 51
        return Clip(tuple(map(float, range(spec.num_frames))), float(spec.num_frames), sampling, "ab" * 32, 1.5, 2.5)


class Worker(FakeClient):
    """One slot only, so that a slot that is not given back is noticed; scoring can be made to answer otherwise."""

    def __init__(self) -> None:
        super().__init__(slots=1, score=self._as_told)
        self.answer: Callable[..., InferResult] = fake_scores

    def _as_told(self, *inputs: object) -> InferResult:
        return self.answer(*inputs)


@pytest.fixture
def decoder() -> Grey:
    return Grey()


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker()
    yield worker
    worker.close()


@pytest.fixture
def scorer(worker: Worker, decoder: Grey) -> Iterator[Scorer]:
    scorer = Scorer(worker, decoder, threads=2, clock=FixedClock(NOON))  # type: ignore[arg-type]  # stands in for it
    yield scorer
    scorer.close()


def posted(caption: str | None = None, *, clip: bool = False) -> Posted:
    fields = {"schema": "video.posted.v1", "video_id": "v:1", "platform": "p", "posted_at": NOON, "source": "test"}
    media_uri = "s3://clipwarden-media/a.mp4" if clip else None
    event = VideoPosted.model_validate({**fields, "caption": caption, "media_uri": media_uri})
    record = Record("video.posted.v1", 0, 5, b"v:1", b"{}", (), NOON)
    return Posted(record, event, Origin(record.ref, NOON))


def submit(scorer: Scorer, item: Posted) -> "Future[Scored]":
    answer = scorer.submit(item)
    assert isinstance(answer, Future)
    return answer


def score(scorer: Scorer, caption: str | None = None, *, clip: bool = False) -> Scored:
    return submit(scorer, posted(caption, clip=clip)).result(TIMEOUT_S)


def harmful(probability: float) -> ModalityScore:
    return ModalityScore(scores={"harmful": probability})


def failing(*_inputs: object) -> InferResult:
    raise InferenceFailed("three times")


def killing(*_inputs: object) -> InferResult:
    raise InferenceCrashed("three workers died with it")


def test_an_input_that_kills_workers_is_no_score_and_two_dead_letters(scorer: Scorer, worker: Worker) -> None:
    worker.answer = killing
    crashed = ModalityScore(code="inference.crashed")

    scored = score(scorer, "good day", clip=True)

    assert scored.scores.modalities == {Modality.TEXT: crashed, Modality.VIDEO: crashed}
    assert [letter.code for letter in scored.dead_letters] == ["inference.crashed"] * 2


def test_a_caption_alone_is_scored_with_its_spans(scorer: Scorer) -> None:
    scored = score(scorer, "Good day, idiot")

    assert scored.scores.modalities == {Modality.TEXT: harmful(0.98)}
    assert scored.scores.caption_spans == (CaptionSpan(start=10, end=15, score=0.98),)
    assert scored.scores.model_version == FAKE_SERVED.model_version
    assert (scored.scores.media_sha256, scored.scores.sampling) == (None, None)
    assert scored.dead_letters == ()


def test_a_clip_alone_is_scored_with_its_segments_and_timings(scorer: Scorer) -> None:
    scores = score(scorer, clip=True).scores

    assert scores.modalities == {Modality.VIDEO: harmful(0.2)}
    assert (len(scores.segments), scores.segments[-1].end_s) == (8, 8.0)
    assert (scores.media_sha256, scores.sampling) == ("ab" * 32, Sampling.EVEN)
    assert scores.timings_ms.keys() == {"fetch", "decode", "infer"}


def test_a_clip_with_its_caption_is_one_request_and_gets_a_fusion_score(scorer: Scorer, worker: Worker) -> None:
    scored = score(scorer, "kill", clip=True)

    expected = {Modality.TEXT: harmful(0.9), Modality.VIDEO: harmful(0.2), Modality.FUSION: harmful(0.55)}
    assert scored.scores.modalities == expected
    assert scored.scores.fusion_passed_gate
    assert len(worker.requests) == 1


@pytest.mark.parametrize("caption", [None, "", " \n"])
def test_nothing_posted_is_nothing_scored(scorer: Scorer, worker: Worker, caption: str | None) -> None:
    scored = score(scorer, caption)

    assert (scored.scores.modalities, scored.dead_letters) == ({}, ())
    assert scored.scores.model_version == FAKE_SERVED.model_version
    assert worker.requests == []


def test_missing_media_is_a_code_and_a_dead_letter_while_the_caption_is_scored(scorer: Scorer, decoder: Grey) -> None:
    decoder.error = MediaMissing("no such object")

    scored = score(scorer, "kill", clip=True)

    assert scored.scores.modalities == {
        Modality.TEXT: harmful(0.9),
        Modality.VIDEO: ModalityScore(code="media.missing"),
    }
    [letter] = scored.dead_letters
    assert (letter.code, letter.stage, letter.video_id) == ("media.missing", "decode", "v:1")
    assert (letter.record, letter.payload, letter.died_at) == (posted().record.ref, b"{}", NOON)


def test_missing_media_without_a_caption_has_no_score_at_all(scorer: Scorer, decoder: Grey) -> None:
    decoder.error = MediaMissing("no such object")

    scored = score(scorer, clip=True)

    assert scored.scores.modalities == {Modality.VIDEO: ModalityScore(code="media.missing")}
    assert len(scored.dead_letters) == 1


def test_what_a_live_worker_fails_on_is_a_code_for_each_modality_sent(scorer: Scorer, worker: Worker) -> None:
    worker.answer = failing
    failed = ModalityScore(code="inference.failed")

    both, text = score(scorer, "kill", clip=True), score(scorer, "kill")

    assert both.scores.modalities == {Modality.TEXT: failed, Modality.VIDEO: failed}
    assert [letter.stage for letter in both.dead_letters] == ["infer.text", "infer.video"]
    assert {letter.code for letter in both.dead_letters} == {"inference.failed"}
    assert text.scores.modalities == {Modality.TEXT: failed}
    assert [letter.stage for letter in text.dead_letters] == ["infer.text"]


def test_one_modality_that_the_worker_refuses_leaves_the_other_its_scores(scorer: Scorer, worker: Worker) -> None:
    def half(served: ServedModels, ids: tuple[int, ...] | None, _frames: NDArray[np.uint8] | None) -> InferResult:
        return replace(fake_scores(served, ids, None), codes={"video": "inference.refused"})

    worker.answer = half

    scored = score(scorer, "kill", clip=True)

    refused = ModalityScore(code="inference.refused")
    assert scored.scores.modalities == {Modality.TEXT: harmful(0.9), Modality.VIDEO: refused}
    assert [(letter.stage, letter.code) for letter in scored.dead_letters] == [("infer.video", "inference.refused")]


@pytest.mark.parametrize("clip", [True, False])
def test_inputs_made_for_models_swapped_meanwhile_are_made_again(
    scorer: Scorer, worker: Worker, decoder: Grey, *, clip: bool
) -> None:
    worker.pause()
    answer = submit(scorer, posted("kill", clip=clip))
    eventually(lambda: worker.requests)

    worker.swap(OTHER)
    worker.resume()

    scores = answer.result(TIMEOUT_S).scores
    assert (scores.model_version, scores.modalities[Modality.TEXT]) == (OTHER.model_version, harmful(0.5))
    assert [request.inputs_id for request in worker.requests] == [FAKE_SERVED.inputs_id, OTHER.inputs_id]
    assert decoder.specs == ([FAKE_SERVED.clip, OTHER.clip] if clip else [])


@pytest.mark.parametrize("clip", [True, False])
def test_a_client_that_is_closed_stops_what_waits_and_what_comes(scorer: Scorer, worker: Worker, *, clip: bool) -> None:
    worker.pause()
    waiting = submit(scorer, posted("kill", clip=clip))
    eventually(lambda: worker.requests)

    worker.close()

    for answer in (waiting, submit(scorer, posted("kill", clip=clip))):
        assert isinstance(answer.exception(TIMEOUT_S), StoppingError)


def test_a_slot_is_free_again_after_every_answer(scorer: Scorer, worker: Worker, decoder: Grey) -> None:
    for error, answer in (
        (None, fake_scores),
        (MediaMissing("gone"), fake_scores),
        (None, failing),
        (None, fake_scores),
    ):
        decoder.error, worker.answer = error, answer
        score(scorer, "kill", clip=True)

    with worker.slot():
        pass


def test_a_caption_does_not_wait_behind_clips(scorer: Scorer, worker: Worker) -> None:
    with worker.slot():
        held = [submit(scorer, posted(clip=True)) for _ in range(4)]
        assert score(scorer, "kill").scores.modalities == {Modality.TEXT: harmful(0.9)}
        assert not any(answer.done() for answer in held)

    assert all(answer.result(TIMEOUT_S) for answer in held)


def test_a_defect_of_ours_is_no_code(scorer: Scorer, decoder: Grey) -> None:
    decoder.error = ZeroDivisionError("ours")

    assert isinstance(submit(scorer, posted(clip=True)).exception(TIMEOUT_S), ZeroDivisionError)


def test_what_was_rejected_passes_through(scorer: Scorer) -> None:
    rejected = Rejected(posted().record, make_dead_letter())

    assert scorer.submit(rejected) is rejected


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_sampled_post_asks_for_challengers_with_its_caption_as_it_was_posted(
    worker: Worker, decoder: Grey, share: float
) -> None:
    scorer = Scorer(worker, decoder, threads=1, clock=FixedClock(NOON), shadow_share=share)  # type: ignore[arg-type]  # stands in for it
    post = posted("You  IDIOT", clip=True)

    answer = scorer.submit(post)

    assert isinstance(answer, Future)
    assert answer.result(TIMEOUT_S).scores.modalities[Modality.TEXT].scores == {"harmful": 0.98}
    (request,) = worker.requests
    wanted = Sample(post.event.video_id, post.origin.event_time, "You  IDIOT")
    assert request.sample == (wanted if share else None)
    scorer.close()
