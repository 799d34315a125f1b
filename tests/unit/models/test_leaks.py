from pathlib import Path

import pandas as pd
import pytest

from core.errors import ConfigError
from models.training.clips import read_manifest
from models.training.data import Split, load_captions
from models.training.leaks import duplicate_key

SECRET = "Đồ ngu như con bò"


def write(data: Path, rows: list[tuple[str, str, str]], *, name: str = "own.csv") -> None:
    (data / "text").mkdir(exist_ok=True)
    table = pd.DataFrame(rows, columns=["text", "label", "split"]).assign(category="", lang="vi")
    table.to_csv(data / "text" / name, index=False) if name.endswith(".csv") else table.to_parquet(data / "text" / name)


def rows(split: str, count: int = 4) -> list[tuple[str, str, str]]:
    return [(f"{label} {split} {number}x", label, split) for label in ("safe", "harmful") for number in range(count)]


def load(data: Path, split: Split = "train") -> int:
    return len(load_captions(data, split, sources=("own",), random_state=0))


@pytest.mark.parametrize(
    "copy", [SECRET, "do ngu nhu con bo", "ĐỒ NGUUUU!!! như con bò", "@ai.do đồ-ngu như  con bò https://a.b/c?d=1"]
)
def test_a_near_copy_in_another_split_is_refused_without_saying_it(tmp_path: Path, copy: str) -> None:
    write(tmp_path, [*rows("train"), (SECRET, "harmful", "train"), *rows("test"), (copy, "harmful", "test")])

    with pytest.raises(ConfigError, match=r"1 captions of .* own row 8 \(train\) and own row 17 \(test\)") as refusal:
        load(tmp_path)

    assert "\n" not in str(refusal.value)
    assert "ngu" not in str(refusal.value)


def test_a_copy_in_its_own_split_or_of_signs_alone_is_none(tmp_path: Path) -> None:
    write(tmp_path, [*rows("train"), *rows("train"), ("😀", "safe", "train"), *rows("test"), ("😀!", "safe", "test")])

    assert load(tmp_path) == 17


def test_validation_and_test_do_not_share_captions_either(tmp_path: Path) -> None:
    write(tmp_path, [*rows("train"), ("same again", "safe", "validation"), ("Same, again", "safe", "test")])

    with pytest.raises(ConfigError, match=r"own row 8 \(validation\) and own row 9 \(test\)"):
        load(tmp_path)


def test_what_few_people_say_again_leaves_train_alone(tmp_path: Path) -> None:
    write(tmp_path, [*rows("train", 600), ("hi", "safe", "train"), *rows("test"), ("hi!", "safe", "test")])

    assert load(tmp_path) == 1200
    assert load(tmp_path, "test") == 9


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ([("a", "safe", "train"), ("b", "", "train")], "1 rows whose label"),
        ([("a", "safe", "train"), ("", "harmful", "train")], "1 rows without text"),
        ([("a", "safe", "train"), ("b", "safe", "train")], "all 2 train rows .* are safe; it needs both"),
        ([("a", "safe", "test"), ("b", "harmful", "test")], "no rows of split 'train', it has test"),
    ],
)
def test_captions_that_cannot_train_are_refused(tmp_path: Path, table: list[tuple[str, str, str]], why: str) -> None:
    write(tmp_path, table)

    with pytest.raises(ConfigError, match=why):
        load(tmp_path)


def test_parquet_and_csv_are_read_alike(tmp_path: Path) -> None:
    table = [*rows("train"), ("NA", "safe", "train"), ("null", "harmful", "train")]
    (tmp_path / "other").mkdir()
    write(tmp_path, table)
    write(tmp_path / "other", table, name="own.parquet")

    one, two = (
        load_captions(data, "train", sources=("own",), random_state=0) for data in (tmp_path, tmp_path / "other")
    )

    pd.testing.assert_frame_equal(one.table, two.table)


@pytest.mark.parametrize(
    ("spoilt", "why"),
    [
        ("b.mp4,safe,test,s,g1", "1 values of group .* e.g. g1 is in test and train"),
        ("a.mp4,safe,test,s,g2", "1 values of file"),
        ("b.mp4,,test,s,g2", "1 clips whose label"),
        ("b.mp4,safe,test,s,", "1 clips without group"),
    ],
)
def test_a_manifest_that_leaks_or_lacks_something_is_refused(tmp_path: Path, spoilt: str, why: str) -> None:
    (tmp_path / "manifest.csv").write_text(f"file,label,split,source,group\na.mp4,harmful,train,s,g1\n{spoilt}\n")

    with pytest.raises(ConfigError, match=why):
        read_manifest(tmp_path)


def test_a_manifest_may_be_parquet(tmp_path: Path) -> None:
    table = pd.DataFrame([("a.mp4", "safe", "train", "s", 1)], columns=["file", "label", "split", "source", "group"])
    table.to_parquet(tmp_path / "manifest.parquet")

    assert read_manifest(tmp_path)["group"].tolist() == ["1"]


def test_keys_are_what_copies_share() -> None:
    assert duplicate_key("  Thằng NGUUU @ai ơi!! www.x.vn ") == "thangnguoi"
    assert duplicate_key("!!! 😀") == ""
