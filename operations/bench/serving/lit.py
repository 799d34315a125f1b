"""The other baseline: the same stub behind LitServe, with its own batching; clips as form uploads, its binary input.

`python -m operations.bench.serving.lit` serves; `connected` is the client's side.
"""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import httpx
import litserve

from models.serving.job import FrameClip, Job
from operations.bench.serving.crew import say_ready
from operations.bench.serving.stub import MAX_BATCH, MAX_WAIT_MS, StubEngine

_PATH = "/predict"
_FIELD = "clip"
_START_S = 60.0


class _Api(litserve.LitAPI):  # type: ignore[misc]  # it ships no types
    def setup(self, _device: str) -> None:
        self._engine = StubEngine()

    def decode_request(self, request: litserve.Request) -> bytes:
        # So annotated it is given the form, as a dict; anything else would be a JSON body.
        return bytes(request[_FIELD].file.read())

    def batch(self, inputs: Sequence[bytes]) -> list[bytes]:
        return list(inputs)

    def predict(self, clips: Sequence[bytes]) -> list[dict[str, object]]:
        return [
            vars(result) for result in self._engine.score([Job(clip=FrameClip(memoryview(clip))) for clip in clips])
        ]

    def unbatch(self, output: list[dict[str, object]]) -> list[dict[str, object]]:
        return output

    def encode_response(self, output: dict[str, object]) -> dict[str, object]:
        return output


def _serve() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    api = _Api(max_batch_size=MAX_BATCH, batch_timeout=MAX_WAIT_MS / 1e3, api_path=_PATH)
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=1)
    say_ready(f"http://127.0.0.1:{port}")
    server.run(host="127.0.0.1", port=port, log_level="error", generate_client_file=False)


@asynccontextmanager
async def connected(endpoint: str, clip: bytes) -> AsyncIterator[Callable[[], Awaitable[object]]]:
    """The call that sends one clip."""
    async with httpx.AsyncClient(base_url=endpoint, timeout=60) as client:
        await _until_up(client)

        async def infer() -> None:
            answer = await client.post(_PATH, files={_FIELD: ("clip", clip)})
            answer.raise_for_status()

        yield infer


async def _until_up(client: httpx.AsyncClient) -> None:
    """It says that it is ready before it listens: only then it starts its processes."""
    deadline_s = time.monotonic() + _START_S
    while True:
        try:
            (await client.get("/health")).raise_for_status()
        except httpx.HTTPError:
            if time.monotonic() > deadline_s:
                raise
            await asyncio.sleep(0.1)
        else:
            return


if __name__ == "__main__":
    _serve()
