from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from core.errors import ConfigError
from core.labels import Modality
from models.training.loop import Progress, Step, StepReport
from models.training.progress import ProgressBar
from models.training.recipes import DEFAULTS, TextRecipe, load_recipe, shipped_recipes
from models.training.train import train

GOOD = 'modality = "text"\nbase = "somebody/encoder"\nepochs = 2\nbatch_size = 8\nlearning_rate = 1e-5\n'


@pytest.mark.parametrize("name", shipped_recipes())
def test_every_shipped_recipe_can_be_read(name: str) -> None:
    recipe = load_recipe(name)

    assert recipe.modality.value == name.partition("-")[0]


def test_all_six_encoders_are_shipped() -> None:
    kinds = {"text-xlm-r", "text-cafebert", "text-distilbert", "video-videomae", "video-timesformer", "video-vivit"}

    assert set(shipped_recipes()) == kinds >= set(DEFAULTS.values())


def test_a_file_is_a_recipe_and_base_comes_before_it(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD + 'sources = ["a", "b"]\nrevision = "abc"\n')

    recipe = load_recipe(str(path))
    other = load_recipe(str(path), base="folder")

    assert isinstance(recipe, TextRecipe)
    assert (recipe.base, recipe.sources, recipe.learning_rate) == ("somebody/encoder", ("a", "b"), 1e-5)
    assert (other.base, other.revision) == ("folder", "main"), "a revision is one of its own base"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (GOOD + "learning_rte = 1.0\n", "learning_rte"),
        (GOOD.replace("= 8", '= "8"'), "batch_size"),
        (GOOD.replace("= 8", "= 8.5"), "batch_size"),
        (GOOD.replace("= 2", "= 0"), "epochs"),
        (GOOD + 'precision = "int3"\n', "precision"),
        (GOOD + "flip_share = 0.5\n", "flip_share"),
        (GOOD.replace('base = "somebody/encoder"\n', ""), "base"),
        (GOOD.replace('"text"', '"sound"'), "modality"),
        (GOOD.replace('modality = "text"\n', ""), "modality"),
        (GOOD + "day = 2026-01-01\n", "day"),
        ("epochs = \n", "no TOML"),
    ],
)
def test_a_wrong_option_is_named_with_its_file_in_one_line(tmp_path: Path, text: str, named: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)

    with pytest.raises(ConfigError) as refusal:
        load_recipe(str(path))

    line = str(refusal.value)
    assert str(path) in line
    assert named in line
    assert "\n" not in line


def test_a_recipe_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(ConfigError, match=r"no recipe text-gpt .* text-cafebert"):
        load_recipe("text-gpt")


def test_a_recipe_of_another_modality_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="a recipe for text, not video"):
        train(Modality.VIDEO, data=tmp_path, out=tmp_path / "out", recipe=load_recipe("text-xlm-r"))


def test_the_bar_counts_steps_over_all_epochs() -> None:
    text = StringIO()
    bar = ProgressBar("text", Console(file=text, force_terminal=True, width=120))

    with bar:
        bar.step(Step(epoch=0, epochs=2, done=1, steps=4, loss=0.5))
        bar(Progress(1, 2, 0.5, 0.75, 0.75, 1.0))
        bar.step(Step(epoch=1, epochs=2, done=2, steps=4, loss=0.25))

    assert isinstance(bar, StepReport)
    assert "text epoch 2/2: loss 0.250, validation 0.750 (best 0.750)" in text.getvalue()
    assert "75%" in text.getvalue()
