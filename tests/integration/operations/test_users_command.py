"""clipwarden users: people from the command line, passwords never as arguments."""

import json
import os
import subprocess
import sys

import pytest
from pydantic import SecretStr

from core.settings import StoreSettings
from core.storage.people import sign_in_name
from operations.people import admins_entry, first_entry
from tests.fixtures.people import GOOD, Office
from tests.fixtures.platform import Platform
from tests.fixtures.stores import new_database

pytestmark = pytest.mark.integration

CALL = "from operations.cli import main; main()"


def users(platform: Platform, *arguments: str, typed: str = "") -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", CALL, "users", *arguments]
    env = {**os.environ, **platform.env}
    return subprocess.run(command, env=env, input=typed, capture_output=True, text=True, check=False)


def test_a_person_is_added_gets_a_password_and_is_shut_out(platform: Platform) -> None:
    office = Office(platform.settings.store.dsn.get_secret_value())
    added = users(platform, "add", "Chi", "--role", "moderator")
    link = added.stdout.strip().split("link=")[1]
    assert office.sessions.enter(link, address="")
    assert users(platform, "password", "chi", typed=GOOD + "\n").returncode == 0
    assert office.sessions.sign_in("chi", GOOD, address="")

    assert users(platform, "disable", "chi").returncode == 0

    shown = json.loads(users(platform, "list", "--json").stdout)["people"]
    chi = next(person for person in shown if sign_in_name(person["name"]) == "chi")
    assert (chi["role"], chi["enters_by"], bool(chi["disabled_at"])) == ("moderator", "password", True)
    assert users(platform, "link", "nobody").returncode == 1


def test_the_first_admin_is_made_once_and_gets_a_link_until_they_came(platform: Platform) -> None:
    dsn = new_database(platform, "nobody_came_yet")
    settings = platform.settings.model_copy(update={"store": StoreSettings(dsn=SecretStr(dsn))})
    office = Office(dsn)
    first, again = first_entry(settings), first_entry(settings)
    assert None not in (first, again)
    assert first != again

    office.sessions.enter(str(first).split("link=")[1], address="")

    assert first_entry(settings) is None
    assert admins_entry(settings).startswith(f"{settings.sign_in.address}/enter?link=")
