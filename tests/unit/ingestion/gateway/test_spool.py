"""A gateway's folder belongs to one gateway, which keeps its name and finds it empty."""

from pathlib import Path

import pytest

from core.errors import ConfigError
from ingestion.gateway.spool import Spool


def test_a_gateway_keeps_its_name_and_finds_its_folder_empty(tmp_path: Path) -> None:
    first = Spool(tmp_path / "gateway")
    (first.files / "left").write_bytes(b"half")
    first.close()

    second = Spool(tmp_path / "gateway")

    assert (second.prefix, second.owner) == (first.prefix, first.owner)
    assert not list(second.files.iterdir())
    second.close()


def test_two_gateways_cannot_share_a_folder(tmp_path: Path) -> None:
    first = Spool(tmp_path)

    with pytest.raises(ConfigError, match="WORK_DIR"):
        Spool(tmp_path)

    first.close()
    Spool(tmp_path).close()
