from datetime import UTC, datetime

import pytest
from yt_dlp.utils import DownloadError, ExtractorError

from ingestion.download.causes import retry_after_s, to_ingest_error

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "expected_s"),
    [
        ("30", 30.0),
        ("999999999", 86_400.0),
        ("Mon, 23 Nov 2026 12:01:30 GMT", 90.0),
        ("Mon, 23 Nov 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        (None, None),
    ],
)
def test_how_long_to_wait_is_read_in_either_of_its_forms(value: str | None, expected_s: float | None) -> None:
    assert retry_after_s(value, NOW) == expected_s


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("Video not available, status code 10204", "ingest.gone"),
        ("This video is unavailable", "ingest.gone"),
        ("You do not have permission to view this post. Log into an account that has access", "ingest.login"),
        ("Sign in to confirm you're not a bot", "ingest.captcha"),
        ("Requested format is not available. Use --list-formats", "ingest.type"),
        ("Unable to extract webpage video data", "ingest.server"),
    ],
)
def test_the_words_of_an_extractor_have_a_code(said: str, code: str) -> None:
    inner = ExtractorError(said, expected=True)
    outer = DownloadError(f"ERROR: {said}", (type(inner), inner, None))

    assert to_ingest_error(outer).code == code


def test_what_nobody_foresaw_may_be_tried_again() -> None:
    error = to_ingest_error(KeyError("formats"))

    assert (error.code, error.is_passing) == ("ingest.server", True)
