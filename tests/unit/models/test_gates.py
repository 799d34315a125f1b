import math

import pytest

from core.labels import Modality
from models.gates import BARS, Measured, failures


def measured(value: float, data: str = "a") -> Measured:
    return Measured({"gate.macro_f1": value}, data)


@pytest.mark.parametrize("modality", list(Modality))
def test_a_first_champion_must_reach_the_bar(modality: Modality) -> None:
    bar = BARS[modality]

    assert failures(modality, measured(bar), None) == []
    assert f"{0.01:.4f} short" in failures(modality, measured(bar - 0.01), None)[0]


def test_a_challenger_must_beat_the_champion_and_is_told_by_how_much_it_does_not() -> None:
    champion = measured(0.82)

    assert failures(Modality.TEXT, measured(0.83), champion) == []
    assert "0.0200 worse" in failures(Modality.TEXT, measured(0.80), champion)[0]
    assert failures(Modality.TEXT, measured(0.82), champion)


def test_figures_of_other_data_are_not_compared() -> None:
    assert "the champion on b" in failures(Modality.TEXT, measured(0.9, "a"), measured(0.8, "b"))[0]


@pytest.mark.parametrize("figures", [{}, {"test.macro_f1": 0.99}, {"gate.macro_f1": math.nan}])
def test_without_a_figure_on_the_gate_split_nothing_passes(figures: dict[str, float]) -> None:
    assert failures(Modality.VIDEO, Measured(figures), None)
