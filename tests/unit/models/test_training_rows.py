"""Rows that join the default ones: other people's labels, and harmless captions of another task."""

import random
from pathlib import Path

import pandas as pd

from models.training.config import TextTraining
from models.training.data import load_captions, with_harmless, with_second_labels
from models.training.noise import disguised

SOURCES = ("vi_vihsd",)


def write(data: Path, name: str, rows: list[tuple[str, str, str]]) -> None:
    """Rows of text, label, split."""
    (data / "text").mkdir(exist_ok=True)
    table = pd.DataFrame(rows, columns=["text", "label", "split"]).assign(category="", lang="vi")
    table.to_parquet(data / "text" / f"{name}.parquet")


def config(data: Path) -> TextTraining:
    write(
        data,
        "vi_vihsd",
        [(f"{word} {split}", label, split)
         for split in ("train", "validation", "test") for word, label in (("kind", "safe"), ("vile", "harmful"))],
    )  # fmt: skip
    return TextTraining(data=data, out=data / "out", second_weight=0.25)


def test_other_peoples_labels_of_training_captions_move_the_target_by_their_weight(tmp_path: Path) -> None:
    asked = config(tmp_path)
    write(
        tmp_path,
        "vi_vithsd_second_labels",
        [("kind train", "harmful", "train"), ("vile train", "harmful", "train"), ("vile train", "safe", "test")],
    )
    train = load_captions(tmp_path, "train", sources=SOURCES, random_state=0)

    both = with_second_labels(train, asked)

    targets = dict(zip(both.table["text"], both.targets[:, 0].tolist(), strict=True))
    assert targets == {"kind train": 0.25, "vile train": 1.0}
    assert both.harmful.tolist() == train.harmful.tolist()


def test_harmless_captions_join_unless_they_are_copies_of_measured_ones(tmp_path: Path) -> None:
    asked = config(tmp_path)
    write(
        tmp_path,
        "vi_vispam_reviews",
        [("good rice", "safe", "train"), ("fake rice", "harmful", "train"), ("old rice", "safe", "test"),
         ("KÍND   test!!", "safe", "train")],
    )  # fmt: skip
    parts = {split: load_captions(tmp_path, split, sources=SOURCES, random_state=0) for split in ("train", "test")}

    joined = with_harmless(parts["train"], asked, measured=(parts["test"],))

    assert sorted(joined.table["text"]) == ["good rice", "kind train", "vile train"]
    assert not joined.harmful[joined.table["text"] == "good rice"].any()


def test_data_without_those_sources_stays_as_it_is(tmp_path: Path) -> None:
    asked = config(tmp_path)
    train = load_captions(tmp_path, "train", sources=SOURCES, random_state=0)

    assert with_harmless(with_second_labels(train, asked), asked, measured=()) is train


def test_a_comment_is_also_read_without_the_title_it_answers() -> None:
    rng = random.Random(1)
    read = {disguised("a title [SEP] a comment", rng, language="en") for _ in range(40)}

    assert any("SEP" in text for text in read)
    assert any("SEP" not in text and "title" not in text for text in read)
