"""The gate as its clients meet it: over sockets, with a site that may be reached and a server that may not."""

import contextlib
import http.client
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from core.errors import ConfigError
from core.settings_ingestion import IngestionSettings
from ingestion.egress.gate import Gate
from ingestion.egress.head import to_credentials
from ingestion.egress.passes import Budget, Pass
from tests.fixtures.site import Site

pytestmark = pytest.mark.integration

NAMES = {
    "inner.test": ["10.0.0.1"],
    "loopback.test": ["127.0.0.1"],
    "mapped.test": ["::ffff:127.0.0.1"],
    "translated.test": ["64:ff9b::7f00:1"],
    "mixed.test": ["93.184.215.14", "127.0.0.1"],
    "metadata.test": ["169.254.169.254"],
    "nowhere.test": [],
}


async def resolve(host: str, _port: int) -> list[str]:
    return NAMES.get(host, [host])


@pytest.fixture
def gate(site: Site, forbidden: Site) -> Iterator[Gate]:
    """A gate to which the forbidden server's port is as good as 80: only its address is against it."""
    settings = IngestionSettings(allow=(site.address,), connect_timeout_s=1.0, idle_timeout_s=0.5)
    with Gate(settings, resolve=resolve, ports=frozenset({80, 443, forbidden.port})) as opened:
        yield opened


def get(leave: Pass, url: str) -> bytes:
    proxy = urllib.request.ProxyHandler({"http": leave.proxy_url, "https": leave.proxy_url})
    with urllib.request.build_opener(proxy).open(url, timeout=10) as answer:
        return bytes(answer.read())


def refusal(leave: Pass, url: str) -> str:
    try:
        get(leave, url)
    except (OSError, http.client.HTTPException):
        return leave.refusals[-1].code
    raise AssertionError(f"{url} was let through")


def test_what_is_on_the_allow_list_is_reached_whole(gate: Gate, site: Site) -> None:
    with gate.admit(Budget()) as leave:
        assert get(leave, site.link("clip.mp4")) == site.clip
        assert get(leave, site.link("hops/3")) == site.clip
        assert leave.moved_bytes > 2 * len(site.clip)


@pytest.mark.parametrize("host", [*NAMES, "127.0.0.1", "169.254.169.254", "[::1]"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_spelling_of_a_private_address_is_reached(gate: Gate, forbidden: Site, scheme: str, host: str) -> None:
    expected = "ingest.unreachable" if host == "nowhere.test" else "ingest.address"

    with gate.admit(Budget()) as leave:
        assert refusal(leave, f"{scheme}://{host}:{forbidden.port}/") == expected

    assert forbidden.connections == 0


@pytest.mark.parametrize("host", ["0x7f.1", "2130706433", "0177.0.0.1", "127.1", "localhost"])
def test_the_systems_own_spellings_of_loopback_are_not_reached(forbidden: Site, host: str) -> None:
    with Gate(IngestionSettings(), ports=frozenset({forbidden.port})) as gate, gate.admit(Budget()) as leave:
        assert refusal(leave, f"http://{host}:{forbidden.port}/") == "ingest.address"

    assert forbidden.connections == 0


def test_a_name_is_asked_once_and_its_answer_is_what_is_connected_to(site: Site) -> None:
    answers = [["127.0.0.1"], ["169.254.169.254"]]

    async def rebinding(_host: str, _port: int) -> list[str]:
        return answers.pop(0)

    settings = IngestionSettings(allow=(f"rebind.test:{site.port}",))
    with Gate(settings, resolve=rebinding) as gate, gate.admit(Budget()) as leave:
        assert get(leave, f"http://rebind.test:{site.port}/clip.mp4") == site.clip

    assert answers == [["169.254.169.254"]]


def test_only_the_exact_entry_of_the_allow_list_is_open(gate: Gate, site: Site) -> None:
    with gate.admit(Budget()) as leave:
        assert refusal(leave, f"http://loopback.test:{site.port}/clip.mp4") == "ingest.address"
        assert refusal(leave, f"http://{site.address.replace(str(site.port), '22')}/") == "ingest.address"


def test_a_redirect_to_a_forbidden_server_is_asked_of_the_gate_again(gate: Gate, site: Site, forbidden: Site) -> None:
    with gate.admit(Budget()) as leave:
        assert refusal(leave, site.link(f"to/http://loopback.test:{forbidden.port}/")) == "ingest.address"

    assert forbidden.connections == 0


def test_nobody_gets_through_without_the_token(gate: Gate, site: Site) -> None:
    with gate.admit(Budget()) as leave:
        for url in (f"http://{leave.address}", f"http://clipwarden:wrong@{leave.address}"):
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({"http": url}))
            with pytest.raises(urllib.error.HTTPError) as refused:
                opener.open(site.link("clip.mp4"), timeout=10)
            assert refused.value.code == 407
            refused.value.close()


def test_without_a_token_only_this_user_gets_through(gate: Gate, site: Site) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can ask as somebody else")
    request = f"GET {site.link('clip.mp4')} HTTP/1.1\\r\\n\\r\\n"

    with gate.admit(Budget(), has_token=False) as leave:
        ask = f"exec 3<>/dev/tcp/127.0.0.1/{leave.port}; printf '{request}' >&3; head -c 12 <&3"
        said = [subprocess.check_output(["/bin/bash", "-c", ask], user=user) for user in (os.geteuid(), 65534)]

    assert said == [b"HTTP/1.0 200", b"HTTP/1.1 403"]


def test_a_pass_ends_with_its_block(gate: Gate, site: Site) -> None:
    with gate.admit(Budget()) as leave:
        left = socket.create_connection(("127.0.0.1", leave.port), 5)

    with left, pytest.raises(urllib.error.URLError):
        get(leave, site.link("clip.mp4"))
    with Gate(IngestionSettings()) as closed:
        pass
    with pytest.raises(ConfigError), closed.admit(Budget()):
        pass


@pytest.mark.parametrize(
    ("page", "budget", "code"),
    [
        ("endless", Budget(max_bytes=1_000_000), "ingest.too_large"),
        ("drip", Budget(max_s=0.3), "ingest.timeout"),
        ("stall", Budget(), "ingest.timeout"),
        ("silence", Budget(), "ingest.timeout"),
        ("loop", Budget(max_redirects=3), "ingest.redirects"),
        ("nonsense", Budget(), "ingest.server"),
    ],
)
def test_what_has_no_end_of_its_own_is_ended(gate: Gate, site: Site, page: str, budget: Budget, code: str) -> None:
    with gate.admit(budget) as leave:
        assert refusal(leave, site.link(page)) == code


def test_bytes_are_counted_over_all_connections_and_tunnels(gate: Gate, site: Site) -> None:
    with gate.admit(Budget(max_bytes=50_000)) as leave:
        tunnel = http.client.HTTPConnection(leave.address, timeout=5)
        tunnel.set_tunnel("127.0.0.1", site.port, headers={"Proxy-Authorization": to_credentials(leave.token or "")})
        tunnel.request("GET", "/endless")
        with pytest.raises(ConnectionResetError):
            tunnel.getresponse().read()
        tunnel.close()

        with pytest.raises(urllib.error.URLError):
            get(leave, site.link("clip.mp4"))

    assert [refusal.code for refusal in leave.refusals] == ["ingest.too_large"]


def test_a_client_that_never_finishes_its_head_is_dropped(gate: Gate) -> None:
    with gate.admit(Budget()) as leave, socket.create_connection(("127.0.0.1", leave.port), 10) as slow:
        slow.sendall(b"GET http://a/ HTTP/1.1\r\n")
        started_s = time.monotonic()
        with contextlib.suppress(ConnectionResetError):
            assert slow.recv(1) == b""

    assert time.monotonic() - started_s < 8
