"""A batch of checked requests → scores: text, video, then fusion where both are there; the same on CPU and CUDA."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog
import torch
from tokenizers import Tokenizer
from torch.nn.utils.rnn import pad_sequence

from core.errors import ConfigError, InferenceFailed, InferenceRefused
from core.labels import Modality
from models.bundle import Bundle
from models.client import InferResult
from models.serving.cuda import CudaDevice
from models.serving.device import CpuDevice, Device, Run, T, there
from models.serving.job import EngineSickError, Job
from models.spec import ServedModels

_log = structlog.get_logger()

# What networks raise for inputs they cannot take; torch's own errors are RuntimeErrors.
_NETWORK_ERRORS = (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError)
_SICK_TOLERANCE = 0.02


@dataclass(frozen=True)
class _Read:
    """One caption or clip as its network left it: probabilities, a score per id or frame, and states for fusion."""

    probabilities: list[float]
    moments: list[float]
    states: torch.Tensor
    mask: torch.Tensor


class TorchEngine:
    """Computes on one device; used from one thread.

    Args:
        bundle: the networks, already on the device.
        device: where inputs go.
        threads: on a CPU, how many clips are computed side by side.

    Attributes:
        device: calls the networks.
        known: inputs that are known to be good, and what they gave.
        problem: why it computes slower than this device could; empty when it does not.
    """

    def __init__(self, bundle: Bundle, *, device: torch.device | str = "cpu", threads: int = 1) -> None:
        self._bundle = bundle
        self._where = torch.device(device)
        self._vocabulary = _vocabulary(bundle.served)
        self.device: Device = _device(bundle, self._where, threads)
        self.problem = ""
        self.known: tuple[Sequence[Job], Sequence[InferResult]] = ((), ())

    @property
    def served(self) -> ServedModels:
        """What it serves."""
        return self._bundle.served

    @property
    def vocabulary(self) -> int:
        """Token ids are below it."""
        return self._vocabulary

    @property
    def max_clips(self) -> int:
        """The most clips worth one batch on this device."""
        return self.device.max_clips

    @torch.inference_mode()
    def score(self, jobs: Sequence[Job]) -> list[InferResult]:
        """One result per job, in order; see Engine.

        Raises:
            EngineSickError: an input failed by itself, and known inputs fail now as well.
        """
        return self._run(jobs, self._isolated)

    @torch.inference_mode()
    def remember(self, jobs: Sequence[Job]) -> list[InferResult]:
        """Score inputs that are known to be good, to tell a bad input from a broken device later.

        Raises:
            ConfigError: the networks cannot score them.
        """
        try:
            results = self._run(jobs, _directly)
        except _NETWORK_ERRORS as error:
            raise ConfigError(f"the models cannot score known inputs ({error}); serve another folder") from error
        self.known = (jobs, results)
        return results

    def _run(self, jobs: Sequence[Job], call: "_Caller") -> list[InferResult]:
        texts, videos, fusions = self._bundle.text, self._bundle.video, self._bundle.fusion
        with_text = [i for i, job in enumerate(jobs) if job.token_ids is not None] if texts is not None else []
        with_clip = [i for i, job in enumerate(jobs) if job.clip is not None] if videos is not None else []

        def read_texts(rows: Sequence[int]) -> list[_Read]:
            return self._read_texts([jobs[i] for i in rows])

        text_run = self.device.ahead(read_texts, with_text) if with_text and with_clip else read_texts
        video = call(lambda rows: self._read_clips([jobs[i] for i in rows]), with_clip)
        text = call(text_run, with_text)
        both = [i for i in text if i in video] if fusions is not None else []
        fusion = call(lambda rows: self._fuse([text[i] for i in rows], [video[i] for i in rows]), both)
        return [
            self._result(job, text.get(i), video.get(i), fusion.get(i), may_fuse=i in both)
            for i, job in enumerate(jobs)
        ]

    def _read_texts(self, jobs: Sequence[Job]) -> list[_Read]:
        ids = torch.zeros((len(jobs), max(job.tokens for job in jobs)), dtype=torch.int64)
        mask = torch.zeros_like(ids)
        for row, job in enumerate(jobs):
            length = len(job.token_ids or ())
            ids[row, :length] = torch.tensor(job.token_ids)
            mask[row, :length] = 1
        output = self.device.captions(ids, mask)
        moments = _probabilities(output.token_scores)
        lengths = [len(job.token_ids or ()) for job in jobs]
        return [
            _Read(probabilities, scores[:length], states, real)
            for probabilities, scores, length, states, real in zip(
                _probabilities(output.probabilities), moments, lengths, output.states, output.state_mask, strict=True
            )
        ]

    def _read_clips(self, jobs: Sequence[Job]) -> list[_Read]:
        output = self.device.clips([there(job.clip).read_into for job in jobs])
        everywhere = torch.ones(output.states.shape[1], dtype=torch.bool)
        return [
            _Read(probabilities, scores, states, everywhere)
            for probabilities, scores, states in zip(
                _probabilities(output.probabilities), _probabilities(output.frame_scores), output.states, strict=True
            )
        ]

    def _fuse(self, texts: Sequence[_Read], videos: Sequence[_Read]) -> list[list[float]]:
        network = there(self._bundle.fusion)
        # Captions that were read one by one may have states of several lengths.
        text_states = pad_sequence([read.states for read in texts], batch_first=True)
        text_mask = pad_sequence([read.mask for read in texts], batch_first=True)
        video_states = torch.stack([read.states for read in videos])
        modalities = torch.ones((len(texts), 2), dtype=torch.bool, device=self._where)
        return _probabilities(network(text_states, text_mask, video_states, modalities))

    def _result(
        self, job: Job, text: _Read | None, video: _Read | None, fusion: list[float] | None, *, may_fuse: bool
    ) -> InferResult:
        codes = {}
        if job.token_ids is not None and text is None:
            codes[Modality.TEXT.value] = _code(self._bundle.text)
        if job.clip is not None and video is None:
            codes[Modality.VIDEO.value] = _code(self._bundle.video)
        if may_fuse and fusion is None:
            codes[Modality.FUSION.value] = InferenceFailed.code
        return InferResult(
            model_version=self.served.model_version,
            text=self._per_label(Modality.TEXT, text.probabilities if text else None),
            video=self._per_label(Modality.VIDEO, video.probabilities if video else None),
            fusion=self._per_label(Modality.FUSION, fusion),
            token_scores=tuple(text.moments) if text else None,
            frame_scores=tuple(video.moments) if video else None,
            codes=codes,
        )

    def _per_label(self, modality: Modality, probabilities: list[float] | None) -> dict[str, float] | None:
        if probabilities is None:
            return None
        return dict(zip(self.served.labels[modality.value], probabilities, strict=True))

    def _isolated(self, run: Run[T], rows: Sequence[int]) -> dict[int, T]:
        """Run the batch; when it raises run each row by itself, so that a bad one fails alone."""
        try:
            return _directly(run, rows)
        except _NETWORK_ERRORS as error:
            if len(rows) > 1:
                return {row: value for one in rows for row, value in self._isolated(run, [one]).items()}
            _log.warning("engine.input_failed", error=f"{type(error).__name__}: {error}"[:500])
        self._see_if_sick()
        return {}

    def _see_if_sick(self) -> None:
        """An input is at fault only while known inputs still compute what they did."""
        jobs, before = self.known
        try:
            now = self._run(jobs, _directly)
        except _NETWORK_ERRORS as error:
            raise EngineSickError(f"{type(error).__name__}: {error}"[:500]) from error
        if wrong := difference(before, now, tolerance=_SICK_TOLERANCE):
            raise EngineSickError(wrong)


def _directly(run: Run[T], rows: Sequence[int]) -> dict[int, T]:
    return dict(zip(rows, run(rows), strict=True)) if rows else {}


def difference(before: Sequence[InferResult], now: Sequence[InferResult], *, tolerance: float) -> str:
    """The first probability that moved by more than the tolerance, in words; empty when none did."""
    for number, (old, new) in enumerate(zip(before, now, strict=True)):
        for modality in Modality:
            was, is_ = getattr(old, modality.value), getattr(new, modality.value)
            if (was is None) != (is_ is None) or set(was or ()) != set(is_ or ()):
                return f"known input {number}: {modality} was {was}, is {is_}"
            for label, value in (was or {}).items():
                if abs(value - is_[label]) > tolerance:
                    return f"known input {number}: {modality} {label} was {value:.4f}, is {is_[label]:.4f}"
    return ""


class _Caller(Protocol):
    """Runs a stage over rows and keeps what worked."""

    def __call__(self, run: Run[T], rows: Sequence[int]) -> dict[int, T]: ...


def _probabilities(tensor: torch.Tensor) -> list[list[float]]:
    """(B, N) as floats; a failed computation raises, it is never a score."""
    values = tensor.float().cpu()
    if not bool(((values >= 0) & (values <= 1)).all()):
        raise ArithmeticError("scores are not finite, or outside [0, 1]")
    rows: list[list[float]] = values.tolist()
    return rows


def _device(bundle: Bundle, where: torch.device, threads: int) -> Device:
    if where.type == "cpu":
        return CpuDevice(bundle.text, bundle.video, clip_shape=bundle.served.clip.shape, threads=threads)
    return CudaDevice(bundle.text, bundle.video, clip_shape=bundle.served.clip.shape, where=where)


def _code(network: object | None) -> str:
    return InferenceRefused.code if network is None else InferenceFailed.code


def _vocabulary(served: ServedModels) -> int:
    if not served.tokenizer_json:
        return 0
    return max(Tokenizer.from_buffer(served.tokenizer_json).get_vocab(with_added_tokens=True).values()) + 1
