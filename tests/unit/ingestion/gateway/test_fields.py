"""Fields mean the same in a form and in JSON, and what no event may hold is refused."""

import json

import pytest

from ingestion.gateway.fields import PostFields
from ingestion.gateway.refusals import FieldRefused, RequestMalformed


def test_a_form_and_json_say_the_same() -> None:
    form = PostFields.parse_form([("caption", "chào".encode()), ("hashtags", b"a, b,"), ("video_id", b"v:1")])
    body = PostFields.parse_json(json.dumps({"caption": "chào", "hashtags": ["a", "b"], "video_id": "v:1"}).encode())

    assert form == body
    assert form.digest("ab") == body.digest("ab")


@pytest.mark.parametrize("other", [PostFields(caption="b"), PostFields(caption="a", hashtags=("x",)), PostFields()])
def test_another_request_has_another_digest(other: PostFields) -> None:
    mine = PostFields(caption="a")

    assert mine.digest(None) != other.digest(None)
    assert mine.digest("ab") != mine.digest("cd")


@pytest.mark.parametrize(
    "values",
    [{"caption": "\x00"}, {"hashtags": ["x"] * 101}, {"video_id": "a b"}, {"posted_at": "2026-01-01"}, {"x": 1}, [], 5],
)
def test_what_no_event_may_hold_is_refused(values: object) -> None:
    with pytest.raises(FieldRefused):
        PostFields.parse(values)


@pytest.mark.parametrize("body", [b"", b"\xff", b"{'a': 1}", b"[" * 200_000])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(RequestMalformed):
        PostFields.parse_json(body)
