"""The S3 server's process: `nanio`, taught conditional writes and quick listings.

The broker keeps its offsets in objects and writes them with If-Match and If-None-Match. A server that ignores both, as
nanio does, lets a restarted broker begin again at offset 0 over records it had confirmed (seen: every partition's first
batch after a restart was lost). Killed between an object and its description, it refused the object ever after, and
with it all that a partition was sent (seen). And it lists all of a partition's batches three times for each that a
consumer reads: read from the folder each time, 125 batches held consumers to 50 records a second, 175 to 5 (measured).
docs/adr/0010-embedded-and-container-servers.md
"""

import argparse
import asyncio
import hashlib
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, MutableMapping
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import uvicorn
from nanio.app import build_app
from nanio.auth.credentials import EnvCredentialResolver
from nanio.config import Settings
from nanio.errors import NoSuchKey, PreconditionFailed
from nanio.storage.backend import ObjectInfo
from nanio.storage.filesystem import FilesystemStorage
from nanio.storage.paths import metadata_path

Message = MutableMapping[str, Any]
App = Callable[[Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]


@dataclass(frozen=True)
class Condition:
    """What a write demands of the object that is there; None demands nothing, `*` that it exists at all."""

    if_match: str | None = None
    if_none_match: str | None = None

    def holds(self, etag: str | None) -> bool:
        """Whether an object with this ETag, None for no object, may be written over."""
        if self.if_match is not None and (etag is None or self.if_match not in ("*", etag)):
            return False
        return self.if_none_match is None or etag is None or self.if_none_match not in ("*", etag)


_BEING_WRITTEN = ".tmp."
_condition: ContextVar[Condition] = ContextVar("condition", default=Condition())  # noqa: B039 - frozen


class ConditionalStorage(FilesystemStorage):  # type: ignore[misc]  # nanio's types are not followed
    """Objects in a folder; one write per key at a time, and only where its condition holds.

    Nobody else may write there: a listing is remembered until something is written or deleted under its prefix.
    """

    def __init__(self, data_dir: Path, *, chunk_size: int) -> None:
        super().__init__(data_dir, chunk_size=chunk_size)
        self._writing: defaultdict[tuple[str, str], asyncio.Lock] = defaultdict(asyncio.Lock)
        self._listings: dict[tuple[str, str], dict[Hashable, Any]] = {}

    async def put_object(self, bucket: str, key: str, body: AsyncIterator[bytes], **options: Any) -> Any:  # noqa: ANN401 - nanio's own
        """Store an object.

        Raises:
            PreconditionFailed: the condition of the request does not hold.
        """
        lock = self._writing[bucket, key]
        try:
            async with lock:
                if not _condition.get().holds(self._etag(bucket, key)):
                    raise PreconditionFailed(resource=f"{bucket}/{key}")
                self._forget_half_written(bucket, key)
                return await super().put_object(bucket, key, body, **options)
        finally:
            self.forget_listings(bucket, key)
            if not lock.locked():
                self._writing.pop((bucket, key), None)

    def delete_object(self, bucket: str, key: str) -> None:
        """Delete an object."""
        super().delete_object(bucket, key)
        self.forget_listings(bucket, key)

    def list_objects(self, bucket: str, *, prefix: str = "", **options: Any) -> Any:  # noqa: ANN401 - nanio's own
        """A page of a listing."""
        pages = self._listings.setdefault((bucket, prefix), {})
        page = tuple(sorted(options.items()))
        if page not in pages:
            found = super().list_objects(bucket, prefix=prefix, **options)
            # nanio lists what is being written too, and what a kill left of that; the broker stumbles over the name.
            contents = [info for info in found.contents if not Path(info.key).name.startswith(_BEING_WRITTEN)]
            pages[page] = replace(found, contents=contents)
        return pages[page]

    def forget_listings(self, bucket: str = "", key: str = "") -> None:
        """Forget the listings that hold this key; without a key, all."""
        kept = {} if not key else self._listings
        self._listings = {of: pages for of, pages in kept.items() if of[0] != bucket or not key.startswith(of[1])}

    def _forget_half_written(self, bucket: str, key: str) -> None:
        """Remove the description that a killed server was writing; nanio would refuse the object for ever (seen)."""
        description = metadata_path(self.data_dir, bucket, key)
        description.with_name(f"{description.name}.tmp").unlink(missing_ok=True)

    def _read_or_synthesize_metadata(self, bucket: str, key: str, opath: Path) -> ObjectInfo:
        """What is known of an object; a description older than it, left by a kill, would cut it at the old size."""
        info: ObjectInfo = super()._read_or_synthesize_metadata(bucket, key, opath)
        if info.size == opath.stat().st_size:
            return info
        content = opath.read_bytes()
        etag = hashlib.md5(content, usedforsecurity=False).hexdigest()
        return replace(info, size=len(content), etag=f'"{etag}"')

    def _etag(self, bucket: str, key: str) -> str | None:
        try:
            etag: str = self.head_object(bucket, key).etag
        except NoSuchKey:
            return None
        return etag


class ReadsCondition:
    """Notes a request's condition where the storage finds it."""

    def __init__(self, app: App, storage: ConditionalStorage) -> None:
        self._app = app
        self._storage = storage

    async def __call__(
        self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        """Handle one request."""
        headers = {name.lower(): value.decode("latin-1") for name, value in scope.get("headers", ())}
        _condition.set(Condition(headers.get(b"if-match"), headers.get(b"if-none-match")))
        await self._app(scope, receive, send)
        if scope.get("method") in ("POST", "DELETE"):
            # Uploads in parts and deleted buckets pass the storage by.
            self._storage.forget_listings()


def build(data_dir: Path) -> App:
    """The server over a folder; its keys come by NANIO_ACCESS_KEY and NANIO_SECRET_KEY."""
    settings = Settings(data_dir=data_dir, credentials=EnvCredentialResolver())
    app = build_app(settings)
    app.state.storage = ConditionalStorage(data_dir, chunk_size=settings.chunk_size)
    return ReadsCondition(app, app.state.storage)


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--data-dir", type=Path, required=True)
    arguments = parser.parse_args()
    uvicorn.run(
        build(arguments.data_dir.resolve()),
        host=arguments.host,
        port=arguments.port,
        access_log=False,
        log_level="warning",
    )


if __name__ == "__main__":
    main()
