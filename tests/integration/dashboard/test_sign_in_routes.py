"""The routes of the sign-in: what a browser sends gets in, what anybody else sends does not."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
import streamlit as st
from starlette.applications import Starlette
from starlette.testclient import TestClient

from core.access import Role
from core.clock import SystemClock
from core.errors import StoreUnavailable
from core.storage.sessions import Sessions
from dashboard import forms, seats
from dashboard.routes import ROUTES
from dashboard.seats import Seats
from tests.fixtures.console import Console
from tests.fixtures.people import GOOD, OPERATOR, Office

pytestmark = pytest.mark.integration

OWN = {"sec-fetch-site": "same-origin"}


@pytest.fixture
def office(postgres_dsn: str) -> Iterator[Office]:
    found = Office(postgres_dsn)
    with found.database.connection() as connection:
        connection.execute("TRUNCATE people, sessions, entry_links, sign_in_waits, used_forms CASCADE")
    found.person(Role.LEAD, name="an", password=GOOD)
    yield found
    found.database.close()


@pytest.fixture
def client(office: Office, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    sessions = office.sessions
    parts = replace(
        Console().resources(), sessions=sessions, people=office.people, seats=Seats(sessions, SystemClock())
    )
    st.cache_resource.clear()
    monkeypatch.setattr("dashboard.resources.build", lambda: parts)
    with TestClient(Starlette(routes=ROUTES), follow_redirects=False) as found:
        yield found
    st.cache_resource.clear()


def fields(client: TestClient, **changes: str) -> dict[str, str]:
    """A form as its page holds it."""
    page = client.get("/sign-in").text
    token = re.search(r'name="form" value="([^"]+)"', page)
    assert token is not None
    return {"form": token[1], "name": "an", "password": GOOD, "next": "/", **changes}


def test_a_right_password_gets_a_cookie_that_no_script_and_no_other_site_sees(client: TestClient) -> None:
    answer = client.post("/sign-in", data=fields(client), headers=OWN)

    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = next(line for line in answer.headers.get_list("set-cookie") if line.startswith(seats.COOKIE))
    assert {"HttpOnly", "Path=/", "SameSite=strict"} <= set(cookie.split("; "))
    assert client.get("/sign-in").status_code == 303


@pytest.mark.parametrize(
    "headers", [{}, {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"origin": "http://evil.example"},
                {"origin": "null"}]
)  # fmt: skip
def test_a_form_from_elsewhere_is_refused(client: TestClient, headers: dict[str, str]) -> None:
    assert client.post("/sign-in", data=fields(client), headers=headers).status_code == 403
    assert seats.COOKIE not in client.cookies


def test_an_old_browser_is_known_by_its_origin(client: TestClient) -> None:
    answer = client.post("/sign-in", data=fields(client), headers={"origin": "http://testserver"})

    assert answer.status_code == 303


def test_a_form_sent_again_is_refused_also_with_its_cookie(client: TestClient) -> None:
    form = fields(client)
    cookie = client.cookies[forms.COOKIE]
    assert client.post("/sign-in", data=form, headers=OWN).status_code == 303
    client.cookies.clear()
    client.cookies.set(forms.COOKIE, cookie)

    assert client.post("/sign-in", data=form, headers=OWN).status_code == 403


@pytest.mark.parametrize("form", ["", "x", "9999999999." + "a" * 32, "0000000001." + "a" * 32, "\ud800"])
def test_a_made_up_form_token_is_refused(client: TestClient, form: str) -> None:
    sent = fields(client) | {"form": form.encode(errors="replace").decode()}

    assert client.post("/sign-in", data=sent, headers=OWN).status_code == 403


def test_a_body_over_the_limit_is_refused(client: TestClient) -> None:
    assert client.post("/sign-in", data=fields(client, name="x" * 20_000), headers=OWN).status_code == 413


def test_a_hostile_name_is_shown_as_text_and_gets_nobody_in(client: TestClient) -> None:
    name = '"><script>x</script>\r\nset-cookie: a=b' + "x" * 8000

    answer = client.post("/sign-in", data=fields(client, name=name), headers=OWN)

    assert answer.status_code == 403
    assert "<script" not in answer.text
    assert "a" not in client.cookies


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "https://evil.example", "/\\evil.example", "/a\r\nx: y", "javascript:x", "/%0d%0a", "."],
)
def test_nobody_is_led_to_another_place(client: TestClient, target: str) -> None:
    assert client.post("/sign-in", data=fields(client, next=target), headers=OWN).headers["location"] == "/"


def test_one_is_led_back_to_the_page_one_wanted(client: TestClient) -> None:
    answer = client.post("/sign-in", data=fields(client, next="/live?video=v%3A1"), headers=OWN)

    assert answer.headers["location"] == "/live?video=v%3A1"


@pytest.mark.parametrize("target", ["/sign-in", "/sign-in?next=/sign-in", "/sign-in/", "/enter?link=x"])
def test_nobody_is_led_round_in_a_circle(client: TestClient, target: str) -> None:
    client.post("/sign-in", data=fields(client), headers=OWN)

    assert client.get("/sign-in", params={"next": target}).headers["location"] == "/"


def test_a_new_session_stands_also_when_the_one_before_cannot_be_ended(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = fields(client)
    client.cookies.set(seats.COOKIE, "before")

    def gone(*_: object) -> None:
        raise StoreUnavailable("down")

    monkeypatch.setattr(Sessions, "sign_out", gone)
    answer = client.post("/sign-in", data=form, headers=OWN)

    assert answer.status_code == 303
    assert seats.COOKIE in answer.headers["set-cookie"]


def test_a_session_brought_along_is_not_taken_over(client: TestClient, office: Office) -> None:
    link = office.people.link(OPERATOR, office.person(name="bo").user_id)
    client.cookies.set(seats.COOKIE, "planted")

    answer = client.get(f"/enter?link={link}")

    assert "planted" not in answer.headers["set-cookie"]
    assert client.get(f"/enter?link={link}").status_code == 403


def test_a_link_is_not_used_up_by_what_looks_ahead_or_by_another_site(client: TestClient, office: Office) -> None:
    address = f"/enter?link={office.people.link(OPERATOR, office.person(name='bo').user_id)}"

    assert client.head(address).status_code == 403
    assert client.get(address, headers={"sec-purpose": "prefetch;prerender"}).status_code == 403
    assert client.get(address, headers={"sec-fetch-site": "cross-site"}).status_code == 200
    assert client.get(address).status_code == 303


def test_too_many_attempts_are_told_how_long_to_wait(client: TestClient) -> None:
    answers = [client.post("/sign-in", data=fields(client, password="wrong"), headers=OWN) for _ in range(8)]

    assert [answer.status_code for answer in answers[:5]] == [403] * 5
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) >= 1


def test_the_page_speaks_vietnamese_and_allows_no_script(client: TestClient) -> None:
    answer = client.get("/sign-in", headers={"accept-language": "vi-VN,vi;q=0.9"})

    assert "Đăng nhập" in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert client.get("/readyz").text == "ready\n"
