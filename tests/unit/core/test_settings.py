"""Settings: read once, refused with one line that names the variable and what to do."""

import os
from collections.abc import Iterator

import pytest
from pydantic import ValidationError

from core.errors import ConfigError
from core.settings import OUTSIDE_SETTINGS, PREFIX, Settings, process_environment, settings_table


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing of the machine gets in, and what a test sets is gone after it."""
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)
    yield
    monkeypatch.undo()


def _refusal(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> str:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError) as info:
        Settings.load()
    assert "\n" not in info.value.message
    return info.value.message


def test_without_an_environment_the_defaults_serve() -> None:
    settings = Settings.load()

    assert settings.kafka.brokers == "127.0.0.1:9092"
    assert (settings.flow.share_index, settings.flow.share_count) == (0, 1)


def test_a_variable_sets_its_field_and_leaves_its_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIPWARDEN_KAFKA__BROKERS", "kafka:19092")

    settings = Settings.load()

    assert (settings.kafka.brokers, settings.kafka.group) == ("kafka:19092", "clipwarden-moderation")


def test_a_list_is_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIPWARDEN_MEDIA__ALLOWED_BUCKETS", "one, two")

    assert Settings.load().media.allowed_buckets == ("one", "two")


@pytest.mark.parametrize(
    ("misspelt", "meant"),
    [
        ("CLIPWARDEN_KAFKA__BROKRES", "CLIPWARDEN_KAFKA__BROKERS"),
        ("CLIPWARDEN_KAFAK__BROKERS", "CLIPWARDEN_KAFKA__BROKERS"),
        ("CLIPWARDEN_FLOW_SHARE", "CLIPWARDEN_FLOW__SHARE"),
    ],
    ids=["leaf", "section", "separator"],
)
def test_a_misspelt_variable_is_refused_with_the_one_meant(
    monkeypatch: pytest.MonkeyPatch, misspelt: str, meant: str
) -> None:
    message = _refusal(monkeypatch, misspelt, "x")

    assert misspelt in message
    assert f"did you mean {meant}?" in message


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CLIPWARDEN_FLOW__SHARE", "first"),
        ("CLIPWARDEN_FLOW__SHARE", "2/2"),
        ("CLIPWARDEN_FLOW__SHARE", "0/0"),
        ("CLIPWARDEN_STORE__POOL_MAX", "0"),
        ("CLIPWARDEN_SERVING__DEVICE", "tpu"),
        ("CLIPWARDEN_FLOW__HTTP_PORT", "65536"),
        ("CLIPWARDEN_KAFKA__REQUEST_TIMEOUT_S", "soon"),
    ],
)
def test_a_value_out_of_bounds_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    message = _refusal(monkeypatch, variable, value)

    assert message.startswith(variable)
    assert "correct or unset it" in message


@pytest.mark.parametrize("variable", sorted(OUTSIDE_SETTINGS))
def test_the_variables_of_demo_and_tests_are_let_through(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "anything")

    Settings.load()


def test_settings_do_not_change_after_they_were_read() -> None:
    settings = Settings.load()

    with pytest.raises(ValidationError):
        settings.kafka.brokers = "elsewhere:9092"  # type: ignore[misc]  # that it is refused is the promise


def test_no_secret_is_in_what_a_log_or_a_document_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIPWARDEN_STORE__DSN", "postgresql://me:hunter2@db/x")
    monkeypatch.setenv("CLIPWARDEN_MEDIA__SECRET_KEY", "hunter2")

    shown = repr(Settings.load()) + str(settings_table())

    assert "hunter2" not in shown


def test_the_table_names_each_setting_once() -> None:
    variables = [variable for variable, _, _ in settings_table()]

    assert len(variables) == len(set(variables))
    assert {"CLIPWARDEN_KAFKA__BROKERS", "CLIPWARDEN_TELEMETRY__LOG_JSON"} <= set(variables)


def test_the_environment_handed_on_is_a_copy() -> None:
    process_environment()["CLIPWARDEN_KAFKA__BROKERS"] = "leaked:1"

    assert Settings.load().kafka.brokers == "127.0.0.1:9092"
