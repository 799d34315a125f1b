"""compose.yaml as far as it can be held to its word without a container engine: schema, settings, commands, ports."""

import json
import os
import re
from importlib.resources import files
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from core.settings import Settings, settings_table
from tests.architecture.checkout import ROOT, module_exists, variables

TEXT = (ROOT / "compose.yaml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ENV_EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")
NAMES = sorted(SERVICES)
KNOWN = {variable for variable, _, _ in settings_table()}
PINNED = re.compile(r"[a-z0-9./-]+:(v?\d+\.\d+[A-Za-z0-9.-]*)")


def _environment(name: str) -> dict[str, str]:
    return {key: str(value) for key, value in SERVICES[name].get("environment", {}).items()}


def _ours() -> list[str]:
    return [name for name in NAMES if "build" in SERVICES[name]]


def test_the_compose_specification_accepts_it() -> None:
    pytest.importorskip("check_jsonschema", reason="carries the compose specification's schema")
    schema = json.loads((files("check_jsonschema") / "builtin_schemas/vendor/compose-spec.json").read_bytes())

    assert not [error.message for error in Draft7Validator(schema).iter_errors(COMPOSE)]


def test_every_variable_of_ours_is_a_setting() -> None:
    assert variables(TEXT)
    assert not variables(TEXT) - KNOWN


@pytest.mark.parametrize("name", [name for name in NAMES if variables(str(SERVICES[name].get("environment", {})))])
def test_a_process_accepts_its_settings(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in [variable for variable in os.environ if variable.startswith("CLIPWARDEN_")]:
        monkeypatch.delenv(variable)
    for variable, value in _environment(name).items():
        if variable.startswith("CLIPWARDEN_"):
            monkeypatch.setenv(variable, re.sub(r"\$\{[A-Za-z0-9_]+(?::-([^}]*)|:\?[^}]*)?\}", r"\1", value))

    Settings.load()


@pytest.mark.parametrize("name", NAMES)
def test_images_are_pinned_and_never_latest(name: str) -> None:
    image = SERVICES[name]["image"]

    assert PINNED.fullmatch(image), image
    assert "latest" not in image


@pytest.mark.parametrize("name", sorted(set(NAMES) - set(_ours())))
def test_an_image_that_nobody_pulled_says_so(name: str) -> None:
    assert f"image: {SERVICES[name]['image']} # not pulled\n" in TEXT


@pytest.mark.parametrize("name", NAMES)
def test_published_ports_are_on_loopback(name: str) -> None:
    assert [port for port in SERVICES[name].get("ports", []) if not port.startswith("127.0.0.1:")] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_service_has_limits_a_restart_policy_and_a_way_to_tell_its_health(name: str) -> None:
    service = SERVICES[name]
    ends_by_itself = service["restart"] == "no"

    assert "mem_limit" in service
    assert ends_by_itself or service["restart"] == "unless-stopped"
    assert ends_by_itself or "healthcheck" in service


@pytest.mark.parametrize("name", NAMES)
def test_what_a_service_waits_for_can_happen(name: str) -> None:
    for other, wait in SERVICES[name].get("depends_on", {}).items():
        if wait["condition"] == "service_healthy":
            assert "healthcheck" in SERVICES[other]
        else:
            assert wait["condition"] == "service_completed_successfully"
            assert SERVICES[other]["restart"] == "no"


@pytest.mark.parametrize("name", _ours())
def test_our_processes_have_no_rights_they_do_not_need(name: str) -> None:
    service = SERVICES[name]

    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("name", _ours())
def test_a_build_names_a_dockerfile_and_a_stage_of_it(name: str) -> None:
    build = SERVICES[name]["build"]
    dockerfile = ROOT / build["context"] / build["dockerfile"]

    assert dockerfile.is_file()
    assert "target" not in build or f" AS {build['target']}\n" in dockerfile.read_text(encoding="utf-8")


def test_every_module_that_is_run_exists() -> None:
    named = re.findall(r"python, -m, ([a-z_.]+)", TEXT)

    assert named
    assert all(module_exists(name) for name in named)


@pytest.mark.parametrize("name", NAMES)
def test_an_address_names_a_service_and_a_port_it_has(name: str) -> None:
    values = "\n".join(_environment(name).values())

    for host, port in re.findall(r"(?:@|//|^|=|,)([a-z][a-z0-9-]*):(\d{2,5})\b", values, re.MULTILINE):
        if host != "localhost":
            own = {key: value for key, value in SERVICES[host].items() if key not in ("depends_on", "build")}
            assert port in yaml.safe_dump(own), f"{host} does not speak of port {port}"


def test_worker_and_flows_meet_at_one_socket_in_one_memory() -> None:
    workers = [name for name in NAMES if name.startswith("worker-")]
    flows = [name for name in NAMES if name.startswith("flow-")]

    meet = {_environment(name)["CLIPWARDEN_SERVING__BIND"] for name in workers}
    meet |= {_environment(name)["CLIPWARDEN_INFERENCE__ENDPOINTS"] for name in flows}

    assert meet == {"ipc:///dev/shm/worker.sock"}
    assert all("shm:/dev/shm" in SERVICES[name]["volumes"] for name in workers + flows)


def test_shares_are_whole() -> None:
    shares = sorted(_environment(name)["CLIPWARDEN_FLOW__SHARE"] for name in NAMES if name.startswith("flow-"))

    assert shares == [f"{index}/{len(shares)}" for index in range(len(shares))]


def test_one_worker_runs_by_profile_and_the_example_chooses_one() -> None:
    profiles = {name: SERVICES[name]["profiles"] for name in NAMES if name.startswith("worker-")}

    assert profiles == {"worker-cpu": ["cpu"], "worker-gpu": ["gpu"]}
    assert "\nCOMPOSE_PROFILES=cpu\n" in ENV_EXAMPLE


def test_the_example_names_every_variable_that_compose_asks_for() -> None:
    asked = set(re.findall(r"(?<!\$)\$\{([A-Z0-9_]+)", TEXT))

    assert asked <= set(re.findall(r"^([A-Z0-9_]+)=", ENV_EXAMPLE, re.MULTILINE))


def test_no_secret_has_a_value_here_or_in_the_example() -> None:
    secrets = set(re.findall(r"\b[A-Z0-9_]*(?:PASSWORD|SECRET_KEY)\b", TEXT))
    defaults = re.findall(r"\$\{([A-Z0-9_]*(?:PASSWORD|SECRET_KEY)):?-", TEXT)

    assert not defaults
    assert not re.findall(rf"^({'|'.join(secrets)})=.+", ENV_EXAMPLE, re.MULTILINE)
    for name in NAMES:
        for key, value in _environment(name).items():
            assert not re.search(r"PASSWORD|SECRET_KEY|AUTH$", key) or value.startswith("${"), key


def test_volumes_are_declared_and_used() -> None:
    used = {volume.partition(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])}

    assert used == set(COMPOSE["volumes"])
