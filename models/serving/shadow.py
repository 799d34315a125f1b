"""A challenger in a process of its own: `python -m models.serving.shadow`. It scores when nobody else wants the CPU.

Its parent asks over a socket pair and `Challenger` is its only caller. What breaks here breaks no answer: no gate has
passed this model yet. On the CPU and in float32 also beside a worker on a GPU, whose memory is the champion's.
"""

import os
import socket
import struct
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgpack

from core.errors import ConfigError
from core.labels import Modality
from models.serving.trial import REFUSED, confine, prove

if TYPE_CHECKING:
    from models.serving.engine import TorchEngine

LAST_IN_LINE = 9
"""On top of a trial's 10: only idle time of the CPU is left."""
_LENGTH = struct.Struct("!I")


def send(line: socket.socket, message: Mapping[str, Any]) -> None:
    """One message, whole; raises OSError when the other end is gone."""
    body = msgpack.packb(message)
    line.sendall(_LENGTH.pack(len(body)))
    line.sendall(body)


def receive(line: socket.socket, *, max_bytes: int) -> dict[str, Any]:
    """The next message.

    Raises:
        OSError: the other end is gone, or sends no message.
    """
    (size_bytes,) = _LENGTH.unpack(_exactly(line, _LENGTH.size))
    if size_bytes > max_bytes:
        raise OSError(f"a message of {size_bytes:,} bytes, allowed are {max_bytes:,}")
    try:
        message = msgpack.unpackb(_exactly(line, size_bytes))
    except (ValueError, msgpack.UnpackException) as error:
        raise OSError(f"no message: {error}") from error
    if not isinstance(message, dict):
        raise OSError("no message")
    return message


def _exactly(line: socket.socket, size_bytes: int) -> bytearray:
    body = bytearray(size_bytes)
    rest = memoryview(body)
    while rest:
        count = line.recv_into(rest)
        if not count:
            raise EOFError("the other end is gone")
        rest = rest[count:]
    return body


def main() -> int:
    """Confine this process, load, then answer; arguments: the parent's pid, the socket, the folder, the modality."""
    parent_pid, line = int(sys.argv[1]), socket.socket(fileno=int(sys.argv[2]))
    folder, modality = Path(sys.argv[3]), Modality(sys.argv[4])
    confine(parent_pid, sum(path.stat().st_size for path in folder.glob("*/*")))
    os.nice(LAST_IN_LINE)
    try:
        engine, reason = prove(folder, modality), "it was trained over other models than those that serve"
    except ConfigError as error:
        engine, reason = None, error.message
    except MemoryError:
        engine, reason = None, "it wants more memory than its weights explain"
    if engine is None:
        send(line, {"refused": reason})
        return REFUSED
    send(line, {"clip": repr(engine.served.clip)})
    _answer(line, engine, modality)
    return 0


def _answer(line: socket.socket, engine: "TorchEngine", modality: Modality) -> None:
    from models.serving.batcher import text_bucket, text_buckets  # noqa: PLC0415 - torch comes after the limits
    from models.serving.golden import ArrayClip  # noqa: PLC0415 - see above
    from models.serving.job import Job  # noqa: PLC0415 - see above
    from models.tokens import CaptionTokenizer  # noqa: PLC0415 - see above

    served = engine.served
    tokenizer = CaptionTokenizer(served.tokenizer_json, served.max_tokens) if served.tokenizer_json else None
    while True:
        try:
            ask = receive(line, max_bytes=1 << 30)
        except EOFError:
            return
        ids = tokenizer.encode(ask["caption"] or "").ids if tokenizer is not None else ()
        clip = ArrayClip(ask["clip"]) if ask["clip"] is not None else None
        job = Job(ids or None, clip, text_bucket(len(ids), text_buckets(served.max_tokens)) if ids else 0)
        send(line, {"scores": getattr(engine.score([job])[0], modality)})


if __name__ == "__main__":
    sys.exit(main())
