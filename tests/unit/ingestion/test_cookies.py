import traceback
from pathlib import Path

import pytest

from core.errors import ConfigError
from ingestion.cookies import load_cookies

NOW_S = 1_800_000_000
SECRET = "made-up-session-value"
LINES = (
    "# Netscape HTTP Cookie File",
    f".tiktok.com\tTRUE\t/\tTRUE\t4102444800\tsessionid\t{SECRET}",
    f"#HttpOnly_www.tiktok.com\tFALSE\t/\tFALSE\t0\ttt_webid\t{SECRET}",
    f".nottiktok.com\tTRUE\t/\tTRUE\t4102444800\tother\t{SECRET}",
    f".tiktok.com\tTRUE\t/\tTRUE\t1\told\t{SECRET}",
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "cookies.txt"
    path.write_text("\n".join(LINES) + "\n")
    path.chmod(0o600)
    return path


def test_only_the_platforms_own_cookies_that_still_hold_are_given_to_the_browser(file: Path) -> None:
    given = [cookie.for_devtools() for cookie in load_cookies(file, "tiktok.com", now_s=NOW_S)]

    assert sorted(cookie["name"] for cookie in given) == ["sessionid", "tt_webid"]
    (session,) = (cookie for cookie in given if cookie["name"] == "sessionid")
    assert session == {
        "name": "sessionid",
        "value": SECRET,
        "domain": ".tiktok.com",
        "path": "/",
        "secure": True,
        "httpOnly": False,
        "expires": 4102444800,
    }


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_file_that_others_can_read_is_refused_with_what_to_do(file: Path, mode: int) -> None:
    file.chmod(mode)

    with pytest.raises(ConfigError, match="chmod 600"):
        load_cookies(file, "tiktok.com", now_s=NOW_S)


def test_a_file_in_a_repository_is_refused_also_through_a_link(file: Path, tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    (checkout / ".git").mkdir(parents=True)
    inside = file.rename(checkout / "cookies.txt")
    link = tmp_path / "link.txt"
    link.symlink_to(inside)

    for path in (inside, link):
        with pytest.raises(ConfigError, match="repository"):
            load_cookies(path, "tiktok.com", now_s=NOW_S)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        load_cookies(tmp_path / "none.txt", "tiktok.com", now_s=NOW_S)


def test_no_error_and_no_print_shows_a_cookie(file: Path) -> None:
    cookies = load_cookies(file, "tiktok.com", now_s=NOW_S)
    file.write_text(f"{LINES[0]}\nbroken {SECRET}\n")

    with pytest.raises(ConfigError, match="Netscape") as raised:
        load_cookies(file, "tiktok.com", now_s=NOW_S)

    assert SECRET not in "".join(traceback.format_exception(raised.value))
    assert SECRET not in repr(cookies)
