import pytest

from core.errors import ConfigError
from operations.commands.retrain import seconds


def test_a_length_of_time_is_read_with_its_unit() -> None:
    assert [seconds(text) for text in ("90s", "30m", "1h", "2d")] == [90, 1800, 3600, 172_800]


@pytest.mark.parametrize("text", ["1", "h", "0m", "-1h", "1.5h", "1 h"])
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="--watch"):
        seconds(text)
