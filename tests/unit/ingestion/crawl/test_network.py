import json
from typing import Any

import pytest

from ingestion.crawl.network import MAX_LOADING, NetworkLog

TAB = "the-tab"


def entry(method: str, **params: Any) -> dict[str, str]:  # noqa: ANN401 - as DevTools writes them
    return {"message": json.dumps({"message": {"method": f"Network.{method}", "params": params}})}


def received(request: str, url: str = "http://a.test/items", *, kind: str = "Fetch", status: int = 200, **headers: str) -> dict[str, str]:  # fmt: skip  # noqa: E501
    response = {"url": url, "status": status, "headers": headers}
    return entry("responseReceived", requestId=request, type=kind, frameId=TAB, response=response)


def finished(request: str) -> dict[str, str]:
    return entry("loadingFinished", requestId=request)


@pytest.fixture
def log() -> NetworkLog:
    return NetworkLog(lambda url: url.endswith("/items"), tab=TAB)


def test_an_answer_is_told_once_its_body_is_whole_whichever_log_that_lies_in(log: NetworkLog) -> None:
    first = list(log.take([received("1"), received("2"), finished("2")]))
    second = list(log.take([finished("1"), finished("1")]))

    assert [head.request_id for head in first] == ["2"]
    assert [head.request_id for head in second] == ["1"]


def test_other_addresses_preflights_and_failed_answers_are_not_told(log: NetworkLog) -> None:
    entries = [
        received("1", "http://a.test/other"),
        received("2", kind="Preflight"),
        received("3"),
        entry("loadingFailed", requestId="3", errorText="net::ERR_ABORTED"),
        *map(finished, "123"),
    ]

    assert not list(log.take(entries))


def test_a_page_that_never_finishes_its_answers_does_not_fill_the_memory(log: NetworkLog) -> None:
    list(log.take(received(str(number)) for number in range(3 * MAX_LOADING)))

    assert len(log._loading) == MAX_LOADING


def test_how_the_site_answered_for_the_page_itself_is_kept(log: NetworkLog) -> None:
    list(log.take([received("1", "http://a.test/tag", kind="Document", status=429, **{"Retry-After": "7"})]))

    assert log.document is not None
    assert (log.document.status, log.document.retry_after_s) == (429, 7.0)


def test_a_page_that_lists_videos_itself_is_told_like_its_answers(log: NetworkLog) -> None:
    (head,) = log.take([received("1", kind="Document"), finished("1")])

    assert head == log.document


@pytest.mark.parametrize("said", ["Wed, 21 Oct 2026 07:28:00 GMT", "-1", "1e9", "٣", ""])
def test_a_wait_that_is_no_number_of_seconds_is_no_wait(log: NetworkLog, said: str) -> None:
    (head,) = log.take([received("1", **{"retry-after": said}), finished("1")])

    assert head.retry_after_s is None


@pytest.mark.parametrize(("frame", "failure"), [(TAB, "net::ERR_FAILED"), ("an-advertisement", None)])
def test_a_page_that_did_not_load_is_told_from_a_frame_in_it(log: NetworkLog, frame: str, failure: str | None) -> None:
    asked = entry("requestWillBeSent", requestId="1", type="Document", frameId=frame)

    list(log.take([asked, entry("loadingFailed", requestId="1", errorText="net::ERR_FAILED")]))

    assert log.failure == failure


def test_a_page_that_is_there_may_fail_to_lead_elsewhere(log: NetworkLog) -> None:
    page = received("1", "http://a.test/tag", kind="Document")
    app = entry("requestWillBeSent", requestId="2", type="Document", frameId=TAB)

    list(log.take([page, app, entry("loadingFailed", requestId="2", errorText="net::ERR_ABORTED")]))

    assert log.failure is None
