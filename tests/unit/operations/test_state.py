import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from core.errors import ConfigError
from core.settings import settings_table
from operations.state import (
    MAX_FLOWS,
    MAX_WORKERS,
    Identity,
    Paths,
    Plan,
    Ports,
    ProcessRecord,
    RunState,
    Secrets,
    Site,
    environment,
    own_folder,
    settings,
)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    (tmp_path / ".clipwarden").mkdir()
    return Site(Paths(tmp_path), Ports(base=20_000), Secrets())


def test_every_variable_is_a_setting(site: Site) -> None:
    assert set(environment(site)) <= {variable for variable, _, _ in settings_table()}


def test_settings_hold_what_the_environment_says(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIPWARDEN_KAFKA__BROKERS", "elsewhere:9092")
    monkeypatch.setenv("CLIPWARDEN_KAFKA__GROUP", "mine")

    found = settings(site)

    assert (found.kafka.brokers, found.kafka.group) == ("127.0.0.1:20001", "mine")
    assert site.secrets.postgres in found.store.dsn.get_secret_value()


def test_a_misspelt_variable_is_refused(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIPWARDEN_KAFAK__BROKERS", "x:1")

    with pytest.raises(ConfigError, match="KAFAK"):
        settings(site)


def test_the_registry_is_named_once_it_was_asked_for(site: Site) -> None:
    assert "CLIPWARDEN_MLFLOW__TRACKING_URI" not in environment(site)

    Plan(mlflow=True).write(site.paths.plan)

    assert environment(site)["CLIPWARDEN_MLFLOW__TRACKING_URI"] == "http://127.0.0.1:20004"


def test_no_process_shares_a_port() -> None:
    ports = Ports(base=20_000)
    names = ["s3", "broker", "postgres", "valkey", "mlflow", "dashboard", "gateway", "gateway-http", "ingestion"]
    names += [f"flow-{share}" for share in range(MAX_FLOWS)] + [f"worker-{index}" for index in range(MAX_WORKERS)]
    numbers = [ports.of(name) for name in names]

    assert len(set(numbers)) == len(numbers)
    assert ports.of("worker") == ports.of("worker-0")
    assert max(numbers) < 20_031


def test_more_flows_than_partitions_are_refused() -> None:
    with pytest.raises(ValidationError):
        Plan(flows=MAX_FLOWS + 1)


def test_secrets_are_for_their_owner_and_in_no_repr(tmp_path: Path) -> None:
    secrets = Secrets()
    secrets.write(tmp_path / "secrets.json")

    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert Secrets.read(tmp_path / "secrets.json") == secrets
    assert secrets.postgres not in repr(secrets)


def test_a_damaged_file_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"half')

    with pytest.raises(ConfigError, match=r"run\.json is damaged.*delete"):
        RunState.read(tmp_path / "run.json")


def test_a_root_without_a_platform_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="clipwarden up"):
        Site.load(tmp_path)


def test_a_pid_used_again_is_not_the_process() -> None:
    me = Identity.of(os.getpid())

    assert me.process() is not None
    assert me.model_copy(update={"created_at_s": me.created_at_s - 60}).process() is None


def test_leftovers_are_what_lives_without_its_supervisor() -> None:
    me = Identity.of(os.getpid())
    gone = me.model_copy(update={"created_at_s": 1.0})
    records = tuple(
        ProcessRecord(name=name, state="ready", since="2026-01-01T00:00:00Z", identity=identity)
        for name, identity in (("s3", me), ("broker", gone), ("valkey", None))
    )

    assert [record.name for record in RunState(supervisor=gone, processes=records).leftovers()] == ["s3"]
    assert RunState(supervisor=me, processes=records).leftovers() == []


def test_sockets_stay_short_however_deep_the_root_lies(tmp_path: Path) -> None:
    deep = Site(Paths(tmp_path / ("d" * 200) / ("e" * 200)), Ports(base=20_000), Secrets())

    assert len(deep.worker_endpoint(7).removeprefix("ipc://")) < 60


def test_two_roots_have_folders_of_their_own(tmp_path: Path) -> None:
    first, second = Paths(tmp_path / "a"), Paths(tmp_path / "b")

    assert first.runtime != second.runtime
    assert first.annex != second.annex


def test_a_link_in_place_of_the_runtime_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "victim").mkdir()
    (tmp_path / "runtime").symlink_to(tmp_path / "victim")

    with pytest.raises(ConfigError, match="belongs to another user"):
        own_folder(tmp_path / "runtime", 0o700)
