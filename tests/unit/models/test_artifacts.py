import hashlib
from pathlib import Path

import pytest

from core.errors import ModelRefused
from models.artifacts import MAX_FILES, MAX_TEXT_BYTES, check_folder, check_names

GOOD = {"config.json": 2, "model.safetensors": 100}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    return tmp_path


def test_a_folder_is_known_by_its_weights_and_by_all_its_files(folder: Path) -> None:
    before = check_folder(folder, max_bytes=1_000)
    (folder / "config.json").write_text('{"labels": 1}')
    after = check_folder(folder, max_bytes=1_000)

    assert before.weights == after.weights == hashlib.sha256(b"weights").hexdigest()
    assert before.files != after.files


@pytest.mark.parametrize(
    "name",
    ["pytorch_model.bin", "model.pt", "model.pkl", "x.joblib", "code.py", "a/b.json", ".hidden.json"],
)
def test_what_is_neither_safetensors_nor_text_is_refused_by_its_name(name: str) -> None:
    with pytest.raises(ModelRefused, match="neither safetensors nor text"):
        check_names(GOOD | {name: 1}, max_bytes=1_000, of="text:1")


@pytest.mark.parametrize(
    "sizes",
    [
        GOOD | {"model.safetensors": 1_001},
        GOOD | {"tokenizer.json": MAX_TEXT_BYTES + 1},
        GOOD | {f"{n}.json": 1 for n in range(MAX_FILES)},
        {"config.json": 2},
        {"model.safetensors": 2},
    ],
)
def test_too_much_or_too_little_is_refused_before_a_download(sizes: dict[str, int]) -> None:
    with pytest.raises(ModelRefused):
        check_names(sizes, max_bytes=1_000, of="text:1")


def test_links_and_code_in_a_config_are_refused(folder: Path) -> None:
    (folder / "config.json").write_text('{"auto_map": {"AutoModel": "evil.Model"}}')
    with pytest.raises(ModelRefused, match="auto_map"):
        check_folder(folder, max_bytes=1_000)

    (folder / "config.json").unlink()
    (folder / "config.json").symlink_to("/etc/passwd")
    with pytest.raises(ModelRefused, match="no plain file"):
        check_folder(folder, max_bytes=1_000)


def test_text_that_is_no_json_is_refused(folder: Path) -> None:
    (folder / "tokenizer.json").write_text("[" * 100_000)

    with pytest.raises(ModelRefused, match="no JSON"):
        check_folder(folder, max_bytes=1_000_000)
