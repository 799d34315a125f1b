"""The way over a provider, as a browser goes it: what Streamlit takes for its word, and what becomes of that."""

import time
from collections.abc import Iterator

import httpx
import pytest
from joserfc.jwk import RSAKey

from core.clock import SystemClock
from dashboard import provider_cookies, seats
from dashboard.data.vouched import Vouched
from dashboard.provider import Provider
from dashboard.vouching import Terms
from tests.fixtures.provider import Vouching

pytestmark = pytest.mark.integration

OWN = {"sec-fetch-site": "same-origin"}
WORD = "_streamlit_user"


@pytest.fixture
def client(vouching: Vouching) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=vouching.url, timeout=20) as found:
        yield found


def words(client: httpx.Client, callback: str) -> list[str]:
    """The provider's words that Streamlit keeps after this, in cookies."""
    client.get(callback)
    return [name for name in client.cookies if name.startswith(WORD)]


def test_a_right_word_is_kept_by_streamlit_and_opens_nothing_by_itself(
    client: httpx.Client, vouching: Vouching
) -> None:
    assert words(client, vouching.come_back(client))

    assert client.get("/sign-in").status_code == 200
    assert seats.COOKIE not in client.cookies


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "another"},
        {"iss": "https://evil.example"},
        {"nonce": "another"},
        {"nonce": None},
        {"sub": None},
        {"iat": None},
        {"exp": 1},
    ],
    ids=str,
)
def test_a_wrong_word_is_no_word(client: httpx.Client, vouching: Vouching, changes: dict[str, object]) -> None:
    vouching.provider.changes = changes

    assert words(client, vouching.come_back(client)) == []


def test_a_word_signed_with_another_key_or_with_none_is_no_word(client: httpx.Client, vouching: Vouching) -> None:
    vouching.provider.key = RSAKey.generate_key(2048, {"kid": "first"})
    assert words(client, vouching.come_back(client)) == []

    vouching.provider.key = vouching.provider.published
    vouching.provider.algorithm = "none"
    assert words(client, vouching.come_back(client)) == []


def test_a_made_up_state_and_a_way_that_somebody_else_began_lead_nowhere(
    client: httpx.Client, vouching: Vouching
) -> None:
    callback = vouching.come_back(client)
    made_up = callback.partition("&state=")[0] + "&state=made-up"
    with httpx.Client(base_url=vouching.url, timeout=20) as victim:
        assert words(victim, callback) == []
    assert words(client, made_up) == []


def test_a_way_back_is_gone_once(client: httpx.Client, vouching: Vouching) -> None:
    callback = vouching.come_back(client)
    assert words(client, callback)
    client.cookies = httpx.Cookies({name: client.cookies[name] for name in client.cookies if WORD not in name})

    assert words(client, callback) == []


def set_out(client: httpx.Client, expected: int, **fields: str) -> httpx.Response:
    """Press the button until the console has noticed how the provider is."""
    deadline_s = time.monotonic() + 15
    while True:
        answer = client.post("/sign-in/provider", data=fields, headers=OWN)
        if answer.status_code == expected or time.monotonic() > deadline_s:
            return answer
        time.sleep(0.2)


def test_only_our_own_page_sets_out_and_it_remembers_where_to(client: httpx.Client) -> None:
    assert "Sign in with Example ID" in client.get("/sign-in").text
    assert client.post("/sign-in/provider", data={"next": "/audit"}).status_code == 403
    assert provider_cookies.COOKIE not in client.cookies

    answer = set_out(client, 303, next="/audit?author=a%2Cb")

    assert (answer.status_code, answer.headers["location"]) == (303, "/?sign-in=provider")
    assert {"HttpOnly", "SameSite=strict"} <= set(answer.headers["set-cookie"].split("; "))
    assert provider_cookies.target_of(dict(client.cookies)) == "/audit?author=a%2Cb"


def test_while_the_provider_is_away_the_page_says_so_and_keeps_its_form(
    client: httpx.Client, vouching: Vouching
) -> None:
    vouching.provider.is_away = True

    answer = set_out(client, 503, next="/audit", lang="vi")

    assert answer.status_code == 503
    assert "Example ID không phản hồi" in answer.text
    assert 'name="password"' in answer.text


def test_whoever_sets_out_takes_no_earlier_word_along(client: httpx.Client, vouching: Vouching) -> None:
    assert words(client, vouching.come_back(client))

    set_out(client, 303, next="/")

    assert not [name for name in client.cookies if name.startswith(WORD)]


def test_what_was_said_is_told_once_and_the_providers_word_forgotten(client: httpx.Client, vouching: Vouching) -> None:
    assert words(client, vouching.come_back(client))

    page = client.get("/sign-in?why=no_role")

    assert "Ask an admin which group" in page.text
    assert not [name for name in client.cookies if name.startswith(WORD)]
    assert client.get("/sign-in?why=<b>x</b>").text.count('class="message"') == 0


@pytest.mark.parametrize("cookie", ["//evil.example", "https%3A%2F%2Fevil.example", "%2Fa%0d%0ax: y", "\x80", "%"])
def test_a_way_that_leads_elsewhere_leads_to_the_first_page(cookie: str) -> None:
    assert provider_cookies.target_of({provider_cookies.COOKIE: cookie}) == "/"


def test_a_provider_that_is_down_or_is_another_one_is_away(vouching: Vouching) -> None:
    provider = vouching.provider

    address = f"{provider.issuer}/.well-known/openid-configuration"
    vouched = Vouched(vouching.office.database)

    def is_away(issuer: str) -> bool:
        terms = Terms(issuer, "console", "groups", {}, None)
        return Provider("x", terms, address, vouched=vouched, clock=SystemClock()).is_away()

    assert not is_away(provider.issuer)
    assert is_away("https://id.example")
    provider.is_away = True
    assert is_away(provider.issuer)
