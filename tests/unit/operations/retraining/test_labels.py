from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from core.errors import ConfigError
from models.training.config import TEXT_SOURCES
from models.training.train import text_sources
from operations.retraining.labels import SPLITS, read_labels, rows_of, split_of, training_folder
from operations.retraining.session import Decision

NOON = datetime(2026, 3, 8, 12, tzinfo=UTC)


def said(decision: str, caption: str | None = "xin chào", *labels: str, has_clip: bool = True) -> Decision:
    return Decision(decision, list(labels), NOON, "vi", caption, has_clip)


def rows(*decisions: Decision) -> list[tuple[str, ...]]:
    columns = ["text", "label", "category", "lang"]
    return list(rows_of(decisions)[columns].itertuples(index=False, name=None))


def test_a_decision_teaches_only_what_it_says_of_the_caption() -> None:
    taught = [
        said("reject", "fine"),
        said("confirm", "hated", "hate"),
        said("confirm", "insulted", "violence", "harassment"),
        said("confirm", "only words", has_clip=False),
    ]
    silent = [said("confirm", "a clip was why"), said("confirm", "blows", "violence", has_clip=False)]

    assert rows(*taught, *silent, said("unsure"), said("reject", None), said("reject", " ")) == [
        ("fine", "safe", "", "vi"),
        ("hated", "harmful", "hate", "vi"),
        ("insulted", "harmful", "offensive", "vi"),
        ("only words", "harmful", "", "vi"),
    ]


def test_of_one_text_the_last_word_counts_and_it_is_on_one_side() -> None:
    decisions = [said("reject", "Same  words"), said("confirm", "same words", "hate")]

    table = rows_of(decisions)

    assert table[["text", "label"]].to_numpy().tolist() == [["same words", "harmful"]]
    assert split_of("Same  words") == split_of("same words") == table["split"][0]


def test_sides_have_their_shares_and_never_the_gate() -> None:
    sides = pd.Series([split_of(f"text {number}") for number in range(5000)]).value_counts(normalize=True)

    assert set(sides.index) == set(SPLITS)
    assert sides["train"] == pytest.approx(0.8, abs=0.02)
    assert sides["test"] == pytest.approx(0.1, abs=0.02)


def test_a_training_folder_has_the_users_data_and_the_reviews_that_measure_nothing(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "text").mkdir(parents=True)
    (data / "video").mkdir()
    own = {"label": "safe", "category": "", "lang": "vi"}
    table = pd.DataFrame([{"text": "Known", "split": "gate", **own}, {"text": "learned", "split": "train", **own}])
    table.to_parquet(data / "text" / "vi_vihsd.parquet")

    made = training_folder(
        data, rows_of([said("reject", text) for text in ("known", "learned", "new")]), tmp_path / "t"
    )

    assert sorted(path.name for path in made.iterdir()) == ["text", "video"]
    assert (made / "text" / "vi_vihsd.parquet").samefile(data / "text" / "vi_vihsd.parquet")
    reviews = pd.read_parquet(made / "text" / "reviews.parquet")
    assert reviews["text"].tolist() == ["learned", "new"]
    assert list(reviews.columns) == ["text", "label", "category", "lang", "split"]
    assert text_sources(made) == (*TEXT_SOURCES, "reviews")
    assert text_sources(data) == TEXT_SOURCES


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_file_of_labels_is_read_and_sided(tmp_path: Path, suffix: str) -> None:
    table = pd.DataFrame({"text": ["một", "two"], "label": ["safe", "harmful"], "lang": ["vi", "en"]})
    path = tmp_path / f"labels{suffix}"
    table.to_csv(path, index=False) if suffix == ".csv" else table.to_parquet(path)

    read = read_labels(path)

    assert read["split"].tolist() == [split_of("một"), split_of("two")]
    assert read["category"].tolist() == ["", ""]


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"text": ["a"], "label": ["safe"]}, "no column lang"),
        ({"text": ["a"], "label": ["bad"], "lang": ["en"]}, "1 rows without a text or a label"),
        ({"text": ["a"], "label": ["safe"], "lang": ["en"], "split": ["gate"]}, "splits other than"),
    ],
)
def test_a_file_that_would_teach_nonsense_is_refused(tmp_path: Path, table: dict[str, list[str]], says: str) -> None:
    path = tmp_path / "labels.csv"
    pd.DataFrame(table).to_csv(path, index=False)

    with pytest.raises(ConfigError, match=says):
        read_labels(path)


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    for name in ("absent.csv", "labels.txt"):
        with pytest.raises(ConfigError, match=name):
            read_labels(tmp_path / name)
