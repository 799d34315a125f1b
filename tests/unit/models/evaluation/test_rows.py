from pathlib import Path

import pandas as pd
import pytest

from core.errors import ConfigError
from models.evaluation.rows import read_caption_sets, read_clip_set

ROWS = [("good day", "safe", "", "en", "test"), ("bad day", "harmful", "hate", "en", "test")]


def write(data: Path, source: str, rows: list[tuple[object, ...]]) -> None:
    (data / "text").mkdir(exist_ok=True)
    columns = ["text", "label", "category", "lang", "split"]
    pd.DataFrame(rows, columns=columns).to_parquet(data / "text" / f"{source}.parquet")


def write_manifest(data: Path, text: str) -> None:
    (data / "video").mkdir()
    (data / "video" / "manifest.csv").write_text(text)


def test_sources_are_pooled_and_suites_stand_apart(tmp_path: Path) -> None:
    for source in ("en_one", "en_two", "en_hatecheck", "vi_vispam_reviews"):
        write(tmp_path, source, list(ROWS))

    pooled, suite = read_caption_sets(tmp_path, "test")

    assert (pooled.name, len(pooled), set(pooled.slicing)) == ("test", 4, {"language", "source", "length", "category"})
    assert set(pooled.slicing["source"]) == {"en_one", "en_two"}
    assert (suite.name, len(suite), set(suite.slicing)) == ("en_hatecheck", 2, {"function"})
    assert pooled.truth.tolist() == [False, True, False, True]


def test_named_sources_are_all_that_is_read(tmp_path: Path) -> None:
    write(tmp_path, "en_one", list(ROWS))
    write(tmp_path, "vi_vispam_reviews", list(ROWS))

    (only,) = read_caption_sets(tmp_path, "test", ["vi_vispam_reviews"])

    assert set(only.slicing["source"]) == {"vi_vispam_reviews"}


def test_a_split_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    write(tmp_path, "en_one", list(ROWS))

    with pytest.raises(ConfigError, match="no rows of split 'gate'; it has test"):
        read_caption_sets(tmp_path, "gate")


@pytest.mark.parametrize("label", ["", None, "Harmful", "spam"])
def test_a_row_without_a_label_is_refused(tmp_path: Path, label: str | None) -> None:
    write(tmp_path, "en_one", [*ROWS, ("new", label, "", "en", "test")])

    with pytest.raises(ConfigError, match="1 rows whose label is neither safe nor harmful"):
        read_caption_sets(tmp_path, "test")


def test_a_row_without_a_text_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "en_one", [*ROWS, (None, "safe", "", "en", "test")])

    with pytest.raises(ConfigError, match="1 rows without text"):
        read_caption_sets(tmp_path, "test")


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    (tmp_path / "text").mkdir()
    pd.DataFrame({"text": ["a"], "label": ["safe"]}).to_parquet(tmp_path / "text" / "en_one.parquet")

    with pytest.raises(ConfigError, match="has no column category, lang, split"):
        read_caption_sets(tmp_path, "test")


def test_a_file_that_is_no_parquet_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "en_one.parquet").write_text("no parquet")

    with pytest.raises(ConfigError, match="cannot be read") as info:
        read_caption_sets(tmp_path, "test")

    assert "\n" not in info.value.message


def test_a_folder_without_captions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds no captions"):
        read_caption_sets(tmp_path, "test")


def test_the_digest_is_of_rows_and_labels_in_any_order(tmp_path: Path) -> None:
    digests = []
    for number, rows in enumerate([ROWS, ROWS[::-1], [ROWS[0], ("bad day", "safe", "", "en", "test")]]):
        data = tmp_path / str(number)
        data.mkdir()
        write(data, "en_one", list(rows))
        digests.append(read_caption_sets(data, "test")[0].sha256)

    assert digests[0] == digests[1] != digests[2]


def test_clips_of_a_group_are_one_unit(tmp_path: Path) -> None:
    write_manifest(
        tmp_path,
        "file,label,split,source,group,category,seconds\n"
        "a.mp4,safe,test,s,cam1,,1.0\nb.mp4,harmful,test,s,cam1,fight,2.5\nc.mp4,safe,train,s,cam2,,9\n",
    )

    clips = read_clip_set(tmp_path, "test")

    assert clips.resampling.fewest_units(len(clips)) == 1
    assert clips.slicing["length"].tolist() == ["up to 2 s", "over 2 to 3 s"]
    assert clips.slicing["category"].tolist() == ["none", "fight"]


def test_a_clip_without_a_label_is_refused(tmp_path: Path) -> None:
    write_manifest(tmp_path, "file,label,split,source,group\na.mp4,,test,s,g\n")

    with pytest.raises(ConfigError, match="1 rows whose label"):
        read_clip_set(tmp_path, "test")


def test_a_missing_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"manifest\.csv cannot be read"):
        read_clip_set(tmp_path, "test")
