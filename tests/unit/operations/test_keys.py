import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core.errors import ConfigError
from operations.commands.keys import app


def test_a_pair_is_made_and_its_public_key_shown(tmp_path: Path) -> None:
    made = CliRunner().invoke(app, ["make", "flows", "--folder", str(tmp_path), "--json"], catch_exceptions=False)
    paths = json.loads(made.stdout)

    shown = CliRunner().invoke(app, ["show", paths["secret"]], catch_exceptions=False)

    assert shown.stdout.strip() == Path(paths["public"]).read_text().strip()
    assert Path(paths["secret"]).read_text().strip() not in made.stdout + shown.stdout


def test_what_is_no_key_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "x.key").write_text("nothing")

    with pytest.raises(ConfigError, match="holds no key"):
        CliRunner().invoke(app, ["show", str(tmp_path / "x.key")], catch_exceptions=False, standalone_mode=False)
