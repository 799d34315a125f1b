import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from core.errors import ConfigError
from ingestion.posts import Post, item_of, read_posts
from tests.fixtures.stores import NOON

HERE: dict[str, Any] = {"host": "host", "tool": "clipwarden 1", "now": NOON}


def read(path: Path, *lines: object) -> list[object]:
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines), encoding="utf-8")
    return list(read_posts(path))


def test_a_line_is_a_file_a_text_or_a_recorded_event(tmp_path: Path) -> None:
    event = {"schema": "video.posted.v1", "video_id": "shop:1"}
    file = {"file": "a/b.mp4", "caption": "mèo", "hashtags": ["x"], "posted_at": "2026-11-22T09:30:00Z"}

    assert read(tmp_path / "posts.jsonl", file, "", {"caption": "only words", "video_id": "shop:2"}, event) == [
        (tmp_path / "a/b.mp4", Post("mèo", hashtags=("x",), posted_at=datetime(2026, 11, 22, 9, 30, tzinfo=UTC))),
        (None, Post("only words", "shop:2")),
        event,
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("not json", "line 2"),
        ([1], "no object"),
        ({"captoin": "x"}, "'captoin' is none of"),
        ({"caption": 7}, "no text"),
        ({"caption": "x", "posted_at": "yesterday"}, "yesterday"),
        ({"caption": "x", "posted_at": "2026-11-22T09:30:00"}, "time zone"),
        ({"caption": "x", "hashtags": [1]}, "no text"),
    ],
)
def test_a_line_that_is_none_of_these_is_named(tmp_path: Path, line: object, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        read(tmp_path / "posts.jsonl", {"caption": "fine"}, line)


def test_a_file_is_the_same_item_while_it_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"one")
    first = item_of(path, Post(), **HERE)
    again = item_of(path, Post(), **HERE)
    path.write_bytes(b"another")
    changed = item_of(path, Post(), **HERE)
    moved = item_of(path.rename(tmp_path / "b.mp4"), Post(), **HERE)

    assert again.item_key == first.item_key
    assert len({item.item_key for item in (first, changed, moved)}) == 3
    assert not first.is_distinct


def test_what_its_sender_named_is_a_video_of_its_own(tmp_path: Path) -> None:
    item = item_of(tmp_path / "a.mp4", Post(video_id="shop:1"), **HERE)

    assert (item.item_key, item.video_id, item.is_distinct) == ("shop:1", "shop:1", True)


def test_the_same_words_are_the_same_post() -> None:
    first, again, other = (item_of(None, Post(words), **HERE) for words in ("mèo", "mèo", "chó"))

    assert first.item_key == again.item_key == first.video_id
    assert other.item_key != first.item_key
    assert (first.path, first.host) == (None, None)
