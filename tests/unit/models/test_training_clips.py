from pathlib import Path

import av
import numpy as np
import pandas as pd
import pytest
import torch
from numpy.typing import NDArray

from core.errors import ConfigError
from models.bundle import load_bundle
from models.networks.video import MotionVideoModel
from models.training.clips import load_clips
from models.training.config import FusionTraining, LoopConfig, VideoTraining
from models.training.evaluate import Figures
from models.training.fusion import train_fusion
from models.training.heads import assign_folds, cross_validate
from models.training.video import read_states, train_video, unseen_states
from tests.fixtures.registry import save_text

SIDE_PX, FRAMES = 64, 8
CAPTIONS = {"good day": "safe", "bad dog": "harmful"}


def write_clip(path: Path, *, place: int, step: int) -> None:
    """A small square on grey that moves `step` pixels each frame."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=8)
        stream.width, stream.height, stream.pix_fmt = SIDE_PX, SIDE_PX, "yuv420p"
        for number in range(FRAMES):
            picture = np.full((SIDE_PX, SIDE_PX, 3), 100, np.uint8)
            left = (place + number * step) % (SIDE_PX - 12)
            picture[place : place + 12, left : left + 12] = 250
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


def write_data(data: Path) -> None:
    """Two sources of clips, one of them with safe clips alone; captions of two languages."""
    (data / "video").mkdir()
    (data / "text").mkdir()
    rows = []
    for split, groups in (("train", 12), ("validation", 4), ("test", 4)):
        for number in range(groups):
            for label, step in (("safe", 1), ("harmful", 17)):
                name = f"{split}-{number}-{label}.mp4"
                write_clip(data / "video" / name, place=4 + 3 * number, step=step)
                rows.append((name, label, split, "fights", f"{split}-{number}"))
        write_clip(data / "video" / f"{split}.mp4", place=30, step=2)
        rows.append((f"{split}.mp4", "safe", split, "streets", f"street-{split}"))
    table = pd.DataFrame(rows, columns=["file", "label", "split", "source", "group"])
    table.to_csv(data / "video" / "manifest.csv", index=False)
    captions = [
        (f"{text} of {split} {number}", label, "", split)
        for split in ("train", "validation", "test")
        for number in range(20)
        for text, label in CAPTIONS.items()
    ]
    for language in ("vi", "en"):
        told = pd.DataFrame(captions, columns=["text", "label", "category", "split"]).assign(lang=language)
        told.to_parquet(data / "text" / f"{language}_captions.parquet")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_data(folder)
    return folder


def recipe(data: Path) -> VideoTraining:
    return VideoTraining(
        data=data,
        out=data / "models" / "video",
        version="v1",
        cache=data / "cache",
        stages=(2, 3),
        grid=4,
        num_frames=4,
        size_px=64,
        window_frames=3,
        state_dim=5,
        inverse_penalties=(0.1,),
        folds=2,
    )


@pytest.fixture(scope="module")
def video(data: Path) -> dict[str, Figures]:
    return train_video(recipe(data))


@pytest.fixture(scope="module")
def network(data: Path, video: dict[str, Figures]) -> MotionVideoModel:
    assert "test" in video
    network: MotionVideoModel = MotionVideoModel.from_pretrained(data / "models" / "video", dtype=torch.float32)
    network.train(mode=False)
    return network


def test_a_trained_video_model_can_be_served(data: Path, video: dict[str, Figures]) -> None:
    assert video["test"].accuracy == 1.0
    assert load_bundle(data / "models").served.labels["video"] == ("harmful", "violence")
    assert "Over the folds: accuracy" in (data / "models" / "video" / "README.md").read_text()


def test_folds_ask_only_about_sources_with_both_labels(video: dict[str, Figures]) -> None:
    whole = video["2 folds of groups, every split"]

    assert (whole.n, whole.harmful) == (40, 20)
    assert sum(figures.n for name, figures in video.items() if name.startswith("fold ")) == 40


def test_folds_keep_groups_together(data: Path, network: MotionVideoModel) -> None:
    clips = load_clips(data, network, cache=data / "cache")
    asked = (clips.table["source"] == "fights").to_numpy()

    folds = assign_folds(recipe(data), clips, asked)
    said = cross_validate(recipe(data), clips, folds)

    assert clips.table.assign(fold=folds).groupby("group")["fold"].nunique().max() == 1
    np.testing.assert_array_equal(np.isnan(said), ~asked)


def test_kept_maps_give_the_answers_of_serving(data: Path, network: MotionVideoModel) -> None:
    clips = load_clips(data, network, cache=data / "cache")
    again = load_clips(data, network, cache=data / "other")

    assert all(torch.equal(kept, fresh) for kept, fresh in zip(clips.maps, again.maps, strict=True))
    assert read_states(network, clips).shape == (len(clips), 5, 5)
    np.testing.assert_allclose(read_states(network, clips)[:, 0, -1], _logits(network, clips.features), atol=1e-3)


def test_unseen_states_come_from_other_heads(data: Path, network: MotionVideoModel) -> None:
    train = load_clips(data, network, cache=data / "cache").of("train")

    own, unseen = read_states(network, train), unseen_states(recipe(data), network, train)

    assert torch.equal(own[:, :, :-1], unseen[:, :, :-1])
    assert (own[:, 0, -1] != unseen[:, 0, -1]).all()


def test_clips_without_a_label_are_refused(tmp_path: Path, network: MotionVideoModel) -> None:
    (tmp_path / "video").mkdir()
    (tmp_path / "video" / "manifest.csv").write_text("file,label,split,source,group\na.mp4,,train,s,g\n")

    with pytest.raises(ConfigError, match="1 clips whose label"):
        load_clips(tmp_path, network, cache=tmp_path)


def test_a_trained_fusion_model_is_served_and_never_below_one_modality(data: Path, video: dict[str, Figures]) -> None:
    assert "test" in video
    save_text(data / "models" / "text")
    loop = LoopConfig(epochs=1, batch_size=32, learning_rate=1e-3, weight_decay=0.0, average_decay=0.5)

    figures = train_fusion(
        FusionTraining(
            data=data,
            out=data / "models" / "fusion",
            models=data / "models",
            cache=data / "cache",
            loop=loop,
            dim=8,
            sources=("vi_captions", "en_captions"),
            train_pairs=64,
            validation_pairs=64,
        )
    )

    for name in ("text", "video"):
        fused, own = (
            figures[f"test, {name} label: fusion given {name} only"],
            figures[f"test, {name} label: {name} model"],
        )
        assert fused == own
    assert load_bundle(data / "models").fusion is not None


def _logits(network: MotionVideoModel, features: NDArray[np.float32]) -> NDArray[np.float32]:
    with torch.inference_mode():
        logits: NDArray[np.float32] = network.head(torch.from_numpy(features))[:, 0].numpy()
    return logits
