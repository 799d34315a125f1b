"""The way a file is fetched: by who exported it, signed in and with the right to it, and by nobody else."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
import streamlit as st
from starlette.applications import Starlette
from starlette.testclient import TestClient

from core.access import Person, Role
from core.clock import SystemClock
from dashboard import seats
from dashboard.export_files import path_of
from dashboard.export_link import export_files
from dashboard.routes import ROUTES
from dashboard.seats import Seats
from tests.fixtures.console import Console
from tests.fixtures.people import OPERATOR, Office

pytestmark = pytest.mark.integration


@pytest.fixture
def office(postgres_dsn: str) -> Iterator[Office]:
    found = Office(postgres_dsn)
    yield found
    found.database.close()


@pytest.fixture
def client(office: Office, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    sessions = office.sessions
    parts = replace(Console().resources(), sessions=sessions, seats=Seats(sessions, SystemClock()))
    st.cache_resource.clear()
    monkeypatch.setattr("dashboard.resources.build", lambda: parts)
    with TestClient(Starlette(routes=ROUTES), follow_redirects=False) as found:
        yield found
    export_files().close()
    st.cache_resource.clear()


def seated(client: TestClient, office: Office, role: Role, name: str) -> Person:
    person = office.person(role, name=name)
    client.cookies.set(seats.COOKIE, office.sessions.enter(office.people.link(OPERATOR, person.user_id), address=""))
    return person


def exported(person: Person) -> str:
    body = export_files().room()
    path_of(body).write_text("n\n1\n")
    return f"/export/{export_files().keep(person.user_id, body, 'x.csv')}"


def test_who_exported_a_file_fetches_it_and_nothing_keeps_a_copy(client: TestClient, office: Office) -> None:
    address = exported(seated(client, office, Role.ENGINEER, "export eve"))

    answer = client.get(address)

    assert (answer.status_code, answer.text) == (200, "n\n1\n")
    assert answer.headers["cache-control"] == "no-store"
    assert 'attachment; filename="x.csv"' in answer.headers["content-disposition"]


def test_nobody_else_fetches_it(client: TestClient, office: Office) -> None:
    address = exported(seated(client, office, Role.ENGINEER, "export eve"))

    seated(client, office, Role.LEAD, "export lee")
    assert client.get(address).status_code == 404
    seated(client, office, Role.VIEWER, "export vi")
    assert client.get(address).status_code == 403
    client.cookies.clear()
    assert client.get(address).status_code == 403
