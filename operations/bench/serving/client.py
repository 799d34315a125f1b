"""A client process of `bench serving`: `python -m operations.bench.serving.client ring|grpc|litserve ENDPOINT`.

A line on stdin, "WARM_S SECONDS IN_FLIGHT", is a round: keep so many clips on their way, and answer with the latencies,
in ms, of what came back after the warm-up. The clips lie ready where each transport wants them: in slots, or as bytes.
"""

import asyncio
import importlib
import json
import sys
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, ExitStack
from typing import Protocol, cast

import numpy as np

from core.settings import InferenceSettings, Settings
from core.telemetry import configure_logging
from models.client import InferRequest, InferResult
from models.remote import RemoteClient
from operations.bench.serving.crew import say_ready
from operations.bench.serving.stub import CLIP

MOST_IN_FLIGHT = 4
OTHERS = {"grpc": "operations.bench.serving.grpc_aio", "litserve": "operations.bench.serving.lit"}


class _Other(Protocol):
    """What the module of another transport offers: the call that sends one clip, while connected."""

    def connected(self, endpoint: str, clip: bytes) -> AbstractAsyncContextManager[Callable[[], Awaitable[object]]]: ...


class Stopwatch:
    """The latencies of one round; safe between threads."""

    def __init__(self, warm_s: float, seconds: float) -> None:
        self._from_s = time.perf_counter() + warm_s
        self._until_s = self._from_s + seconds
        self.latencies_ms: list[float] = []

    def note(self, sent_s: float) -> bool:
        """Note an answer that came now; False when the round is over."""
        now_s = time.perf_counter()
        if self._from_s <= now_s < self._until_s:
            self.latencies_ms.append(round((now_s - sent_s) * 1e3, 3))
        return now_s < self._until_s


class Ring:
    """Rounds over our own client: each lane has a slot to itself and sends again when it is answered."""

    def __init__(self, endpoint: str) -> None:
        self._client = RemoteClient(InferenceSettings(endpoints=(endpoint,), slots=MOST_IN_FLIGHT))
        inputs_id = self._client.served().inputs_id
        # Borrowed for good: nothing else uses this client.
        slots = [ExitStack().enter_context(self._client.slot()) for _ in range(MOST_IN_FLIGHT)]
        for slot in slots:
            slot.frames[:] = _noise(slot.frames.shape)
        self._requests = [InferRequest(None, slot, inputs_id=inputs_id) for slot in slots]

    def round(self, watch: Stopwatch, in_flight: int) -> None:
        """Send until the round is over, and take what is still on its way."""
        lanes = [_Lane(self._client, request, watch) for request in self._requests[:in_flight]]
        for lane in lanes:
            lane.send()
        for lane in lanes:
            lane.over.result()


class _Lane:
    """One request at a time; `over` is resolved with the last."""

    def __init__(self, client: RemoteClient, request: InferRequest, watch: Stopwatch) -> None:
        self.over: Future[None] = Future()
        self._client = client
        self._request = request
        self._watch = watch

    def send(self) -> None:
        sent_s = time.perf_counter()

        def answered(future: "Future[InferResult]") -> None:
            if (error := future.exception()) is not None:
                self.over.set_exception(error)
            elif self._watch.note(sent_s):
                self.send()
            else:
                self.over.set_result(None)

        self._client.infer(self._request).add_done_callback(answered)


class Other:
    """Rounds over another transport, on asyncio; one connection for all of them."""

    def __init__(self, transport: str, endpoint: str) -> None:
        module = cast("_Other", importlib.import_module(OTHERS[transport]))
        self._runner = asyncio.Runner()
        self._connection = module.connected(endpoint, _noise(CLIP.shape).tobytes())
        self._call = self._runner.run(self._connection.__aenter__())

    def round(self, watch: Stopwatch, in_flight: int) -> None:
        """As Ring's."""
        self._runner.run(self._lanes(watch, in_flight))

    async def _lanes(self, watch: Stopwatch, in_flight: int) -> None:
        async with asyncio.TaskGroup() as lanes:
            for _ in range(in_flight):
                lanes.create_task(self._lane(watch))

    async def _lane(self, watch: Stopwatch) -> None:
        is_on = True
        while is_on:
            sent_s = time.perf_counter()
            await self._call()
            is_on = watch.note(sent_s)


def main(transport: str, endpoint: str) -> None:
    """Serve rounds until stdin ends."""
    configure_logging(Settings.load().telemetry.model_copy(update={"log_level": "error"}))
    load = Ring(endpoint) if transport == "ring" else Other(transport, endpoint)
    say_ready(endpoint)
    for line in sys.stdin:
        warm_s, seconds, in_flight = line.split()
        watch = Stopwatch(float(warm_s), float(seconds))
        load.round(watch, int(in_flight))
        sys.stdout.write(json.dumps(watch.latencies_ms) + "\n")
        sys.stdout.flush()


def _noise(shape: tuple[int, ...]) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


if __name__ == "__main__":
    main(*sys.argv[1:])
