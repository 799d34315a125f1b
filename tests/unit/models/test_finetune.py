"""Tiny encoders with random weights, as folders: what is trained, saved and served is asked here, not how well."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    TimesformerConfig,
    TimesformerForVideoClassification,
    VideoMAEConfig,
    VideoMAEForVideoClassification,
    VivitConfig,
    VivitForVideoClassification,
    XLMRobertaConfig,
    XLMRobertaForMaskedLM,
    XLMRobertaTokenizer,
)

from core.errors import ConfigError
from core.labels import Modality
from core.media.decode import decode_clip
from core.media.protocol import ClipTarget, MediaLimits
from models.bundle import load_bundle
from models.evaluation.model import load_model
from models.evaluation.scoring import score_captions, score_clips
from models.networks.loading import clip_spec, load_text, load_video, read_tokenizer
from models.tokens import CaptionTokenizer
from models.training import loop
from models.training.data import load_captions
from models.training.evaluate import Figures, measure
from models.training.examples import caption_examples, clip_examples
from models.training.finetune import class_weights, finetune, finetune_task
from models.training.foundation import load_text_foundation, load_video_foundation
from models.training.loop import Progress
from models.training.recipes import Finetuning, Recipe, TextRecipe, VideoRecipe
from models.training.train import train

TINY: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "hidden_dropout_prob": 0.1,
}
CLIP: dict[str, Any] = {"image_size": 32, "num_frames": 4}
VIDEO: dict[str, Callable[[], Any]] = {
    "videomae": lambda: VideoMAEForVideoClassification(VideoMAEConfig(**TINY, **CLIP, patch_size=16)),
    "timesformer": lambda: TimesformerForVideoClassification(TimesformerConfig(**TINY, **CLIP, patch_size=16)),
    "vivit": lambda: VivitForVideoClassification(VivitConfig(**TINY, **CLIP, tubelet_size=[2, 16, 16])),
}
LIMITS = MediaLimits(max_bytes=10**7, max_pixels=10**6, max_duration_s=60, min_distinct_frames=1)
PIECES = ["▁good", "▁bad", "▁day", "▁dog", "▁of", "▁train", "▁test", "▁"] + [chr(ord("a") + n) for n in range(26)]


def save_encoder(folder: Path) -> Path:
    """As published: without a classifier, and with the tokenizer's own class."""
    words = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    words += [(piece, -float(number + 1)) for number, piece in enumerate(PIECES)]
    torch.manual_seed(0)
    config = XLMRobertaConfig(**TINY, vocab_size=len(words) + 1, max_position_embeddings=40)
    XLMRobertaForMaskedLM(config).save_pretrained(folder)
    XLMRobertaTokenizer(vocab=words).save_pretrained(folder)
    return folder


def write_captions(data: Path, *, suffix: str = ".csv") -> None:
    rows = [
        (f"{word} {'xyz'[number % 3]} of {split} {'abcdefgh'[number]}", label, "", "en", split)
        for split in ("train", "validation", "test")
        for number in range(8)
        for word, label in (("good day", "safe"), ("BAD dog", "harmful"))
    ]
    table = pd.DataFrame(rows, columns=["text", "label", "category", "lang", "split"])
    (data / "text").mkdir(parents=True, exist_ok=True)
    path = data / "text" / f"en_own{suffix}"
    table.to_csv(path, index=False) if suffix == ".csv" else table.to_parquet(path)


def write_clip(path: Path, shade: int) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=8)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(6):
            picture = np.full((48, 64, 3), shade + 5 * number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """What is this small is slower on several."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_captions(folder)
    (folder / "video").mkdir()
    rows = []
    for split in ("train", "validation", "test"):
        for number, (label, shade) in enumerate([("safe", 20), ("harmful", 190)] * 2):
            name = f"{split}-{number}.mp4"
            write_clip(folder / "video" / name, shade + 9 * number)
            rows.append((name, label, split, "own", f"{split}-{number}"))
    manifest = pd.DataFrame(rows, columns=["file", "label", "split", "source", "group"])
    manifest.to_csv(folder / "video" / "manifest.csv", index=False)
    save_encoder(folder / "encoder")
    return folder


def text_recipe(data: Path, **options: object) -> TextRecipe:
    known: dict[str, Any] = {
        "epochs": 3,
        "batch_size": 4,
        "learning_rate": 1e-2,
        "average_decay": 0.5,
        "sources": ("en_own",),
    }
    return TextRecipe(**({"modality": Modality.TEXT, "base": str(data / "encoder")} | known | options))


def video_recipe(base: Path, **options: object) -> VideoRecipe:
    known: dict[str, Any] = {"epochs": 2, "batch_size": 2, "learning_rate": 1e-3, "average_decay": 0.5}
    return VideoRecipe(modality=Modality.VIDEO, base=str(base), **(known | options))


def place(data: Path, out: Path, recipe: Recipe) -> Finetuning:
    return Finetuning(data=data, out=out, version="f1", cache=out.parent / "cache", recipe=recipe)


@pytest.fixture(scope="module")
def text(data: Path) -> tuple[Path, dict[str, Figures]]:
    out = data / "models" / "text"
    return out, finetune(place(data, out, text_recipe(data)))


def test_a_fine_tuned_encoder_serves_what_its_training_measured(text: tuple[Path, dict[str, Figures]]) -> None:
    out, figures = text
    model = load_model(out)
    captions = load_captions(out.parents[1], "test", sources=("en_own",), random_state=0)

    said = score_captions(model, captions.table["text"].tolist())

    assert measure(captions.harmful, said, model.threshold) == figures["test"] == figures["en pooled"]
    assert figures["test"].macro_f1 == 1.0
    assert load_bundle(out.parent).served.model_version == "text:f1|video:-|fusion:-"


def test_what_validation_chose_is_stored_and_served(text: tuple[Path, dict[str, Figures]]) -> None:
    out, _ = text
    loaded = load_text(out)
    ids = torch.tensor([[0, 5, 6, 2]])

    with torch.inference_mode():
        logit = loaded.network.harm(ids, torch.ones_like(ids))
        said = loaded.network(ids, torch.ones_like(ids)).probabilities

    bias, temperature = loaded.config.calibration_bias, loaded.config.calibration_temperature
    assert (loaded.labels, loaded.config.thresholds) == (("harmful",), {"harmful": 0.5})
    assert bias != 0
    assert torch.allclose(said, torch.sigmoid((logit + bias) / temperature))


def test_a_card_holds_the_whole_recipe(text: tuple[Path, dict[str, Figures]]) -> None:
    card = (text[0] / "README.md").read_text()

    assert all(f"\n{name} = " in card for name in TextRecipe.model_fields)


def test_training_reads_the_ids_that_serving_reads(data: Path, text: tuple[Path, dict[str, Figures]]) -> None:
    foundation = load_text_foundation(text_recipe(data))
    short = load_text_foundation(text_recipe(data, max_tokens=8))
    captions = load_captions(data, "train", sources=("en_own",), random_state=0)
    served = CaptionTokenizer(*read_tokenizer(text[0], load_text(text[0]).config))

    trained, mask = caption_examples(captions, foundation.tokenizer).read(torch.arange(len(captions)))

    for row, caption in enumerate(captions.table["text"]):
        assert tuple(trained[row][mask[row] > 0].tolist()) == served.encode(caption).ids
        assert len(short.tokenizer.encode(caption).ids) == 8
    assert served.encode("BAAAD d.o.g").ids == served.encode("bad dog").ids, "one spelling, inside the tokenizer"


@pytest.mark.parametrize("kind", VIDEO)
def test_a_fine_tuned_clip_encoder_serves_what_its_training_measured(data: Path, tmp_path: Path, kind: str) -> None:
    torch.manual_seed(0)
    VIDEO[kind]().save_pretrained(tmp_path / kind)
    (tmp_path / kind / "preprocessor_config.json").write_text('{"image_mean": [0.4, 0.5, 0.6], "offset": true}')
    recipe = video_recipe(tmp_path / kind)

    figures = finetune(place(data, tmp_path / "video", recipe))

    loaded = load_video(tmp_path / "video")
    manifest = pd.read_csv(data / "video" / "manifest.csv").query("split == 'test'")
    paths = [data / "video" / name for name in manifest["file"]]
    said = score_clips(load_model(tmp_path / "video"), paths)
    assert measure((manifest["label"] == "harmful").to_numpy(), said, 0.5) == figures["test"]
    spec, foundation = clip_spec(tmp_path / "video", loaded.config), load_video_foundation(recipe)
    clips = clip_examples(data / "video", foundation.clip, cache=tmp_path)["test"].read(torch.arange(1))[0]
    frames = np.empty(spec.shape, np.uint8)
    decode_clip(paths[0], ClipTarget(spec.num_frames, spec.size_px, spec.resize), LIMITS, out=frames)
    assert spec == foundation.clip
    assert np.array_equal(clips[0].numpy(), frames)
    assert torch.equal(loaded.network._pixels(clips), foundation.network._pixels(clips))


def test_a_killed_run_ends_like_one_that_was_not(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "_SAVE_EVERY_S", 0.0)
    recipe = text_recipe(data, epochs=1, batch_size=2, accumulate=2)

    def start(name: str, *, dies_after: int = 10**6) -> dict[str, torch.Tensor]:
        done = 0

        class Dying:
            def __call__(self, progress: Progress) -> None:
                assert progress.epoch

            def step(self, _: loop.Step) -> None:
                nonlocal done
                done += 1
                if done > dies_after:
                    raise InterruptedError

        finetune(place(data, tmp_path / name / "text", recipe), Dying())
        return load_text(tmp_path / name / "text").network.state_dict()  # type: ignore[no-any-return]

    whole = start("whole")
    with pytest.raises(InterruptedError):
        start("killed", dies_after=2)
    resumed = start("killed")

    assert all(torch.equal(weight, resumed[name]) for name, weight in whole.items())
    assert not list((tmp_path / "killed" / "cache").glob("*.pt")), "what a run left is gone when it ended"


def test_two_batches_of_four_are_a_step_of_eight(data: Path) -> None:
    captions = load_captions(data, "train", sources=("en_own",), random_state=0)
    batch = torch.arange(8)
    steps = []
    for size, accumulate in ((8, 1), (4, 2)):
        recipe = text_recipe(data, batch_size=size, accumulate=accumulate, precision="fp32", epochs=1)
        torch.manual_seed(0)
        foundation = load_text_foundation(recipe)
        examples = caption_examples(captions, foundation.tokenizer)
        splits = {"train": examples, "validation": examples}
        task = finetune_task(recipe, foundation.network, splits, torch.device("cpu"))  # type: ignore[arg-type]
        run = loop.Run(foundation.network.eval(), task, recipe.loop, 1)
        loss = run._take(list(torch.split(batch, size)))
        steps.append(
            (loss, {name: weight.grad.clone() for name, weight in run._weights.items() if weight.grad is not None})
        )

    (one, gradients), (two, others) = steps
    assert one == pytest.approx(two, rel=1e-5)
    assert gradients.keys() == others.keys()
    assert all(torch.allclose(others[name], gradient, atol=1e-5) for name, gradient in gradients.items())


def test_balanced_classes_count_alike() -> None:
    harmful = torch.tensor([True, False, False, False])

    weights = class_weights(harmful, "balanced")

    assert weights.tolist() == pytest.approx([4 / 6, 2.0])
    assert class_weights(harmful, "none").tolist() == [1, 1]


def test_any_table_is_a_source_where_no_default_one_is(data: Path, tmp_path: Path) -> None:
    write_captions(tmp_path, suffix=".parquet")
    recipe = text_recipe(data, sources=(), epochs=1)

    figures = train(Modality.TEXT, data=tmp_path, out=tmp_path / "text", recipe=recipe)

    assert figures["en_own"].n == 16


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: (folder / "model.safetensors").unlink(),
        lambda folder: (folder / "config.json").write_text('{"model_type": "vivit"}'),
        lambda folder: [path.unlink() for path in folder.glob("token*")],
        lambda folder: VIDEO["timesformer"]().save_pretrained(folder),
    ],
)
def test_an_encoder_that_cannot_be_trained_is_refused_in_one_line(
    data: Path, tmp_path: Path, spoil: Callable[[Path], object]
) -> None:
    spoil(save_encoder(tmp_path / "encoder"))

    with pytest.raises(ConfigError, match=r"encoder .* cannot be trained") as refusal:
        load_text_foundation(text_recipe(data, base=str(tmp_path / "encoder")))

    assert "\n" not in str(refusal.value)


def test_an_encoder_with_random_numbers_in_it_is_none(data: Path, tmp_path: Path) -> None:
    folder = save_encoder(tmp_path / "encoder")
    weights = load_file(folder / "model.safetensors")
    save_file({name: value for name, value in weights.items() if "layer.1." not in name}, folder / "model.safetensors")

    with pytest.raises(ConfigError, match="16 weights are missing"):
        load_text_foundation(text_recipe(data, base=str(folder)))
