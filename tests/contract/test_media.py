import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
import urllib3

from core.errors import MediaEmpty, MediaMissing, MediaTooLarge, ObjectsUnavailable
from core.settings import MediaSettings
from core.storage.media import S3Media
from core.storage.ports import MediaStore
from tests.fixtures.stores import Line

CLIP = bytes(range(256)) * 1000


def test_bytes_come_back(media: MediaStore) -> None:
    media.put_bytes("clips", "day/b.mp4", CLIP, "video/mp4")

    assert media.get_bytes("clips", "day/b.mp4") == CLIP


def test_a_file_comes_back_with_its_sha256(media: MediaStore, tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(CLIP)
    media.put_file("clips", "ngã ba/clip 1.mp4", tmp_path / "in", "video/mp4")

    digest = media.fetch("clips", "ngã ba/clip 1.mp4", tmp_path / "out", max_bytes=len(CLIP))

    assert digest == hashlib.sha256(CLIP).hexdigest()
    assert (tmp_path / "out").read_bytes() == CLIP


def test_storing_again_replaces(media: MediaStore) -> None:
    media.put_bytes("clips", "a", b"old", "video/mp4")
    media.put_bytes("clips", "a", b"new", "video/mp4")

    assert media.get_bytes("clips", "a") == b"new"


@pytest.mark.parametrize(("bucket", "key"), [("clips", "none"), ("no-such-bucket", "a")])
def test_what_is_not_there_is_missing(media: MediaStore, tmp_path: Path, bucket: str, key: str) -> None:
    with pytest.raises(MediaMissing):
        media.get_bytes(bucket, key)
    with pytest.raises(MediaMissing):
        media.fetch(bucket, key, tmp_path / "out", max_bytes=10)
    assert not (tmp_path / "out").exists()


def test_over_the_limit_leaves_no_file(media: MediaStore, tmp_path: Path) -> None:
    media.put_bytes("clips", "big", CLIP, "video/mp4")

    with pytest.raises(MediaTooLarge):
        media.fetch("clips", "big", tmp_path / "out", max_bytes=len(CLIP) - 1)

    assert not (tmp_path / "out").exists()


def test_an_empty_object_is_no_media(media: MediaStore, tmp_path: Path) -> None:
    media.put_bytes("clips", "empty", b"", "video/mp4")

    with pytest.raises(MediaEmpty):
        media.fetch("clips", "empty", tmp_path / "out", max_bytes=10)

    assert not (tmp_path / "out").exists()


def test_buckets_may_exist_already(media: MediaStore) -> None:
    media.put_bytes("clips", "kept", b"x", "video/mp4")

    media.ensure_buckets(["clips", "more", "clips"])

    assert media.get_bytes("clips", "kept") == b"x"
    media.put_bytes("more", "a", b"y", "video/mp4")
    media.ping()


def test_objects_are_listed_with_their_sizes(media: MediaStore) -> None:
    media.ensure_buckets(["listed"])
    media.put_bytes("listed", "a/1", b"x", "video/mp4")
    media.put_bytes("listed", "b", CLIP, "video/mp4")

    assert {found.key: found.size_bytes for found in media.listed("listed")} == {"a/1": 1, "b": len(CLIP)}
    assert all(found.changed_at.tzinfo is not None for found in media.listed("listed"))
    assert (media.size_bytes("listed", "b"), media.size_bytes("listed", "none")) == (len(CLIP), None)


def test_a_removed_object_is_gone(media: MediaStore) -> None:
    media.put_bytes("clips", "a", b"x", "video/mp4")

    media.remove("clips", "a")
    media.remove("clips", "a")

    assert media.size_bytes("clips", "a") is None


@pytest.fixture
def s3(media_settings: MediaSettings) -> S3Media:
    media = S3Media(media_settings)
    media.ensure_buckets(["clips"])
    media.put_bytes("clips", "a b/ü.mp4", CLIP, "video/mp4")
    return media


def test_a_link_opens_without_credentials_and_in_ranges(s3: S3Media, media_settings: MediaSettings) -> None:
    link = s3.presign("clips", "a b/ü.mp4")

    whole = urllib3.request("GET", link)
    part = urllib3.request("GET", link, headers={"Range": "bytes=10-19"})

    assert (whole.status, whole.data, whole.headers["Content-Type"]) == (200, CLIP, "video/mp4")
    assert (part.status, part.data) == (206, CLIP[10:20])
    assert media_settings.secret_key.get_secret_value() not in link


def test_without_a_link_an_object_does_not_open(s3: S3Media) -> None:
    bare = s3.presign("clips", "a b/ü.mp4").partition("?")[0]

    assert urllib3.request("GET", bare).status == 403


def test_a_link_runs_out(media_settings: MediaSettings) -> None:
    link = S3Media(media_settings).presign("clips", "a")

    assert f"X-Amz-Expires={media_settings.presign_expiry_s}" in link


@pytest.mark.parametrize(
    ("public", "start"),
    [("clips.example:9000", "http://clips.example:9000/"), ("https://clips.example", "https://clips.example/")],
)
def test_a_link_names_the_public_endpoint_and_asks_no_server(public: str, start: str) -> None:
    settings = MediaSettings(endpoint="127.0.0.1:1", public_endpoint=public, secret_key="x")

    assert S3Media(settings).presign("clips", "a").startswith(start + "clips/a?")


def test_wrong_credentials_are_no_missing_media(s3: S3Media, media_settings: MediaSettings) -> None:
    stranger = S3Media(MediaSettings(endpoint=media_settings.endpoint, access_key="x", secret_key="wrong"))

    with pytest.raises(ObjectsUnavailable):
        stranger.get_bytes("clips", "a b/ü.mp4")


def test_a_store_that_is_away_is_unavailable_and_comes_back(
    media_settings: MediaSettings, line: Callable[[str, int], Line], tmp_path: Path
) -> None:
    host, _, port = media_settings.endpoint.partition(":")
    laid = line(host, int(port))
    media = S3Media(media_settings.model_copy(update={"endpoint": f"127.0.0.1:{laid.port}"}))
    media.ensure_buckets(["clips"])
    media.put_bytes("clips", "a", b"x", "video/mp4")

    laid.cut()
    for call in (media.ping, lambda: media.get_bytes("clips", "a"), lambda: media.put_bytes("clips", "b", b"y", "a/b")):
        with pytest.raises(ObjectsUnavailable):
            call()
    with pytest.raises(ObjectsUnavailable):
        media.fetch("clips", "a", tmp_path / "out", max_bytes=10)
    assert not (tmp_path / "out").exists()
    laid.restore()

    assert media.get_bytes("clips", "a") == b"x"
