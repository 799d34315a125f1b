"""clipwarden models evaluate, as a person gives it, on the starter text model."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

COMMAND = str(Path(sys.executable).with_name("clipwarden"))
SECRET = "zebra crossing"


def evaluate(*arguments: str | Path, cwd: Path) -> "subprocess.CompletedProcess[str]":
    command = (COMMAND, "models", "evaluate", *map(str, arguments))
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=110, check=False)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "text").mkdir()
    rows = [(f"{SECRET} {number}", ("safe", "harmful")[number % 2], "", "en", "test") for number in range(40)]
    table = pd.DataFrame(rows, columns=["text", "label", "category", "lang", "split"])
    table.to_parquet(tmp_path / "text" / "en_small.parquet")
    return tmp_path


def test_it_prints_one_json_object_and_writes_its_folder(data: Path) -> None:
    result = evaluate("text", "--data", data, "--json", cwd=data)

    assert result.returncode == 0, result.stderr
    body = json.loads(result.stdout)
    (out,) = (data / "evaluations").iterdir()
    assert body == json.loads((out / "evaluation.json").read_text())
    assert (body["sets"]["test"]["n"], body["sets"]["test"]["harmful"]) == (40, 20)


def test_the_screen_shows_figures_and_no_text_of_the_data(data: Path) -> None:
    result = evaluate("text", "--data", data, "--champion", "text", "--out", data / "out", cwd=data)

    assert result.returncode == 0, result.stderr
    assert not result.stdout
    assert SECRET not in result.stderr
    assert "macro-F1" in result.stderr
    assert "unmarked: not told apart" in result.stderr
    assert SECRET in (data / "out" / "examples.csv").read_text()


def test_a_wrong_request_is_one_line_and_exit_code_2(data: Path) -> None:
    result = evaluate("text", "--data", data, "--split", "gate", cwd=data)

    assert result.returncode == 2
    assert "no rows of split 'gate'; it has test" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
