"""Objects in parts on a real S3 server: nobody sees one before it is complete, and an aborted one is gone."""

import pytest

from core.errors import ObjectsUnavailable
from core.settings import MediaSettings
from core.storage.media import S3Media
from core.storage.parts import MIN_PART_BYTES, S3Parts

pytestmark = pytest.mark.integration

PARTS = (bytes(range(256)) * (MIN_PART_BYTES // 256), b"the end")
KEY = "videos/gateway-ab/c d+é"


@pytest.fixture
def settings(media_settings: MediaSettings) -> MediaSettings:
    S3Media(media_settings).ensure_buckets([media_settings.bucket])
    return media_settings


def test_parts_become_an_object_that_nobody_saw_before(settings: MediaSettings) -> None:
    parts, media = S3Parts(settings), S3Media(settings)
    upload = parts.begin(KEY, "video/mp4")
    tags = [parts.put(upload, number, body) for number, body in enumerate(PARTS, start=1)]
    assert [found.key for found in parts.pending("videos/gateway-")] == [KEY]
    assert parts.pending("elsewhere/") == []
    assert media.size_bytes(settings.bucket, KEY) is None

    parts.complete(upload, tags)

    assert media.get_bytes(settings.bucket, KEY) == b"".join(PARTS)
    assert parts.pending("") == []


def test_an_aborted_upload_is_gone_and_may_be_aborted_again(settings: MediaSettings) -> None:
    parts = S3Parts(settings)
    upload = parts.begin(KEY, "video/mp4")
    parts.put(upload, 1, PARTS[0])

    parts.abort(upload)
    parts.abort(upload)

    assert parts.pending("") == []
    with pytest.raises(ObjectsUnavailable, match="NoSuchUpload"):
        parts.put(upload, 2, PARTS[1])


def test_a_wrong_key_or_tag_is_refused_with_the_stores_reason(settings: MediaSettings) -> None:
    upload = S3Parts(settings).begin(KEY, "video/mp4")
    stranger = S3Parts(settings.model_copy(update={"access_key": "stranger"}))

    with pytest.raises(ObjectsUnavailable, match="403"):
        stranger.put(upload, 1, b"x")
    with pytest.raises(ObjectsUnavailable, match="InvalidPart"):
        S3Parts(settings).complete(upload, ["no tag"])
