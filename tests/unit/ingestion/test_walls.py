import pytest

from core.errors import IngestError
from ingestion.walls import wall_in_message, wall_on_page


def code(wall: IngestError | None) -> str | None:
    return None if wall is None else wall.code


@pytest.mark.parametrize(
    ("url", "html", "expected"),
    [
        ("https://a.example/x", '<form><input name=p type="password"></form>', "ingest.login"),
        ("https://a.example/accounts/login/?next=/x", "<p>hello</p>", "ingest.login"),
        ("https://a.example/x", '<div class="g-recaptcha" data-key="x"></div>', "ingest.captcha"),
        ("https://a.example/login", '<div id="captcha-verify-image"></div>', "ingest.captcha"),
        ("https://a.example/x", '<script src="/cdn-cgi/challenge-platform/x.js"></script>', "ingest.captcha"),
        ("https://a.example/blog/login-tips", "<p>what a captcha is</p>", None),
    ],
)
def test_a_page_in_place_of_a_video_is_told_from_one_without(url: str, html: str, expected: str | None) -> None:
    assert code(wall_on_page(url, html)) == expected


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Your IP address is blocked; log in for access. Use --cookies", "ingest.login"),
        ("This user's account is private. Log into an account that has access", "ingest.login"),
        ("Sign in to confirm you're not a bot", "ingest.captcha"),
        ("Unable to extract universal data", None),
    ],
)
def test_what_an_extractor_says_of_a_wall_is_understood(message: str, expected: str | None) -> None:
    assert code(wall_in_message(message)) == expected
