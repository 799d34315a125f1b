"""What a downloading process is told on stdin, and what it says on stdout: one JSON object each."""

import json
from dataclasses import asdict, dataclass
from typing import Any

FILE_NAME = "media"
"""The only name that is ever written: what a site calls its file is never looked at."""


@dataclass(frozen=True)
class Order:
    """One link to fetch.

    Attributes:
        into: the only folder in which anything may be written.
        proxy_url: the gate, with the token: an order travels by stdin because arguments are seen by others.
        proxy_port: the only port that may be connected to.
        bytes_per_s: 0 is as fast as it comes.
    """

    parent_pid: int
    link: str
    into: str
    proxy_url: str
    proxy_port: int
    cookies_file: str | None
    extractors: tuple[str, ...]
    max_bytes: int
    max_s: float
    max_redirects: int
    memory_bytes: int
    bytes_per_s: int
    idle_s: float

    def to_bytes(self) -> bytes:
        """As it is sent."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def parse(cls, data: bytes) -> "Order":
        """As it was sent."""
        fields: dict[str, Any] = json.loads(data)
        return cls(**{**fields, "extractors": tuple(fields["extractors"])})


@dataclass(frozen=True)
class Found:
    """What a page said of its video; all of it is a stranger's text."""

    tool: str
    platform: str
    platform_id: str | None
    caption: str | None
    hashtags: tuple[str, ...]
    author_id: str | None
    posted_at_s: float | None


@dataclass(frozen=True)
class Refusal:
    """Why there is no file."""

    code: str
    message: str
    retry_after_s: float | None = None


def to_answer(answer: Found | Refusal) -> bytes:
    """As it is sent."""
    kind = "found" if isinstance(answer, Found) else "refusal"
    return json.dumps({kind: asdict(answer)}).encode()


def parse_answer(data: bytes) -> Found | Refusal:
    """As it was sent.

    Raises:
        ValueError: the process died before it had said all.
    """
    try:
        said: dict[str, Any] = json.loads(data)
        if "found" in said:
            return Found(**{**said["found"], "hashtags": tuple(said["found"]["hashtags"])})
        return Refusal(**said["refusal"])
    except (TypeError, KeyError) as error:
        raise ValueError("no answer") from error
