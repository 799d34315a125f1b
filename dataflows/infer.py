"""Event → scores, many posts at once: decode in the cage's threads, infer on the worker, each answer a future."""

import math
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

from core.clock import Clock
from core.errors import InferenceError, InferenceStale, InferenceUnavailable, InputError, MediaError
from core.events import DeadLetter, ModalityScore
from core.labels import Modality
from dataflows.decide import Scores
from dataflows.decode import Clip, Decoder
from dataflows.evidence import caption_spans, segments
from dataflows.parse import Posted, Rejected, dead_letter
from dataflows.pressure import Relief
from dataflows.shadow import sample_of
from dataflows.wait import StoppingError
from models.client import ClipSlot, InferenceClient, InferRequest, InferResult
from models.spec import ServedModels
from models.tokens import CaptionTokenizer, Encoded


@dataclass(frozen=True, slots=True)
class Scored:
    """A post with the scores there are, and a dead letter for each modality that failed."""

    posted: Posted
    scores: Scores
    dead_letters: tuple[DeadLetter, ...] = ()


@dataclass
class _Work:
    """One post on its way: what was found out so far."""

    posted: Posted
    served: ServedModels
    answer: "Future[Scored]"
    submitted_s: float
    caption: Encoded | None = None
    clip: Clip | None = None
    media_error: MediaError | None = None


class Scorer:
    """Keeps many posts in flight; bounded by the flow's window, the slots and the cage."""

    def __init__(
        self,
        client: InferenceClient,
        decoder: Decoder,
        *,
        threads: int,
        clock: Clock,
        shadow_share: float = 0.0,
        cheap_after_s: float = math.inf,
    ) -> None:
        self._client = client
        self._relief = Relief(cheap_after_s)
        self._shadow_share = shadow_share
        self._decoder = decoder
        self._clock = clock
        self._decoding = ThreadPoolExecutor(threads, thread_name_prefix="decode")
        # Captions do not wait behind videos.
        self._reading = ThreadPoolExecutor(2, thread_name_prefix="caption")
        self._tokenizer: tuple[ServedModels, CaptionTokenizer] | None = None

    def submit(self, item: Posted | Rejected) -> "Scored | Rejected | Future[Scored]":
        """Start scoring; what was rejected passes through. The future raises only StoppingError or a defect of ours."""
        if isinstance(item, Rejected):
            return item
        answer: Future[Scored] = Future()
        pool = self._reading if item.event.media is None else self._decoding
        pool.submit(self._start, item, answer, time.monotonic())
        return answer

    def close(self) -> None:
        """Stop; what was not started is forgotten, and read again after the restart."""
        for pool in (self._decoding, self._reading):
            pool.shutdown(wait=False, cancel_futures=True)

    def _start(self, posted: Posted, answer: "Future[Scored]", submitted_s: float) -> None:
        try:
            served = self._client.served()
            work = _Work(posted, served, answer, submitted_s, caption=self._encode(posted.event.caption, served))
            if posted.event.media is None:
                self._infer(work, ExitStack())
            else:
                self._decode(work)
        except BaseException as error:  # noqa: BLE001 - a thread's outermost frame: the flow must see it
            answer.set_exception(_as_stop(error))

    def _decode(self, work: _Work) -> None:
        with ExitStack() as held:
            free_s = time.monotonic()
            slot = held.enter_context(self._client.slot())
            now_s = time.monotonic()
            sampling = self._relief.sampling(waited_s=now_s - work.submitted_s, slot_wait_s=now_s - free_s)
            try:
                work.clip = self._decoder.decode(work.posted.event, work.served.clip, slot=slot, sampling=sampling)
            except MediaError as error:
                work.media_error = error
                self._infer(work, ExitStack())
                return
            # The slot stays borrowed until the worker has answered.
            self._infer(work, held.pop_all(), slot)

    def _infer(self, work: _Work, held: ExitStack, slot: ClipSlot | None = None) -> None:
        sample = sample_of(work.posted, self._shadow_share)
        request = InferRequest(_ids(work.caption), slot, inputs_id=work.served.inputs_id, sample=sample)
        if request.token_ids is None and request.slot is None:
            work.answer.set_result(self._scored(work, None, None))
            return
        sent = time.perf_counter()

        def finish(future: "Future[InferResult]") -> None:
            held.close()
            infer_ms = (time.perf_counter() - sent) * 1e3
            error = future.exception()
            if isinstance(error, InferenceStale):
                # The worker swapped models meanwhile: tokenise and decode again, for the new ones.
                self._decoding.submit(self._start, work.posted, work.answer, time.monotonic())
            elif error is not None and not isinstance(error, InferenceError):
                work.answer.set_exception(_as_stop(error))
            elif isinstance(error, InferenceError):
                work.answer.set_result(self._scored(work, None, error, infer_ms=infer_ms))
            else:
                work.answer.set_result(self._scored(work, future.result(), None, infer_ms=infer_ms))

        self._client.infer(request).add_done_callback(finish)

    def _encode(self, caption: str | None, served: ServedModels) -> Encoded | None:
        if not caption:
            return None
        encoded = self._tokenizer_for(served).encode(caption)
        return encoded if encoded.ids else None

    def _tokenizer_for(self, served: ServedModels) -> CaptionTokenizer:
        """The served tokenizer; made anew when the worker swapped models."""
        if self._tokenizer is None or self._tokenizer[0] is not served:
            self._tokenizer = (served, CaptionTokenizer(served.tokenizer_json, served.max_tokens))
        return self._tokenizer[1]

    def _scored(
        self, work: _Work, result: InferResult | None, error: InferenceError | None, *, infer_ms: float = 0.0
    ) -> Scored:
        modalities, failures = _modalities(work, result, error)
        now = self._clock.now()
        letters = tuple(
            dead_letter(work.posted.record, failure, stage=stage, now=now, video_id=work.posted.event.video_id)
            for stage, failure in failures.items()
        )
        return Scored(work.posted, _scores(work, result, modalities, infer_ms), letters)


def _as_stop(error: BaseException) -> BaseException:
    """The client gives up waiting only when this process closes it: the post stays unwritten."""
    return StoppingError(str(error)) if isinstance(error, InferenceUnavailable) else error


def _ids(caption: Encoded | None) -> tuple[int, ...] | None:
    return caption.ids if caption is not None else None


def _modalities(
    work: _Work, result: InferResult | None, error: InferenceError | None
) -> tuple[dict[Modality, ModalityScore], dict[str, InputError]]:
    """Each modality that was posted, with its scores or its code; and the failures by stage."""
    modalities: dict[Modality, ModalityScore] = {}
    failures: dict[str, InputError] = {}
    codes = dict(result.codes) if result is not None else {}
    if work.media_error is not None:
        modalities[Modality.VIDEO] = ModalityScore(code=work.media_error.code)
        failures["decode"] = work.media_error
    for modality, sent in ((Modality.TEXT, work.caption), (Modality.VIDEO, work.clip)):
        if sent is None:
            continue
        scores = getattr(result, modality.value) if result is not None else None
        failure = error or InferenceError.from_code(codes.get(modality.value, ""), modality.value)
        modalities[modality] = ModalityScore(scores=scores, code=None if scores is not None else failure.code)
        if scores is None:
            failures[f"infer.{modality.value}"] = failure
    if result is not None and result.fusion is not None:
        modalities[Modality.FUSION] = ModalityScore(scores=result.fusion)
    return modalities, failures


def _scores(
    work: _Work, result: InferResult | None, modalities: dict[Modality, ModalityScore], infer_ms: float
) -> Scores:
    clip = work.clip
    model_version = result.model_version if result is not None else work.served.model_version
    timings = {"infer": round(infer_ms, 2)}
    if clip is not None:
        timings |= {"fetch": round(clip.fetch_ms, 2), "decode": round(clip.decode_ms, 2)}
    return Scores(
        modalities=modalities,
        model_version=model_version,
        # Models were swapped in between: what is known of the old fusion says nothing of the new one's scores.
        fusion_passed_gate=work.served.fusion_passed_gate and model_version == work.served.model_version,
        media_sha256=clip.media_sha256 if clip is not None else None,
        sampling=clip.sampling if clip is not None else None,
        segments=segments(result.frame_scores or (), clip.times_s, clip.duration_s) if result and clip else (),
        caption_spans=caption_spans(result.token_scores or (), work.caption.offsets) if result and work.caption else (),
        timings_ms=timings,
    )
