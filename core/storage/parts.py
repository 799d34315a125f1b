"""An object sent in parts: nobody sees it before it is complete, and one that never is leaves nothing once swept away.

The gateway streams uploads through this, of any length, with a few megabytes in memory.
"""

import html
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import cast
from urllib.parse import SplitResult, quote, urlencode

import urllib3
from minio.credentials.credentials import Credentials
from minio.signer import presign_v4

from core.errors import ObjectsUnavailable
from core.settings import MediaSettings
from core.storage.media import CONNECT_TIMEOUT_S, CONNECTIONS

MIN_PART_BYTES = 5 * 1024 * 1024
"""The smallest part that S3 takes, the last one excepted."""

_READ_TIMEOUT_S = 120.0
"""Completing a large object may take a server this long: some join the parts only then."""

_SIGNED_FOR_S = 900
_UPLOAD = re.compile(rb"<Upload>(.*?)</Upload>", re.DOTALL)
_ERROR_CODE = re.compile(r"<Code>([A-Za-z0-9]{1,64})</Code>")


@dataclass(frozen=True)
class OpenUpload:
    """An object under way: its key, the store's name for this try at it, and when that began."""

    key: str
    upload_id: str
    begun_at: datetime


class S3Parts:
    """Uploads in parts into the media bucket. Connects at the first call; safe to share between threads.

    Requests carry their signature in the address, which leaves the body unsigned: no part is hashed only to be sent.
    The event holds the hash of the whole, and whoever fetches the object compares.
    """

    def __init__(self, settings: MediaSettings) -> None:
        scheme, found, self._host = settings.endpoint.rpartition("://")
        self._scheme = scheme if found else ("https" if settings.secure else "http")
        self._bucket = settings.bucket
        self._region = settings.region
        self._credentials = Credentials(settings.access_key, settings.secret_key.get_secret_value())
        timeout = urllib3.Timeout(connect=CONNECT_TIMEOUT_S, read=_READ_TIMEOUT_S)
        self._http = urllib3.PoolManager(timeout=timeout, maxsize=CONNECTIONS, retries=False)

    def begin(self, key: str, content_type: str) -> OpenUpload:
        """Open an upload.

        Raises:
            ObjectsUnavailable: as from every method here: the store refuses, or does not answer.
        """
        answer = self._ask("POST", key, {"uploads": ""}, headers={"Content-Type": content_type})
        return OpenUpload(key, _text(answer.data, "UploadId"), datetime.now(UTC))

    def put(self, upload: OpenUpload, number: int, body: bytes | bytearray) -> str:
        """Send a part, numbered from 1; returns the store's tag for it."""
        answer = self._ask("PUT", upload.key, {"partNumber": str(number), "uploadId": upload.upload_id}, body=body)
        return str(answer.headers.get("ETag", "")).strip('"')

    def complete(self, upload: OpenUpload, tags: Sequence[str]) -> None:
        """Make the object of its parts, in order; from now on it is there."""
        parts = "".join(
            f"<Part><PartNumber>{number}</PartNumber><ETag>{html.escape(tag)}</ETag></Part>"
            for number, tag in enumerate(tags, start=1)
        )
        body = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
        answer = self._ask("POST", upload.key, {"uploadId": upload.upload_id}, body=body)
        # S3 answers 200 before it knows, and may say only in the body that it failed.
        if b"<Error>" in answer.data:
            raise ObjectsUnavailable(f"{upload.key}: {_code(answer)} while it was completed")

    def abort(self, upload: OpenUpload) -> None:
        """Delete the parts; an upload that is gone is aborted."""
        self._ask("DELETE", upload.key, {"uploadId": upload.upload_id}, may_be_gone=True)

    def pending(self, prefix: str) -> list[OpenUpload]:
        """Uploads under a prefix that are neither complete nor aborted; a thousand at most."""
        answer = self._ask("GET", "", {"uploads": "", "prefix": prefix})
        found = (match[1] for match in _UPLOAD.finditer(answer.data))
        uploads = [_pending(entry) for entry in found]
        # Not every server heeds the prefix.
        return [upload for upload in uploads if upload.key.startswith(prefix)]

    def _ask(
        self,
        method: str,
        key: str,
        query: dict[str, str],
        *,
        body: bytes | bytearray | None = None,
        headers: dict[str, str] | None = None,
        may_be_gone: bool = False,
    ) -> urllib3.BaseHTTPResponse:
        # Its types forget that any buffer can be sent as it is.
        sent = cast("bytes | None", body)
        with _available(key or self._bucket):
            answer = self._http.request(method, self._signed(method, key, query), body=sent, headers=headers)
        if answer.status >= HTTPStatus.BAD_REQUEST and not (may_be_gone and answer.status == HTTPStatus.NOT_FOUND):
            raise ObjectsUnavailable(f"{key or self._bucket}: {answer.status} {_code(answer)}")
        return answer

    def _signed(self, method: str, key: str, query: dict[str, str]) -> str:
        path = f"/{self._bucket}/{quote(key)}" if key else f"/{self._bucket}"
        url = SplitResult(self._scheme, self._host, path, urlencode(query, quote_via=quote, safe=""), "")
        signed = presign_v4(
            method=method,
            url=url,
            region=self._region,
            credentials=self._credentials,
            date=datetime.now(UTC),
            expires=_SIGNED_FOR_S,
        )
        return str(signed.geturl())


def _pending(entry: bytes) -> OpenUpload:
    begun_at = datetime.fromisoformat(_text(entry, "Initiated"))
    return OpenUpload(_text(entry, "Key"), _text(entry, "UploadId"), begun_at)


def _text(xml: bytes, name: str) -> str:
    found = re.search(rf"<{name}>([^<]+)</{name}>".encode(), xml)
    if found is None:
        raise ObjectsUnavailable(f"the object store's answer holds no {name}; is it S3?")
    return html.unescape(found[1].decode())


def _code(answer: urllib3.BaseHTTPResponse) -> str:
    found = _ERROR_CODE.search(answer.data.decode("utf-8", "replace"))
    return found[1] if found else str(answer.reason or "")


@contextmanager
def _available(what: str) -> Iterator[None]:
    try:
        yield
    except urllib3.exceptions.HTTPError as error:
        raise ObjectsUnavailable(f"{what}: {type(error).__name__}: {error}") from error
