"""bench serving: requests/s of the worker with many in flight, beside one at a time."""

import os
import time
from collections.abc import Sequence
from concurrent.futures import Future

import numpy as np

from models.client import InferenceClient, InferRequest, InferResult
from models.remote import RemoteClient
from models.tokens import CaptionTokenizer
from operations.bench.site import bench_site
from operations.state import Plan

CAPTION = "a caption of ordinary length with a few more words in it, as people write them"


def bench_serving(requests: int) -> dict[str, object]:
    """Captions, then clips, on the starter models; the clips' pixels are noise, which costs the same."""
    with bench_site(Plan(worker=True)) as site:
        client = RemoteClient(site.settings.inference)
        served = client.served()
        ids = CaptionTokenizer(served.tokenizer_json, served.max_tokens).encode(CAPTION).ids
        caption = InferRequest(ids, inputs_id=served.inputs_id)
        result = {
            "captions_per_s": _many(client, [caption] * requests),
            "captions_one_at_a_time_per_s": _one_by_one(client, [caption] * (requests // 4)),
            "clips_per_s": _clips(client, requests // 8, in_flight=8),
            "clips_one_at_a_time_per_s": _clips(client, requests // 16, in_flight=1),
        }
        client.close()
    return {"bench": "serving", "requests": requests, **{name: round(rate, 1) for name, rate in result.items()}}


def _many(client: InferenceClient, requests: Sequence[InferRequest]) -> float:
    started_s = time.perf_counter()
    for future in [client.infer(request) for request in requests]:
        future.result()
    return len(requests) / (time.perf_counter() - started_s)


def _one_by_one(client: InferenceClient, requests: Sequence[InferRequest]) -> float:
    started_s = time.perf_counter()
    for request in requests:
        client.infer(request).result()
    return len(requests) / (time.perf_counter() - started_s)


def _clips(client: InferenceClient, count: int, *, in_flight: int) -> float:
    waiting: list[Future[InferResult]] = []
    started_s = time.perf_counter()
    for _ in range(count):
        with client.slot() as slot:
            slot.frames[:] = np.frombuffer(os.urandom(slot.frames.nbytes), np.uint8).reshape(slot.frames.shape)
            waiting.append(client.infer(InferRequest(None, slot, inputs_id=client.served().inputs_id)))
        if len(waiting) >= in_flight:
            waiting.pop(0).result()
    for future in waiting:
        future.result()
    return count / (time.perf_counter() - started_s)
