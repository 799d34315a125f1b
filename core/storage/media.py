"""Objects in S3 (MinIO): ingestion stores clips here, the flow fetches them, the console links to them."""

import hashlib
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import urllib3
from minio import Minio
from minio.error import MinioException, S3Error

from core.errors import ConfigError, MediaEmpty, MediaMissing, MediaTooLarge, ObjectsUnavailable
from core.settings import MediaSettings
from core.storage.ports import StoredObject

CONNECT_TIMEOUT_S = 2.0
READ_TIMEOUT_S = 20.0
CHUNK_BYTES = 1 << 20
CONNECTIONS = 32

_MISSING = frozenset({"NoSuchKey", "NoSuchBucket", "NoSuchObject", "NoSuchVersion", "ResourceNotFound"})
_OURS_ALREADY = frozenset({"BucketAlreadyOwnedByYou", "BucketAlreadyExists"})


class S3Media:
    """Objects in any server that speaks S3. Connects at the first call; safe to share between threads."""

    def __init__(self, settings: MediaSettings) -> None:
        self._bucket = settings.bucket
        self._expiry = timedelta(seconds=settings.presign_expiry_s)
        self._client = _client(settings, settings.endpoint)
        self._public = _client(settings, settings.public_endpoint or settings.endpoint)

    def ensure_buckets(self, buckets: Sequence[str]) -> None:
        """Create what is missing; the names of one setting may repeat."""
        for bucket in dict.fromkeys(buckets):
            with _available(bucket):
                if not self._client.bucket_exists(bucket):
                    self._make_bucket(bucket)

    def put_file(self, bucket: str, key: str, path: Path, content_type: str) -> None:
        """Store a file; returns after the store confirmed it."""
        with _available(f"{bucket}/{key}"):
            self._client.fput_object(bucket, key, str(path), content_type=content_type)

    def put_bytes(self, bucket: str, key: str, body: bytes, content_type: str) -> None:
        """Store bytes; returns after the store confirmed them."""
        with _available(f"{bucket}/{key}"):
            self._client.put_object(bucket, key, io.BytesIO(body), len(body), content_type=content_type)

    def get_bytes(self, bucket: str, key: str) -> bytes:
        """A small object, whole.

        Raises:
            MediaMissing: no such object.
            ObjectsUnavailable: the store does not answer.
        """
        with self._opened(bucket, key) as response:
            return bytes(response.read())

    def fetch(self, bucket: str, key: str, to: Path, *, max_bytes: int) -> str:
        """Download to a file, returning the sha256 of what was read; after an error there is no file.

        Raises:
            MediaMissing: no such object.
            MediaEmpty: it has no bytes.
            MediaTooLarge: over max_bytes.
            ObjectsUnavailable: the store does not answer.
        """
        try:
            with self._opened(bucket, key) as response:
                return _save(response.stream(CHUNK_BYTES), to, max_bytes=max_bytes)
        except BaseException:
            to.unlink(missing_ok=True)
            raise

    def size_bytes(self, bucket: str, key: str) -> int | None:
        """How large an object is; None when there is none."""
        try:
            with _available(f"{bucket}/{key}"):
                return int(self._client.stat_object(bucket, key).size or 0)
        except MediaMissing:
            return None

    def remove(self, bucket: str, key: str) -> None:
        """Delete an object; one that is not there is deleted."""
        with _available(f"{bucket}/{key}"):
            self._client.remove_object(bucket, key)

    def listed(self, bucket: str) -> Iterator[StoredObject]:
        """Every object of a bucket; MediaMissing without the bucket."""
        with _available(bucket):
            for found in self._client.list_objects(bucket, recursive=True):
                yield StoredObject(found.object_name, int(found.size or 0), found.last_modified)

    def presign(self, bucket: str, key: str) -> str:
        """A link that opens the object for a short while, without the secret in it; asks no server."""
        link: str = self._public.presigned_get_object(bucket, key, expires=self._expiry)
        return link

    def ping(self) -> None:
        """Raise ObjectsUnavailable when the store does not answer."""
        with _available(self._bucket):
            self._client.bucket_exists(self._bucket)

    def _make_bucket(self, bucket: str) -> None:
        try:
            self._client.make_bucket(bucket)
        except S3Error as error:
            # Another process was faster.
            if error.code not in _OURS_ALREADY:
                raise

    @contextmanager
    def _opened(self, bucket: str, key: str) -> Iterator[Any]:
        with _available(f"{bucket}/{key}"):
            response = self._client.get_object(bucket, key)
            try:
                yield response
            finally:
                # A body read only in part would block the connection for the next request.
                response.close()
                response.release_conn()


def _client(settings: MediaSettings, endpoint: str) -> Minio:
    scheme, found, host = endpoint.rpartition("://")
    try:
        return Minio(
            host,
            access_key=settings.access_key,
            secret_key=settings.secret_key.get_secret_value(),
            secure=scheme == "https" if found else settings.secure,
            # Known beforehand, or the client would ask the server before it signs.
            region=settings.region,
            http_client=urllib3.PoolManager(
                timeout=urllib3.Timeout(connect=CONNECT_TIMEOUT_S, read=READ_TIMEOUT_S),
                maxsize=CONNECTIONS,
                # Trying again is the caller's: it waits, says so, and goes on without limit.
                retries=urllib3.Retry(0),
            ),
        )
    except ValueError as error:
        raise ConfigError(
            f"the object store's settings cannot be used ({error}); "
            "set CLIPWARDEN_MEDIA__ENDPOINT, CLIPWARDEN_MEDIA__ACCESS_KEY and CLIPWARDEN_MEDIA__SECRET_KEY"
        ) from error


def _save(chunks: Iterator[bytes], to: Path, *, max_bytes: int) -> str:
    digest = hashlib.sha256()
    size_bytes = 0
    with to.open("wb") as file:
        for chunk in chunks:
            size_bytes += len(chunk)
            if size_bytes > max_bytes:
                raise MediaTooLarge(f"over {max_bytes} bytes")
            digest.update(chunk)
            file.write(chunk)
    if size_bytes == 0:
        raise MediaEmpty("the object has no bytes")
    return digest.hexdigest()


@contextmanager
def _available(what: str) -> Iterator[None]:
    try:
        yield
    except S3Error as error:
        if error.code in _MISSING:
            raise MediaMissing(f"{what}: {error.code}") from error
        raise ObjectsUnavailable(f"{what}: {error.code}: {error.message}") from error
    except urllib3.exceptions.MaxRetryError as error:
        # One attempt was made; its reason says all.
        raise ObjectsUnavailable(f"{what}: {error.reason}") from error
    except (MinioException, urllib3.exceptions.HTTPError) as error:
        raise ObjectsUnavailable(f"{what}: {type(error).__name__}: {error}") from error
