import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.errors import ConfigError
from models.evaluation.card import card_section, write_card
from models.evaluation.examples import MOST, worst_examples
from models.evaluation.figures import Answers
from models.evaluation.folder import EXAMPLES, write_evaluation
from models.evaluation.report import FILE_NAME, Report, read_report
from models.evaluation.request import Request
from models.evaluation.rows import read_caption_sets
from models.evaluation.run import Evaluated, evaluate_model

WORD = "unmistakable"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    (folder / "text").mkdir()
    rows = [
        (f"{WORD} {number} {'meadow' * (number % 9)}", ("safe", "harmful")[number % 3 == 0], "", "en", "test")
        for number in range(60)
    ]
    for source in ("en_small", "en_hatecheck"):
        table = pd.DataFrame(rows, columns=["text", "label", "category", "lang", "split"])
        table.to_parquet(folder / "text" / f"{source}.parquet")
    return folder


@pytest.fixture(scope="module")
def evaluated(data: Path) -> Evaluated:
    return evaluate_model(Request(model="text", data=data, champion="text"))


def test_a_model_is_scored_as_served_and_beside_a_champion(evaluated: Evaluated) -> None:
    report = evaluated.report

    assert list(report.sets) == ["test", "en_hatecheck"]
    assert report.main.n == 60
    assert report.main.threshold == report.threshold
    assert [rival.on for rival in report.rivals] == ["test", "en_hatecheck"]
    assert report.rivals[0].comparison.ap.value == 0


def test_a_report_survives_json_with_its_main_set_first(evaluated: Evaluated) -> None:
    text = evaluated.report.to_json()

    assert Report.from_json(text) == evaluated.report
    assert next(iter(json.loads(text)["sets"])) == "test"


def test_the_folder_holds_report_pictures_and_examples(evaluated: Evaluated, tmp_path: Path) -> None:
    write_evaluation(evaluated, tmp_path / "out")

    text = (tmp_path / "out" / "report.md").read_text()
    pictures = sorted(path.name for path in (tmp_path / "out").glob("*.svg"))
    assert len(pictures) == 6
    assert all(f"]({name})" in text for name in pictures)
    assert "champion text:" in text
    assert read_report(tmp_path / "out") == evaluated.report
    assert WORD in (tmp_path / "out" / EXAMPLES).read_text()


def test_what_people_wrote_is_in_the_examples_only(evaluated: Evaluated, tmp_path: Path) -> None:
    write_evaluation(evaluated, tmp_path)

    assert not [path.name for path in tmp_path.iterdir() if path.name != EXAMPLES and WORD in path.read_text()]


def test_the_same_evaluation_draws_the_same_pictures(evaluated: Evaluated, tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_evaluation(evaluated, tmp_path / name)

    for picture in (tmp_path / "one").glob("*.svg"):
        assert picture.read_bytes() == (tmp_path / "two" / picture.name).read_bytes()


def test_the_card_shows_every_set_with_its_intervals_and_calibration(evaluated: Evaluated) -> None:
    card = card_section(evaluated.report)

    ap = evaluated.report.main.figures.ap
    assert card.startswith("## Evaluation on test\n")
    assert f"| test | 60 (20) | {ap.value:.3f} ({ap.low:.3f} to {ap.high:.3f}) |" in card
    assert "### Calibration" in card
    assert "source: en_small" in card


def test_a_card_holds_the_last_evaluation_once_and_keeps_the_rest(evaluated: Evaluated, tmp_path: Path) -> None:
    card = tmp_path / "README.md"
    card.write_text("# Model\n\n## Data\n\nSome.\n\n## Limits\n\n- One.\n")

    for split in ("gate", "test"):
        write_card(replace(evaluated.report, split=split), tmp_path)

    parts = [line for line in card.read_text().splitlines() if line.startswith("## ")]
    assert parts == ["## Data", "## Evaluation on test", "## Limits"]
    assert card.read_text().endswith("## Limits\n\n- One.\n")


def test_a_model_without_a_card_gets_one(evaluated: Evaluated, tmp_path: Path) -> None:
    write_card(evaluated.report, tmp_path)

    assert (tmp_path / "README.md").read_text().startswith(f"# Model {evaluated.report.model}\n\n## Evaluation on test")


def test_examples_are_the_surest_mistakes(data: Path) -> None:
    rows, _ = read_caption_sets(data, "test")
    probabilities = np.linspace(0, 1, len(rows))

    worst = worst_examples(rows, Answers(probabilities, 0.5))

    alarms, misses = (worst[worst["kind"] == kind] for kind in ("false alarm", "miss"))
    assert set(alarms["label"]) == {"safe"}
    assert alarms["probability"].is_monotonic_decreasing
    assert set(misses["label"]) == {"harmful"}
    assert misses["probability"].is_monotonic_increasing
    assert len(worst) <= 2 * MOST


def test_a_spreadsheet_runs_no_text_of_the_examples(evaluated: Evaluated, tmp_path: Path) -> None:
    examples = pd.DataFrame({"set": ["test"], "text": ["=1+1"]})

    write_evaluation(replace(evaluated, examples=[examples]), tmp_path)

    assert (tmp_path / EXAMPLES).read_text() == "set,text\ntest,'=1+1\n"


def test_a_champion_of_another_modality_is_refused(data: Path) -> None:
    with pytest.raises(ConfigError, match="is a video model, not text"):
        evaluate_model(Request(model="text", data=data, champion="video"))


def test_a_data_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is no folder"):
        evaluate_model(Request(model="text", data=tmp_path / "none"))


def test_a_folder_without_a_report_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"holds no {FILE_NAME}"):
        read_report(tmp_path)
