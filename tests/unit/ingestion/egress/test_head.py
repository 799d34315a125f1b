import pytest

from core.errors import IngestError
from ingestion.egress.head import parse_answer, parse_request, split_head


def head(line: str, *fields: str) -> bytes:
    return "\r\n".join([line, *fields, "", ""]).encode("latin-1")


def test_a_request_goes_on_to_the_host_it_was_judged_by() -> None:
    asked = head(
        "GET http://Site.test:8080/a?b=1 HTTP/1.1",
        "Host: inner.test",
        "Proxy-Authorization: Basic eDp5",
        "Connection: keep-alive",
        "Accept: */*",
    )

    request = parse_request(*split_head(asked))

    assert (request.host, request.port) == ("site.test", 8080)
    assert request.to_bytes() == head("GET /a?b=1 HTTP/1.1", "Host: site.test:8080", "Accept: */*", "Connection: close")


@pytest.mark.parametrize("host", ["[2001:DB8::1]", "2001:DB8::1"])
def test_a_tunnel_names_a_host_and_a_port(host: str) -> None:
    request = parse_request(*split_head(head(f"CONNECT {host}:443 HTTP/1.1")))

    assert (request.host, request.port, request.path) == ("2001:db8::1", 443, None)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("GET ftp://site.test/a HTTP/1.1", "ingest.scheme"),
        ("GET file:///etc/passwd HTTP/1.1", "ingest.scheme"),
        ("GET /a HTTP/1.1", "ingest.scheme"),
        ("GET http:///a HTTP/1.1", "ingest.link"),
        ("GET http://me:secret@site.test/ HTTP/1.1", "ingest.link"),
        ("GET http://site.test:99999/ HTTP/1.1", "ingest.link"),
        ("GET http://site.test/ HTTP/2", "ingest.link"),
        ("GET  http://site.test/ HTTP/1.1", "ingest.link"),
        ("CONNECT site.test HTTP/1.1", "ingest.link"),
        ("CONNECT me@site.test:443 HTTP/1.1", "ingest.link"),
    ],
)
def test_a_request_that_cannot_be_judged_is_refused(line: str, code: str) -> None:
    with pytest.raises(IngestError) as refusal:
        parse_request(*split_head(head(line)))

    assert refusal.value.code == code


@pytest.mark.parametrize("field", [" folded: 1", "no colon", "a b: 1", "Content-Length: -1", "x: a\nHost: b"])
def test_a_field_that_two_readers_could_read_differently_is_refused(field: str) -> None:
    with pytest.raises(IngestError):
        parse_request(*split_head(head("GET http://site.test/ HTTP/1.1", field)))


def test_an_answer_is_the_last_on_its_connection() -> None:
    answer = parse_answer(head("HTTP/1.1 302 Found", "Location: /b", "Connection: keep-alive", "Keep-Alive: timeout=5"))

    assert answer.is_redirect
    assert answer.to_bytes() == head("HTTP/1.1 302 Found", "Location: /b", "Connection: close")


@pytest.mark.parametrize("line", ["SSH-2.0-OpenSSH_9.2", "HTTP/1.1 999 Odd", "HTTP/1.1 OK"])
def test_an_answer_that_is_no_http_is_refused(line: str) -> None:
    with pytest.raises(IngestError) as refusal:
        parse_answer(head(line))

    assert refusal.value.code == "ingest.server"
