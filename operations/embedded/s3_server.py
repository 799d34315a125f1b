"""The S3 server's process: `nanio`, taught conditional writes.

The broker keeps its offsets in objects and writes them with If-Match and If-None-Match. A server that ignores both, as
nanio does, lets a restarted broker begin again at offset 0 over records it had confirmed (seen: every partition's first
batch after a restart was lost). docs/adr/0010-embedded-and-container-servers.md
"""

import argparse
import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from nanio.app import build_app
from nanio.auth.credentials import EnvCredentialResolver
from nanio.config import Settings
from nanio.errors import NoSuchKey, PreconditionFailed
from nanio.storage.filesystem import FilesystemStorage

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


_condition: ContextVar[Condition] = ContextVar("condition", default=Condition())  # noqa: B039 - frozen


class ConditionalStorage(FilesystemStorage):  # type: ignore[misc]  # nanio's types are not followed
    """Objects in a folder; one write per key at a time, and only where its condition holds."""

    def __init__(self, data_dir: Path, *, chunk_size: int) -> None:
        super().__init__(data_dir, chunk_size=chunk_size)
        self._writing: defaultdict[tuple[str, str], asyncio.Lock] = defaultdict(asyncio.Lock)

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
                return await super().put_object(bucket, key, body, **options)
        finally:
            if not lock.locked():
                self._writing.pop((bucket, key), None)

    def _etag(self, bucket: str, key: str) -> str | None:
        try:
            etag: str = self.head_object(bucket, key).etag
        except NoSuchKey:
            return None
        return etag


class ReadsCondition:
    """Notes a request's condition where the storage finds it."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(
        self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        """Handle one request."""
        headers = {name.lower(): value.decode("latin-1") for name, value in scope.get("headers", ())}
        _condition.set(Condition(headers.get(b"if-match"), headers.get(b"if-none-match")))
        await self._app(scope, receive, send)


def build(data_dir: Path) -> App:
    """The server over a folder; its keys come by NANIO_ACCESS_KEY and NANIO_SECRET_KEY."""
    settings = Settings(data_dir=data_dir, credentials=EnvCredentialResolver())
    app = build_app(settings)
    app.state.storage = ConditionalStorage(data_dir, chunk_size=settings.chunk_size)
    return ReadsCondition(app)


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
