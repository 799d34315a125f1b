"""Every error of ours has a status that says whose fault it is."""

from http import HTTPStatus

import pytest

from core.errors import MediaTooLarge, MediaUndecodable, PlatformError, StoreUnavailable
from core.errors_ingest import IngestForgotten, IngestTypeRefused
from ingestion.gateway.refusals import RequestMalformed, RequestsTooMany, retry_after_s, status_of


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (RequestMalformed("x"), HTTPStatus.BAD_REQUEST),
        (MediaTooLarge("x"), HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
        (IngestTypeRefused("x"), HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
        (MediaUndecodable("x"), HTTPStatus.UNPROCESSABLE_ENTITY),
        (IngestForgotten("x"), HTTPStatus.UNPROCESSABLE_ENTITY),
        (StoreUnavailable("x"), HTTPStatus.SERVICE_UNAVAILABLE),
        (PlatformError("x"), HTTPStatus.INTERNAL_SERVER_ERROR),
    ],
)
def test_a_status_says_whose_fault_it_is(error: PlatformError, status: HTTPStatus) -> None:
    assert status_of(error) is status


def test_who_should_come_again_is_told_when() -> None:
    assert retry_after_s(RequestsTooMany("x", 2.5)) == 2.5
    assert retry_after_s(StoreUnavailable("x"))
    assert retry_after_s(RequestMalformed("x")) is None
