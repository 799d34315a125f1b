import re

import pytest

from core.events import Segment
from dashboard.charts import heat_step, heat_strip, sparkline


def test_the_highest_bar_fills_the_height_and_the_lowest_stays_visible() -> None:
    assert re.findall(r"height:(\d+)%", sparkline([0, 5, 10], meaning="rate")) == ["4", "50", "100"]
    assert re.findall(r"height:(\d+)%", sparkline([0, 0], meaning="rate")) == ["4", "4"]


@pytest.mark.parametrize(("value", "step"), [(0.0, 0), (0.19, 0), (0.2, 1), (0.99, 4), (1.0, 4), (-1.0, 0), (2.0, 4)])
def test_shades_cover_the_whole_scale(value: float, step: int) -> None:
    assert heat_step(value) == step


def test_a_strip_is_as_wide_as_its_stretches_are_long_and_marks_the_worst() -> None:
    segments = [Segment(start_s=0, end_s=2, score=0.1), Segment(start_s=2, end_s=8, score=0.93)]

    strip = heat_strip(
        segments, says=lambda segment: f"{segment.score} from {segment.start_s}", worst_is="worst {stretch}"
    )

    assert re.findall(r"flex-grow:([\d.]+)", strip) == ["2.00", "6.00"]
    assert strip.count("▲") == 1
    assert "worst 0.93 from 2.0" in strip
