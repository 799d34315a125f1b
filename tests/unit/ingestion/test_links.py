from pathlib import Path

import pytest

from core.errors import ConfigError, IngestError
from core.storage.items import NewItem
from ingestion.links import RefusedLine, link_key, normalised, read_links
from tests.fixtures.stores import NOON


def read(path: Path, content: bytes) -> list[NewItem | RefusedLine]:
    path.write_bytes(content)
    return list(read_links(path, now=NOON, tool="clipwarden 1"))


@pytest.mark.parametrize(
    ("link", "key"),
    [
        ("https://www.tiktok.com/@cat.lover/video/7301234567890123456?is_from_webapp=1", "tiktok:7301234567890123456"),
        ("http://m.tiktok.com/@/video/7301234567890123456/", "tiktok:7301234567890123456"),
        ("https://www.youtube.com/shorts/dQw4w9WgXcQ?feature=share", "youtube:dQw4w9WgXcQ"),
        ("https://youtube.com/watch?t=1&v=dQw4w9WgXcQ", "youtube:dQw4w9WgXcQ"),
        ("https://www.tiktok.com/embed/v2/7301234567890123456", "tiktok:7301234567890123456"),
        ("https://youtu.be/dQw4w9WgXcQ", "youtube:dQw4w9WgXcQ"),
        ("https://www.youtube.com/embed/dQw4w9WgXcQ", "youtube:dQw4w9WgXcQ"),
        ("https://Bücher.example./", "link:https://xn--bcher-kva.example/"),
        ("HTTPS://Example.com:443#top", "link:https://example.com/"),
        ("http://example.com:8080/a?b=1", "link:http://example.com:8080/a?b=1"),
        ("http://[2001:DB8::1]/x", "link:http://[2001:db8::1]/x"),
        (
            "https://nottiktok.com/@a/video/7301234567890123456",
            "link:https://nottiktok.com/@a/video/7301234567890123456",
        ),
    ],
)
def test_one_video_has_one_key_however_its_link_is_written(link: str, key: str) -> None:
    assert link_key(normalised(link)) == key


@pytest.mark.parametrize(
    ("link", "code"),
    [
        ("", "ingest.scheme"),
        ("clip.mp4", "ingest.scheme"),
        ("file:///etc/passwd", "ingest.scheme"),
        ("javascript:alert(1)", "ingest.scheme"),
        ("http://", "ingest.link"),
        ("http://me:secret@example.com/", "ingest.link"),
        ("http://example.com:99999/", "ingest.link"),
        ("http://[::1/", "ingest.link"),
        ("http://example.com/a\r\nHost: b", "ingest.link"),
        ("http://example.com/" + "a" * 3_000, "ingest.link"),
    ],
)
def test_what_is_no_link_to_fetch_is_refused_with_its_code(link: str, code: str) -> None:
    with pytest.raises(IngestError) as refusal:
        normalised(link)

    assert refusal.value.code == code


def test_digits_of_another_script_are_the_address_they_lead_to() -> None:
    assert normalised("http://\uff11\uff12\uff17.0.0.1/") == "http://127.0.0.1/"


def test_a_refusal_does_not_repeat_credentials() -> None:
    with pytest.raises(IngestError) as refusal:
        normalised("http://me:hunter2@example.com/")

    assert "hunter2" not in str(refusal.value)


def test_a_list_keeps_its_label_as_what_it_said_and_nothing_more(tmp_path: Path) -> None:
    text = 'hashtag,link,description,label\r\nmèo,https://a.example/1,"hai dòng,\nmột mèo",harmful\r\n'

    (item,) = read(tmp_path / "links.csv", text.encode("utf-8-sig"))

    assert isinstance(item, NewItem)
    assert (item.sighting.label, item.sighting.hashtag) == ("harmful", "mèo")
    assert item.caption == "hai dòng,\nmột mèo"
    assert "harmful" not in str(item.provenance) + str(item.hashtags)


def test_columns_may_stand_in_any_order_and_be_missing(tmp_path: Path) -> None:
    (item,) = read(tmp_path / "links.csv", b"other,link\nx,https://a.example/1\n")

    assert isinstance(item, NewItem)
    assert (item.item_key, item.caption, item.sighting.label) == ("link:https://a.example/1", None, None)


def test_a_line_without_a_link_is_named_and_the_rest_is_read(tmp_path: Path) -> None:
    good, bad = read(tmp_path / "links.csv", b"link\nhttps://a.example/1\nftp://a.example/2\n")

    assert isinstance(good, NewItem)
    assert bad == RefusedLine(3, "ingest.scheme", "'ftp://a.example/2' is not fetched: only http and https are")


@pytest.mark.parametrize("content", [b"", b"url\nhttps://a\n", b"link\n\xff\xfe\n", b'link\n"never closed\n'])
def test_what_is_no_list_is_one_line(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ConfigError):
        read(tmp_path / "links.csv", content)


def test_a_list_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        list(read_links(tmp_path / "none.csv", now=NOON, tool=""))
