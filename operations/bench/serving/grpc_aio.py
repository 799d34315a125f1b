"""The baseline: the same batcher and stub behind gRPC's asyncio server, clips as raw bytes.

`python -m operations.bench.serving.grpc_aio` serves; `connected` is the client's side.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass

import grpc
import msgpack

from models.client import InferResult
from models.serving.batcher import Batcher, Entry, Key
from models.serving.job import FrameClip, Job
from operations.bench.serving.crew import say_ready
from operations.bench.serving.stub import CLIP, MAX_BATCH, MAX_WAIT_MS, StubEngine

_METHOD = "/clipwarden.Serving/Infer"
_OPTIONS = (("grpc.max_receive_message_length", 4 * CLIP.clip_bytes), ("grpc.max_send_message_length", -1))
_KEY = Key(tokens=0, has_clip=True)
_QUEUE = 512


@dataclass(frozen=True)
class _Waiting:
    job: Job
    answer: "asyncio.Future[InferResult]"


class _Service:
    """Queues what comes, computes batch after batch on one thread."""

    def __init__(self) -> None:
        self._engine = StubEngine()
        self._thread = ThreadPoolExecutor(1)
        self._arrived = asyncio.Event()
        self._batcher: Batcher[_Waiting] = Batcher(
            limit=lambda _key: MAX_BATCH, max_wait_s=MAX_WAIT_MS / 1e3, max_queue=_QUEUE
        )

    async def infer(self, clip: bytes, _context: object) -> bytes:
        """One request, answered as our worker words it."""
        answer: asyncio.Future[InferResult] = asyncio.get_running_loop().create_future()
        now_s = time.monotonic()
        self._batcher.offer(Entry(_Waiting(Job(clip=FrameClip(memoryview(clip))), answer), _KEY, 1, now_s, now_s))
        self._arrived.set()
        return bytes(msgpack.packb(vars(await answer)))

    async def compute(self) -> None:
        """For ever."""
        while True:
            batch = self._batcher.next(time.monotonic())
            if batch:
                await self._answer(batch)
            else:
                await self._rest()

    async def _answer(self, batch: Sequence[_Waiting]) -> None:
        loop = asyncio.get_running_loop()
        jobs = [waiting.job for waiting in batch]
        results = await loop.run_in_executor(self._thread, self._engine.score, jobs)
        for waiting, result in zip(batch, results, strict=True):
            if not waiting.answer.done():
                waiting.answer.set_result(result)

    async def _rest(self) -> None:
        """Until something comes, or what waits is due."""
        self._arrived.clear()
        due_s = self._batcher.due_s()
        try:
            async with asyncio.timeout(None if due_s is None else max(0.0, due_s - time.monotonic())):
                await self._arrived.wait()
        except TimeoutError:
            return


async def _serve() -> None:
    service = _Service()
    handler = grpc.method_handlers_generic_handler(
        "clipwarden.Serving", {"Infer": grpc.unary_unary_rpc_method_handler(service.infer)}
    )
    server = grpc.aio.server(options=_OPTIONS)
    server.add_generic_rpc_handlers((handler,))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    say_ready(f"127.0.0.1:{port}")
    computing = asyncio.create_task(service.compute())
    await asyncio.to_thread(sys.stdin.read)
    computing.cancel()
    await server.stop(None)


@asynccontextmanager
async def connected(endpoint: str, clip: bytes) -> AsyncIterator[Callable[[], Awaitable[object]]]:
    """The call that sends one clip."""
    async with grpc.aio.insecure_channel(endpoint, options=_OPTIONS) as channel:
        infer = channel.unary_unary(_METHOD)
        yield lambda: infer(clip)


if __name__ == "__main__":
    asyncio.run(_serve())
