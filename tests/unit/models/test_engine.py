import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from core.errors import ConfigError
from core.settings import ServingSettings
from models.bundle import Bundle
from models.fake import FAKE_SERVED
from models.networks.outputs import TextOutput, VideoOutput
from models.serving import load
from models.serving.device import CpuDevice, Run, T
from models.serving.engine import TorchEngine
from models.serving.golden import ArrayClip, check_golden, golden_jobs, write_golden
from models.serving.job import EngineSickError, Job

_NAN_ID, _RAISING_ID = 97, 98


class _Text(nn.Module):
    """Mean of the embeddings of the real ids; some first ids break it."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(100, 4)
        self.is_broken = False

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> TextOutput:
        if self.is_broken or bool((input_ids[:, 0] == _RAISING_ID).any()):
            raise RuntimeError("CUDA error: device-side assert triggered")
        states = self.embedding(input_ids).sigmoid() * attention_mask.unsqueeze(2)
        mean = states.sum(1) / attention_mask.sum(1, keepdim=True)
        probabilities = mean[:, :1].masked_fill(input_ids[:, :1] == _NAN_ID, float("nan"))
        return TextOutput(probabilities, states, attention_mask.bool(), states[:, :, 0])


class _Video(nn.Module):
    """Mean brightness."""

    def forward(self, clips: torch.Tensor) -> VideoOutput:
        frames = clips.float().mean(dim=(2, 3, 4)) / 255
        return VideoOutput(frames.mean(1, keepdim=True), frames.unsqueeze(2).repeat(1, 1, 4), frames)


class _Fusion(nn.Module):
    """Mean of all real states."""

    def forward(
        self, text: torch.Tensor, mask: torch.Tensor, video: torch.Tensor, modalities: torch.Tensor
    ) -> torch.Tensor:
        assert bool(modalities.all())
        words = (text * mask.unsqueeze(2)).sum((1, 2)) / mask.sum(1) / 4
        return ((words + video.mean((1, 2))) / 2).unsqueeze(1)


class _CutClip:
    def read_into(self, out: memoryview) -> None:
        raise ValueError("the block was cut")


def _bundle() -> Bundle:
    torch.manual_seed(3)
    return Bundle(text=_Text().eval(), video=_Video(), fusion=_Fusion(), served=FAKE_SERVED)


@pytest.fixture
def engine() -> TorchEngine:
    return TorchEngine(_bundle())


def _clip(value: int) -> ArrayClip:
    return ArrayClip(np.full(FAKE_SERVED.clip.shape, value, np.uint8).tobytes())


def _job(*ids: int, clip: int | None = None) -> Job:
    return Job(ids or None, _clip(clip) if clip is not None else None, 16 if ids else 0)


def test_a_batch_scores_each_request_as_it_would_alone(engine: TorchEngine) -> None:
    jobs = [_job(1, 2, 3, clip=51), _job(4, 5, clip=102), _job(6, 7, 8, 9, clip=0)]

    together = engine.score(jobs)

    for job, result in zip(jobs, together, strict=True):
        (alone,) = engine.score([job])
        assert result.text == pytest.approx(alone.text)
        assert result.fusion == pytest.approx(alone.fusion)
        assert result.token_scores == pytest.approx(alone.token_scores)
    assert together[1].video == pytest.approx({"harmful": 0.4})
    assert [len(result.token_scores or ()) for result in together] == [3, 2, 4]
    assert [len(result.frame_scores or ()) for result in together] == [8, 8, 8]
    assert all(result.fusion is not None and result.codes == {} for result in together)


def test_requests_with_one_modality_share_a_batch_with_others(engine: TorchEngine) -> None:
    text, video, both = engine.score([_job(1, 2), _job(clip=255), _job(3, clip=255)])

    assert (text.video, text.fusion, text.codes) == (None, None, {})
    assert (video.text, video.fusion, video.video) == (None, None, {"harmful": 1.0})
    assert both.fusion is not None


@pytest.mark.parametrize("bad", [_NAN_ID, _RAISING_ID])
def test_a_caption_that_breaks_the_network_fails_alone(engine: TorchEngine, bad: int) -> None:
    good, broken, other = engine.score([_job(1, clip=51), _job(bad, clip=51), _job(2, 3)])

    assert (good.codes, other.codes, broken.codes) == ({}, {}, {"text": "inference.failed"})
    assert (broken.text, broken.fusion) == (None, None)
    assert broken.video == pytest.approx({"harmful": 0.2})


class _TwoThreads(CpuDevice):
    """Counts what it begins before video."""

    def __init__(self, bundle: Bundle) -> None:
        super().__init__(bundle.text, bundle.video, clip_shape=FAKE_SERVED.clip.shape, threads=2)
        self.begun = 0

    def ahead(self, run: Run[T], rows: Sequence[int]) -> Run[T]:
        self.begun += 1
        return super().ahead(run, rows)


def test_text_that_was_begun_before_video_is_collected_and_a_bad_caption_in_it_fails_alone() -> None:
    bundle = _bundle()
    engine, device = TorchEngine(bundle), _TwoThreads(bundle)
    jobs = [_job(1, clip=51), _job(_RAISING_ID, clip=51), _job(2, 3), _job(clip=0)]
    engine.remember([_job(1, 2, clip=3)])
    expected = engine.score(jobs)

    engine.device = device

    assert engine.score(jobs[:1]) == expected[:1]
    assert device.begun == 1
    assert engine.score(jobs) == expected


def test_a_clip_that_cannot_be_read_fails_alone(engine: TorchEngine) -> None:
    good, cut = engine.score([_job(clip=51), Job((1,), _CutClip(), 16)])

    assert good.codes == {}
    assert cut.codes == {"video": "inference.failed"}
    assert cut.text is not None


def test_a_modality_nobody_serves_is_refused_and_never_scored() -> None:
    engine = TorchEngine(Bundle(text=_Text(), video=None, fusion=None, served=FAKE_SERVED))

    (result,) = engine.score([_job(1, clip=51)])

    assert (result.video, result.codes) == (None, {"video": "inference.refused"})


def test_a_broken_device_is_told_from_a_bad_input() -> None:
    bundle = _bundle()
    engine = TorchEngine(bundle)
    engine.remember([_job(1, 2, clip=3)])

    assert engine.score([_job(_RAISING_ID)])[0].codes == {"text": "inference.failed"}
    bundle.text.is_broken = True  # type: ignore[union-attr]
    with pytest.raises(EngineSickError, match="device-side"):
        engine.score([_job(1)])


def test_saved_models_prove_themselves_and_changed_ones_are_refused(tmp_path: Path) -> None:
    bundle = _bundle()
    write_golden(bundle, tmp_path)
    check_golden(TorchEngine(bundle), tmp_path)

    with torch.no_grad():
        bundle.text.embedding.weight.add_(1)  # type: ignore[union-attr]

    with pytest.raises(ConfigError, match="do not compute what they did when saved"):
        check_golden(TorchEngine(bundle), tmp_path)


@pytest.mark.parametrize("body", ["", "[]", '{"outputs": [1]}', '{"outputs": []}'])
def test_a_golden_file_that_cannot_be_read_is_a_configuration_error(tmp_path: Path, body: str) -> None:
    (tmp_path / "golden.json").write_text(body)

    with pytest.raises(ConfigError, match="save the models again"):
        check_golden(TorchEngine(_bundle()), tmp_path)


def test_models_that_compute_no_probabilities_are_refused(tmp_path: Path) -> None:
    bundle = _bundle()
    with torch.no_grad():
        bundle.text.embedding.weight.fill_(float("nan"))  # type: ignore[union-attr]

    with pytest.raises(ConfigError, match="cannot score known inputs"):
        check_golden(TorchEngine(bundle), tmp_path)


def test_golden_inputs_are_the_same_everywhere() -> None:
    first, again = golden_jobs(FAKE_SERVED, 100), golden_jobs(FAKE_SERVED, 100)

    assert first == again


@pytest.fixture
def served_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(load, "load_bundle", lambda _folder, **_where: _bundle())
    threads = torch.get_num_threads()
    yield tmp_path
    torch.set_num_threads(threads)


def test_a_folder_whose_models_changed_does_not_start(served_folder: Path) -> None:
    path = write_golden(_bundle(), served_folder)
    load.load_engine(ServingSettings(models_dir=served_folder, device="cpu"))

    golden = json.loads(path.read_text())
    golden["outputs"][0]["text"]["harmful"] += 0.2
    path.write_text(json.dumps(golden))

    with pytest.raises(ConfigError, match="do not compute what they did when saved"):
        load.load_engine(ServingSettings(models_dir=served_folder, device="cpu"))


def test_a_folder_or_device_that_is_not_there_is_a_configuration_error(served_folder: Path) -> None:
    with pytest.raises(ConfigError, match="name a folder"):
        load.load_engine(ServingSettings(models_dir=served_folder / "missing"))
    with pytest.raises(ConfigError, match="is not there"):
        load.load_engine(ServingSettings(models_dir=served_folder, device="cuda:99"))
