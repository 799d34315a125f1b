"""What client and worker say to each other: versioned msgpack headers; over a network the clip is one more frame.

client → worker: Hello, Ping, Infer.  worker → client: Welcome, Pong, Result, Error, Busy, Shadowed.
Both directions of one connection keep their order: a Pong that does not list a request sent before its Ping proves
that the request is not in the worker, and that its answer, if there was one, is lost.
"""

from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

import msgpack
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from core.errors import InferenceFailed, InferenceRefused, InferenceStale
from core.events import MAX_CAPTION_CHARS
from core.labels import Modality
from models.client import InferResult, Priority, Sample, Shadow
from models.spec import ServedModels

PROTOCOL = 3
MAX_TOKEN_IDS = 32_768
"""No header is larger than these ids and some names; longer captions are cut by the tokenizer anyway."""

RequestId = Annotated[int, Field(ge=0, lt=2**63)]
Name = Annotated[str, Field(max_length=128)]
Text = Annotated[str, Field(max_length=2_000)]


class WireError(ValueError):
    """Bytes that are no message of this protocol; `request_id` is there when it could be read."""

    def __init__(self, reason: str, request_id: int | None = None) -> None:
        super().__init__(reason)
        self.request_id = request_id


class ErrorCode(StrEnum):
    """Why the worker gives no scores; another code counts as FAILED.

    ARENA: the worker cannot read the client's shared memory and asks for clips as frames from now on.
    """

    REFUSED = InferenceRefused.code
    FAILED = InferenceFailed.code
    STALE = InferenceStale.code
    ARENA = "inference.arena"


class Message(BaseModel):
    """A header; `kind` tells them apart."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)
    kind: str

    def to_bytes(self) -> bytes:
        """The header frame."""
        return bytes(msgpack.packb(self.model_dump(mode="python")))


class Hello(Message):
    """Asks what is served; first message of a client, and after each change of the worker."""

    kind: Literal["hello"] = "hello"
    protocol: int = PROTOCOL


class Ping(Message):
    """Asks whether the worker lives and which of this client's requests it holds."""

    kind: Literal["ping"] = "ping"
    number: RequestId


class SlotRef(BaseModel):
    """A clip in the client's shared memory."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    arena: Name
    offset_bytes: Annotated[int, Field(ge=0, lt=2**48)]


class SampleRef(BaseModel):
    """A post that challengers score too; the instant in ISO 8601, and given back as it came."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    video_id: Name
    event_time: Name
    caption: Annotated[str, Field(max_length=MAX_CAPTION_CHARS)] | None = None

    @classmethod
    def of(cls, sample: Sample) -> "SampleRef":
        """How a sample travels."""
        return cls(video_id=sample.video_id, event_time=sample.event_time.isoformat(), caption=sample.caption)


class Infer(Message):
    """One request. The clip lies in `slot`, or in the next frame when `has_frame`.

    Attributes:
        deadline_ms: how long it may wait for a batch before the worker says Busy.
        is_alone: it failed before, so it shares no batch with others.
    """

    kind: Literal["infer"] = "infer"
    id: RequestId
    inputs_id: Name
    priority: Annotated[int, Field(ge=min(Priority), le=max(Priority))]
    deadline_ms: Annotated[int, Field(gt=0, lt=2**31)]
    is_alone: bool = False
    token_ids: Annotated[tuple[Annotated[int, Field(ge=0, lt=2**31)], ...], Field(max_length=MAX_TOKEN_IDS)] | None = (
        None
    )
    slot: SlotRef | None = None
    has_frame: bool = False
    sample: SampleRef | None = None


class Welcome(Message):
    """What the worker serves; a new generation is a new process."""

    kind: Literal["welcome"] = "welcome"
    protocol: int = PROTOCOL
    generation: Name
    served: ServedModels

    # msgpack knows no enums and no dataclasses: built here from plain values.
    model_config = ConfigDict(strict=False)

    def to_bytes(self) -> bytes:
        """The header frame."""
        served = TypeAdapter(ServedModels).dump_python(self.served)
        return bytes(msgpack.packb(self.model_dump(exclude={"served"}) | {"served": served}))


class Pong(Message):
    """The worker lives.

    Attributes:
        held: the client's requests that wait or are computed.
        others: how many requests of other clients do.
        is_draining: it accepts no more.
    """

    kind: Literal["pong"] = "pong"
    number: RequestId
    generation: Name
    model_version: Text
    held: tuple[RequestId, ...]
    others: Annotated[int, Field(ge=0)] = 0
    is_draining: bool = False


Probabilities = dict[str, Annotated[float, Field(ge=0, le=1)]]


class Result(Message):
    """Scores of one request; `codes` for the modalities without."""

    kind: Literal["result"] = "result"
    id: RequestId
    model_version: Text
    text: Probabilities | None = None
    video: Probabilities | None = None
    fusion: Probabilities | None = None
    token_scores: tuple[float, ...] | None = None
    frame_scores: tuple[float, ...] | None = None
    codes: dict[str, str] = {}

    _FIELDS: ClassVar[tuple[str, ...]] = (
        "model_version", "text", "video", "fusion", "token_scores", "frame_scores", "codes",
    )  # fmt: skip

    @classmethod
    def of(cls, request_id: int, result: InferResult) -> "Result":
        """The answer that carries a result; scores that are no probabilities raise ValueError."""
        return cls(id=request_id, **{name: getattr(result, name) for name in cls._FIELDS})

    def result(self) -> InferResult:
        """What the client is given."""
        return InferResult(**{name: getattr(self, name) for name in self._FIELDS})


class Error(Message):
    """The request has no scores."""

    kind: Literal["error"] = "error"
    id: RequestId
    code: Name
    message: Text


class Busy(Message):
    """Not accepted, or not computed in time: send it again after a while."""

    kind: Literal["busy"] = "busy"
    id: RequestId
    retry_after_ms: Annotated[int, Field(ge=0, le=600_000)]


class Shadowed(Message):
    """What a challenger said of a sampled post, after its answer; nobody waits for it."""

    kind: Literal["shadowed"] = "shadowed"
    video_id: Name
    event_time: AwareDatetime
    modality: Modality
    model_version: Text
    challenger: Name
    champion_scores: Probabilities
    challenger_scores: Probabilities

    # msgpack knows no enums and no instants.
    model_config = ConfigDict(strict=False)

    def to_bytes(self) -> bytes:
        """The header frame."""
        return bytes(msgpack.packb(self.model_dump(mode="json")))

    def shadow(self) -> Shadow:
        """What the client is told."""
        return Shadow(**{name: getattr(self, name) for name in type(self).model_fields if name != "kind"})


Request = Hello | Ping | Infer
Answer = Welcome | Pong | Result | Error | Busy | Shadowed

_REQUEST: TypeAdapter[Request] = TypeAdapter(Annotated[Request, Field(discriminator="kind")])
_ANSWER: TypeAdapter[Answer] = TypeAdapter(Annotated[Answer, Field(discriminator="kind")])


def parse_request(header: bytes) -> Request:
    """A client's header.

    Raises:
        WireError: anything else, whatever the bytes are.
    """
    request: Request = _parse(_REQUEST, header)
    return request


def parse_answer(header: bytes) -> Answer:
    """A worker's header.

    Raises:
        WireError: anything else, whatever the bytes are.
    """
    answer: Answer = _parse(_ANSWER, header)
    return answer


def _parse(adapter: TypeAdapter[Any], header: bytes) -> Any:  # noqa: ANN401 - the callers name the type
    try:
        fields = msgpack.unpackb(header, use_list=False, strict_map_key=True)
    except (ValueError, msgpack.UnpackException) as error:
        raise WireError(f"not msgpack: {error}") from error
    try:
        return adapter.validate_python(fields)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise WireError(f"{where}: {first['msg']}"[:500], _request_id(fields)) from error


def _request_id(fields: object) -> int | None:
    found = fields.get("id") if isinstance(fields, dict) and fields.get("kind") == "infer" else None
    return found if isinstance(found, int) and not isinstance(found, bool) and 0 <= found < 2**63 else None
