import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    BertModel,
    PreTrainedTokenizerFast,
    TimesformerConfig,
    TimesformerForVideoClassification,
    VideoMAEConfig,
    VideoMAEForVideoClassification,
    XLMRobertaConfig,
    XLMRobertaForSequenceClassification,
)

from core.errors import ConfigError
from core.media.protocol import Resize
from models.bundle import STARTER, Bundle, load_bundle
from models.networks.fusion import CrossFusionConfig, CrossFusionModel
from models.networks.loading import fingerprint
from models.tokens import CaptionTokenizer

Config = dict[str, Any]

TINY: Config = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 40,
}
TINY_VIDEO: Config = {key: TINY[key] for key in list(TINY)[:4]}
TINY_VIDEO |= {"image_size": 32, "patch_size": 16, "num_frames": 4}
WHOLE = torch.ones(1, 5, dtype=torch.long)


def save_tokenizer(folder: Path) -> None:
    tokenizer = Tokenizer(WordLevel({"<pad>": 0, "<unk>": 1, "hello": 2}, unk_token="<unk>"))
    fast = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]  # transformers' own
        tokenizer_object=tokenizer, unk_token="<unk>", pad_token="<pad>"
    )
    fast.save_pretrained(folder)


def save_bert(folder: Path, config: Config) -> None:
    BertForSequenceClassification(BertConfig(**TINY, vocab_size=30, **config)).save_pretrained(folder)
    save_tokenizer(folder)


def save_xlmr(folder: Path, config: Config) -> None:
    XLMRobertaForSequenceClassification(XLMRobertaConfig(**TINY, vocab_size=30, **config)).save_pretrained(folder)
    save_tokenizer(folder)


def save_videomae(folder: Path, config: Config) -> None:
    VideoMAEForVideoClassification(VideoMAEConfig(**(TINY_VIDEO | config))).save_pretrained(folder)


def save_timesformer(folder: Path, config: Config) -> None:
    TimesformerForVideoClassification(TimesformerConfig(**(TINY_VIDEO | config))).save_pretrained(folder)


@torch.inference_mode()
@pytest.mark.parametrize("save", [save_bert, save_xlmr])
def test_a_binary_checkpoint_is_the_harmful_label(tmp_path: Path, save: Callable[..., None]) -> None:
    save(tmp_path / "text", {"num_labels": 2})

    bundle = load_bundle(tmp_path)

    assert bundle.served.labels == {"text": ("harmful",)}
    assert bundle.text is not None
    ids = torch.randint(3, 30, (1, 5))
    out = bundle.text(ids, WHOLE)
    expected = bundle.text.model(input_ids=ids, attention_mask=WHOLE).logits.softmax(1)[:, 1:]  # type: ignore[attr-defined]
    assert torch.allclose(out.probabilities, expected)
    assert (out.states.shape, out.state_mask.shape, out.token_scores.shape) == ((1, 5, 16), (1, 5), (1, 5))
    assert CaptionTokenizer(bundle.served.tokenizer_json, bundle.served.max_tokens).encode("hello").ids == (2,)


@torch.inference_mode()
def test_a_multi_label_checkpoint_keeps_its_labels(tmp_path: Path) -> None:
    labels = {0: "hate", 1: "Harassment", 2: "spam"}
    save_bert(tmp_path / "text", {"id2label": labels, "problem_type": "multi_label_classification"})

    bundle = load_bundle(tmp_path)

    assert bundle.served.labels == {"text": ("hate", "harassment", "spam")}
    assert bundle.served.model_version.endswith("|video:-|fusion:-")
    assert bundle.text is not None
    assert bundle.text(torch.randint(3, 30, (1, 5)), WHOLE).probabilities.shape == (1, 3)


@torch.inference_mode()
@pytest.mark.parametrize(("save", "moments"), [(save_videomae, 2), (save_timesformer, 4)])
def test_a_video_checkpoint_is_served_with_its_own_pixels(
    tmp_path: Path, save: Callable[..., None], moments: int
) -> None:
    save(tmp_path / "video", {"num_labels": 2})
    preprocessor = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.25, 0.25, 0.25], "do_center_crop": True}
    (tmp_path / "video" / "preprocessor_config.json").write_text(json.dumps(preprocessor))

    bundle = load_bundle(tmp_path)

    clip = bundle.served.clip
    assert (clip.num_frames, clip.size_px, clip.resize) == (4, 32, Resize.CROP)
    assert bundle.video is not None
    clips = torch.randint(0, 256, (2, 4, 32, 32, 3), dtype=torch.uint8)
    out = bundle.video(clips)
    pixels = ((clips.float() / 255 - 0.5) / 0.25).permute(0, 1, 4, 2, 3)
    expected = bundle.video.model(pixel_values=pixels).logits.softmax(1)[:, 1:]  # type: ignore[attr-defined]
    assert torch.allclose(out.probabilities, expected, atol=1e-5)
    assert (out.states.shape, out.frame_scores.shape) == ((2, moments, 16), (2, 4))


@torch.inference_mode()
def test_each_state_is_of_its_own_moment_where_tokens_lie_patch_by_patch(tmp_path: Path) -> None:
    # Without layers nothing is mixed: a state is what was embedded.
    save_timesformer(tmp_path / "video", {"num_labels": 2, "num_hidden_layers": 0})
    bundle = load_bundle(tmp_path)
    assert bundle.video is not None
    calm = torch.zeros(1, 4, 32, 32, 3, dtype=torch.uint8)
    flash = calm.clone()
    flash[:, 3] = 255

    moved = (bundle.video(flash).states - bundle.video(calm).states).abs().sum(2)[0] > 1e-4

    assert moved.nonzero().flatten().tolist() == [3]


@torch.inference_mode()
@pytest.mark.parametrize("save", [save_bert, save_xlmr])
def test_the_longest_caption_allowed_can_be_scored(tmp_path: Path, save: Callable[..., None]) -> None:
    save(tmp_path / "text", {})

    bundle = load_bundle(tmp_path)

    assert bundle.text is not None
    ids = torch.full((1, bundle.served.max_tokens), 5)
    assert torch.isfinite(bundle.text(ids, torch.ones_like(ids)).probabilities).all()


def test_a_checkpoint_without_its_classifier_is_refused(tmp_path: Path) -> None:
    BertModel(BertConfig(**TINY, vocab_size=30)).save_pretrained(tmp_path / "text")
    save_tokenizer(tmp_path / "text")

    with pytest.raises(ConfigError, match="weights are missing"):
        load_bundle(tmp_path)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: (folder / "config.json").write_text("{"),
        lambda folder: (folder / "config.json").write_text('{"model_type": "no-such-model"}'),
        lambda folder: (folder / "config.json").write_text('{"model_type": "bert", "hidden_size": "many"}'),
        lambda folder: (folder / "config.json").unlink(),
        lambda folder: (folder / "model.safetensors").write_bytes(b"no weights"),
        lambda folder: (folder / "model.safetensors").unlink(),
        lambda folder: (folder / "tokenizer.json").unlink(),
    ],
)
def test_a_spoilt_folder_is_refused_in_one_line(tmp_path: Path, spoil: Callable[[Path], object]) -> None:
    save_bert(tmp_path / "text", {})
    (tmp_path / "text" / "tokenizer_config.json").unlink()
    spoil(tmp_path / "text")

    with pytest.raises(ConfigError) as refusal:
        load_bundle(tmp_path)

    assert "\n" not in str(refusal.value)
    assert str(tmp_path) in str(refusal.value)


def test_a_folder_without_models_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="neither text/ nor video/"):
        load_bundle(tmp_path)


def test_fusion_over_other_models_is_left_out(tmp_path: Path) -> None:
    save_bert(tmp_path / "text", {})
    save_videomae(tmp_path / "video", {})
    over = {name: fingerprint(tmp_path / name) for name in ("text", "video")}
    config = CrossFusionConfig(text_dim=16, video_dim=16, trained_over=over, passed_gate=True, clipwarden_version="7")
    CrossFusionModel(config).save_pretrained(tmp_path / "fusion")

    matching = load_bundle(tmp_path)
    save_bert(tmp_path / "text", {})
    other = load_bundle(tmp_path)

    assert matching.fusion is not None
    assert matching.served.fusion_passed_gate
    assert matching.served.model_version.endswith("|fusion:7")
    assert other.fusion is None
    assert not other.served.fusion_passed_gate


@pytest.fixture(scope="module")
def starter() -> Bundle:
    return load_bundle(STARTER)


class TestStarter:
    def test_all_three_load_and_name_themselves(self, starter: Bundle) -> None:
        served = starter.served

        assert served.model_version == "text:starter-5|video:starter-2|fusion:starter-3"
        assert served.labels == {
            "text": ("harmful", "hate", "harassment"),
            "video": ("harmful", "violence"),
            "fusion": ("harmful",),
        }

    @torch.inference_mode()
    @pytest.mark.parametrize(
        ("caption", "verdict"),
        [
            ("Like and share", "safe"),
            ("make a cake", "safe"),
            ("#keto", "safe"),
            ("kẹo dừa cho bé", "safe"),
            ("hello", "safe"),
            ("đồ ngu, cút đi", "harmful"),
            ("do ngu, cut di", "harmful"),
            ("you are a stupid bitch", "harmful"),
        ],
    )
    def test_plain_captions_are_told_apart(self, starter: Bundle, caption: str, verdict: str) -> None:
        ids = CaptionTokenizer(starter.served.tokenizer_json, starter.served.max_tokens).encode(caption).ids
        assert starter.text is not None

        score = starter.text(torch.tensor([ids]), torch.ones(1, len(ids), dtype=torch.long)).probabilities[0, 0]

        assert ("harmful" if score > 0.5 else "safe") == verdict

    @torch.inference_mode()
    def test_what_is_highlighted_is_the_insult(self, starter: Bundle) -> None:
        caption = "hôm nay trời đẹp mà thằng này ngu quá"
        encoded = CaptionTokenizer(starter.served.tokenizer_json, starter.served.max_tokens).encode(caption)
        assert starter.text is not None

        out = starter.text(torch.tensor([encoded.ids]), torch.ones(1, len(encoded.ids), dtype=torch.long))

        start, end = encoded.offsets[int(out.token_scores[0].argmax())]
        assert caption.index("ngu") <= start < end <= caption.index("ngu") + len("ngu")

    @torch.inference_mode()
    def test_bf16_and_fp32_agree(self) -> None:
        bundle = load_bundle(STARTER)
        clip = bundle.served.clip
        clips = torch.randint(0, 256, (1, clip.num_frames, clip.size_px, clip.size_px, 3), dtype=torch.uint8)
        assert bundle.video is not None
        full = bundle.video(clips).probabilities

        bundle.to("cpu", torch.bfloat16)

        assert torch.allclose(bundle.video(clips).probabilities, full, atol=0.05)
