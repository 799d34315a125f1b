import pytest

from core.errors import ConfigError
from models.training.recipes import TextRecipe
from operations.commands.train import What, recipe_of


def test_a_base_alone_is_trained_by_the_default_recipe() -> None:
    recipe = recipe_of(What.TEXT, None, "somebody/encoder")

    assert isinstance(recipe, TextRecipe)
    assert recipe.base == "somebody/encoder"


def test_without_recipe_and_base_the_own_network_is_trained() -> None:
    assert recipe_of(What.VIDEO, None, None) is None


@pytest.mark.parametrize("what", [What.FUSION, What.STARTER])
def test_fusion_has_no_recipe(what: What) -> None:
    with pytest.raises(ConfigError, match="text or video, not"):
        recipe_of(what, "text-xlm-r", None)
