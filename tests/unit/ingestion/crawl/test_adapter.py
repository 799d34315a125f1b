import pytest

from core.errors import ConfigError
from ingestion.crawl.adapter import MAX_TAG_CHARS, check_tag


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("#cats", "cats"),
        (" tín_dụng_đen ", "tín_dụng_đen"),
        ("ti\u0301n", "tín"),
        ("ภาษาไทย", "ภาษาไทย"),
        ("2026", "2026"),
    ],
)
def test_a_hashtag_of_any_language_has_one_spelling(given: str, name: str) -> None:
    assert check_tag(given) == name


@pytest.mark.parametrize(
    "given",
    ["", "#", "a b", "../up", "cats?x", "cats#x", "a/b", "a%2fb", "<b>", "a\nb", "a\u202eb", "x" * (MAX_TAG_CHARS + 1)],
)
def test_odd_characters_are_refused_before_anything_is_opened(given: str) -> None:
    with pytest.raises(ConfigError, match="is no hashtag"):
        check_tag(given)
