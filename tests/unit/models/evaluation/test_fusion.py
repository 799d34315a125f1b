from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from core.errors import ConfigError
from models.evaluation.late import fit_late_fusions
from models.evaluation.model import Model, load_model
from models.evaluation.pairs import RULES, PairScorer, draw_by_rule, pair_units
from models.training.clips import Clips
from models.training.data import Captions
from models.training.pairs import Pool


def pool(*, captions: int = 40, clips: int = 12, harmful_clips: bool = True) -> Pool:
    languages = ["vi" if row % 2 else "en" for row in range(captions)]
    targets = np.zeros((captions, 3), dtype=np.float32)
    targets[captions // 2 :, 0] = 1
    table = pd.DataFrame({"text": [str(row) for row in range(captions)], "lang": languages})
    labels = ["harmful" if harmful_clips and row % 3 == 0 else "safe" for row in range(clips)]
    manifest = pd.DataFrame({"file": range(clips), "label": labels, "group": [row // 2 for row in range(clips)]})
    states = torch.zeros(clips, 2, 3)
    return Pool(Clips(manifest, states, states), states, Captions(table, targets), [torch.tensor([1])] * captions)


@pytest.mark.parametrize("rule", sorted(RULES))
def test_pairs_follow_their_rule(rule: str) -> None:
    drawn_from = pool()

    pairs = draw_by_rule(drawn_from, rule, 400, random_state=0)

    found = {(bool(caption), bool(clip)) for caption, clip in pairs.harmful.tolist()}
    assert found == set(RULES[rule])
    assert drawn_from.captions.harmful[pairs.caption_rows.numpy()].tolist() == pairs.harmful[:, 0].tolist()
    assert drawn_from.clips.harmful[pairs.clip_rows.numpy()].tolist() == pairs.harmful[:, 1].tolist()
    assert 0.4 < pairs.truth.mean() < 0.6


def test_contradictory_pairs_are_never_harmful_in_both() -> None:
    assert (True, True) not in RULES["contradictory"]
    assert {caption != clip for caption, clip in RULES["same label"]} == {False}


def test_pairs_of_one_camera_are_not_independent() -> None:
    drawn_from = pool()
    pairs = draw_by_rule(drawn_from, "contradictory", 400, random_state=0)

    assert pair_units(drawn_from, pairs).fewest_units(400) == 6


def test_a_split_without_what_a_rule_asks_for_is_refused() -> None:
    with pytest.raises(ConfigError, match="no harmful rows to pair"):
        draw_by_rule(pool(harmful_clips=False), "same label", 10, random_state=0)


def test_late_fusion_gets_the_weight_and_threshold_that_fit() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random(1_000) < 0.5
    telling = np.clip(rng.normal(np.where(truth, 0.4, 0.2), 0.05), 0, 1)
    noise = rng.random(1_000)

    weighted, either = fit_late_fusions(truth, telling, noise)

    share = float(weighted.name.split()[2])
    assert share >= 0.8
    answers = weighted.answer(telling, noise)
    assert ((answers.probabilities >= answers.threshold) == truth).mean() > 0.95
    np.testing.assert_allclose(either.mix(telling, noise), 1 - (1 - telling) * (1 - noise))


def test_fusion_over_other_models_than_those_beside_it_is_refused(tmp_path: Path) -> None:
    fusion = load_model("fusion")
    for name in ("text", "video"):
        (tmp_path / name).symlink_to(load_model(name).folder)
    fusion.loaded.config.trained_over = {"text": "another", "video": "another"}

    with pytest.raises(ConfigError, match="trained over other text and video models"):
        PairScorer(Model(tmp_path / "fusion", fusion.modality, fusion.loaded))
