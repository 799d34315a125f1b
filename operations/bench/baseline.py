"""What most people would write: one video at a time, every frame decoded, the usual processor, fp32, one INSERT."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import av
import numpy as np
import torch
from numpy.typing import NDArray
from transformers import VideoMAEImageProcessorPil

from core.clock import SystemClock
from core.events import ModalityScore, RecordRef, VideoPosted
from core.labels import Modality
from core.settings import Settings
from core.storage.ports import MediaStore, VerdictHistory
from dataflows.decide import Origin, Scores, decide
from dataflows.policy import PolicyFile
from models.bundle import STARTER, load_bundle
from models.tokens import CaptionTokenizer


class Baseline:
    """The same models, policy and stores as the platform's."""

    def __init__(self, media: MediaStore, history: VerdictHistory, *, settings: Settings) -> None:
        self._media = media
        self._history = history
        self._settings = settings
        self._bundle = load_bundle(settings.serving.models_dir or STARTER)
        self._policy = PolicyFile().policy
        served = self._bundle.served
        self._tokenizer = CaptionTokenizer(served.tokenizer_json, served.max_tokens)
        side = {"height": served.clip.size_px, "width": served.clip.size_px}
        # The networks normalise by themselves: the processor resizes, which is the dearer half of its work.
        self._processor = VideoMAEImageProcessorPil(
            size=side, do_center_crop=False, do_rescale=False, do_normalize=False
        )
        self._count = 0

    def score(self, key: str, caption: str, *, bucket: str) -> None:
        """Fetch, decode, infer, decide, insert."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "clip"
            self._media.fetch(bucket, key, path, max_bytes=self._settings.decode.max_bytes)
            frames = decode_every_frame(path, self._bundle.served.clip.num_frames)
        self._store(self._infer(frames, caption), caption)

    @torch.inference_mode()
    def _infer(self, frames: list[NDArray[np.uint8]], caption: str) -> Scores:
        served, text, video, fusion = self._bundle.served, self._bundle.text, self._bundle.video, self._bundle.fusion
        if text is None or video is None:
            raise ValueError("the baseline needs a text and a video model")
        pixels = self._processor(frames, return_tensors="pt")["pixel_values"]
        seen = video(pixels.permute(0, 1, 3, 4, 2).round().to(torch.uint8).contiguous())
        ids = torch.tensor([self._tokenizer.encode(caption).ids or (0,)])
        read = text(ids, torch.ones_like(ids))
        if fusion is not None:
            fusion(read.states, read.state_mask, seen.states, torch.ones(1, 2, dtype=torch.bool))
        labels = {Modality.TEXT: read.probabilities[0].tolist(), Modality.VIDEO: seen.probabilities[0].tolist()}
        return Scores(
            {
                modality: ModalityScore(scores=dict(zip(served.labels[modality.value], values, strict=True)))
                for modality, values in labels.items()
            },
            served.model_version,
        )

    def _store(self, scores: Scores, caption: str) -> None:
        self._count += 1
        now = datetime.now(UTC)
        event = VideoPosted(
            schema_="video.posted.v1",
            video_id=f"baseline:{self._count}",
            caption=caption,
            platform="bench",
            posted_at=now,
            source="bench",
        )
        origin = Origin(RecordRef(topic="baseline", partition=0, offset=self._count), now)
        verdict = decide(event, origin, scores, signals=(), policy=self._policy, now=SystemClock().now())
        self._history.write([verdict], [])


def decode_every_frame(path: Path, count: int) -> list[NDArray[np.uint8]]:
    """Every frame decoded, `count` of them kept."""
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    chosen = np.linspace(0, len(frames) - 1, count).round().astype(int)
    return [frames[index].to_ndarray(format="rgb24") for index in chosen]
