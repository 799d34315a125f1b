"""What a caller says about a video: the same fields in a form and in JSON, checked against what an event may hold."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Self

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic import StringConstraints as Text

from core.events import MAX_CAPTION_CHARS, MAX_HASHTAGS, VIDEO_ID_PATTERN, ShortText, Storable
from ingestion.gateway.refusals import FieldRefused, RequestMalformed
from ingestion.links import MAX_LINK_CHARS

FILE = "file"
MAX_FIELDS_BYTES = 128 * 1024


def _split(value: object) -> object:
    """A form has one text where JSON has a list."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


class PostFields(BaseModel):
    """The fields of one post. A `video_id` makes it a video of its own even where its bytes are known already."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    link: Annotated[Storable, Text(min_length=1, max_length=MAX_LINK_CHARS)] | None = None
    caption: Annotated[Storable, Text(max_length=MAX_CAPTION_CHARS)] | None = None
    video_id: Annotated[str, Text(pattern=VIDEO_ID_PATTERN)] | None = None
    hashtags: Annotated[tuple[ShortText, ...], BeforeValidator(_split), Field(max_length=MAX_HASHTAGS)] = ()
    author_id: ShortText | None = None
    platform: Annotated[ShortText, Field(min_length=1)] | None = None
    language: ShortText | None = None
    posted_at: AwareDatetime | None = None

    @classmethod
    def parse(cls, values: object) -> Self:
        """Check the fields of a form or of a JSON body.

        Raises:
            FieldRefused: one is unknown, too long, or cannot be stored.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            where = ".".join(str(part)[:64] for part in first["loc"]) or "body"
            raise FieldRefused(f"{where!r}: {first['msg']}") from error

    @classmethod
    def parse_json(cls, body: bytes) -> Self:
        """The same from a JSON body.

        Raises:
            RequestMalformed: it is no JSON.
        """
        try:
            values = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise RequestMalformed("the body is no JSON") from error
        return cls.parse(values)

    @classmethod
    def parse_form(cls, values: Iterable[tuple[str, bytes]]) -> Self:
        """The same from a form.

        Raises:
            RequestMalformed: a field comes twice.
        """
        texts: dict[str, str] = {}
        for name, value in values:
            if name in texts:
                raise RequestMalformed(f"the form holds {name[:64]!r} twice")
            texts[name] = _text(name, value)
        return cls.parse(texts)

    def digest(self, sha256: str | None) -> str:
        """What tells this request from another: its fields, and its file's hash."""
        return hashlib.sha256(_canonical({**self.model_dump(mode="json"), "sha256": sha256})).hexdigest()


def _text(name: str, value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise FieldRefused(f"{name[:64]!r}: no UTF-8") from error


def _canonical(values: Mapping[str, Any]) -> bytes:
    return json.dumps(values, sort_keys=True, ensure_ascii=False).encode()
