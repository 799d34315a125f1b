"""`clipwarden models push` against a hub on loopback."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from core.errors import ConfigError, HubUnavailable, ModelRefused
from core.settings import HubSettings, process_environment
from models.hub import push
from tests.fixtures.hub import Hub, hub_on_loopback
from tests.fixtures.registry import save_text

pytestmark = pytest.mark.integration

TOKEN = "hub_secret-4711"
REPO = "warden/text-safety"


@pytest.fixture
def hub() -> Iterator[Hub]:
    with hub_on_loopback() as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = save_text(tmp_path / "text")
    (folder / "README.md").write_text("# Text model\n\nTiếng Việt.\n", encoding="utf-8")
    return folder


def push_to(endpoint: str, folder: Path, *, token: str = TOKEN, repo: str = REPO) -> str:
    settings = HubSettings(endpoint=endpoint, token=SecretStr(token), request_timeout_s=5)
    return push(folder, repo=repo, private=True, settings=settings, max_bytes=10_000_000)


def command(hub: Hub, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    code = "from operations.cli import main; main()"
    own = {"CLIPWARDEN_HUB__ENDPOINT": hub.endpoint, "CLIPWARDEN_HUB__TOKEN": TOKEN, "NO_PROXY": "127.0.0.1"}
    line = (sys.executable, "-c", code, "models", "push", str(folder), "--repo", REPO, *arguments)
    return subprocess.run(line, env=process_environment() | own, capture_output=True, text=True, check=False)


def test_every_file_arrives_as_it_is_and_the_token_is_shown_to_the_hub_alone(hub: Hub, folder: Path) -> None:
    result = command(hub, folder, "--json")

    assert result.returncode == 0, result.stderr
    assert hub.files == {(REPO, path.name): path.read_bytes() for path in folder.iterdir()}
    assert len(hub.files) > 3
    assert hub.repositories[REPO]["visibility"] == "private"
    assert hub.tokens == {f"Bearer {TOKEN}"}
    assert json.loads(result.stdout) == {"repo": REPO, "commit": f"{hub.endpoint}/{REPO}/commit/{'a' * 40}"}
    assert TOKEN not in result.stdout + result.stderr


def test_a_refused_token_is_one_line_without_it(hub: Hub, folder: Path) -> None:
    hub.fail = {"/api/repos/create": 401}

    result = command(hub, folder)

    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert "refuses the token" in result.stderr
    assert TOKEN not in result.stderr


@pytest.mark.parametrize("path", ["/api/repos/create", f"/api/models/{REPO}/commit"])
def test_a_failing_hub_is_one_line_and_nothing_was_published(hub: Hub, folder: Path, path: str) -> None:
    hub.fail = {path: 500}

    with pytest.raises(HubUnavailable) as caught:
        push_to(hub.endpoint, folder)

    assert hub.endpoint in str(caught.value)
    assert "\n" not in str(caught.value)
    assert TOKEN not in str(caught.value)
    assert hub.files == {}


def test_an_unreachable_hub_is_one_line(folder: Path) -> None:
    with hub_on_loopback() as gone:
        endpoint = gone.endpoint

    with pytest.raises(HubUnavailable, match=rf"^hub.unavailable: {endpoint}: [^\n]+$"):
        push_to(endpoint, folder)


def test_no_token_or_no_name_is_refused_before_anything_is_sent(hub: Hub, folder: Path) -> None:
    with pytest.raises(ConfigError, match="CLIPWARDEN_HUB__TOKEN"):
        push_to(hub.endpoint, folder, token="")
    for name in ("text-safety", "a/b/c", "warden/te xt"):
        with pytest.raises(ConfigError, match="owner/name"):
            push_to(hub.endpoint, folder, repo=name)

    assert hub.repositories == {}


def test_a_pickle_and_a_model_without_a_card_stay_here(hub: Hub, folder: Path) -> None:
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(ModelRefused, match=r"pytorch_model\.bin"):
        push_to(hub.endpoint, folder)
    (folder / "pytorch_model.bin").unlink()

    (folder / "README.md").write_text(" \n")
    with pytest.raises(ModelRefused, match="no card"):
        push_to(hub.endpoint, folder)

    assert hub.repositories == {}
