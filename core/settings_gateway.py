"""The settings of the HTTP gateway: where it listens, and what one caller may cost."""

from pathlib import Path

from pydantic import Field

from core.settings_section import Section


class GatewaySettings(Section):
    """The HTTP gateway.

    `port` is where callers come, `http_port` where `/readyz` and `/metrics` answer. An upload may be as large as
    `CLIPWARDEN_DECODE__MAX_BYTES`; `work_dir`, which belongs to one gateway alone, holds each one until it is stored,
    so it should lie on a disk. Limits with `key_` count for each API key.
    """

    host: str = "127.0.0.1"
    port: int = Field(default=8600, ge=0, le=65_535)
    http_port: int = Field(default=0, ge=0, le=65_535)
    work_dir: Path = Path(".clipwarden/gateway")
    max_uploads: int = Field(default=6, ge=1, le=256)
    max_connections: int = Field(default=1_000, ge=1, le=100_000)
    key_uploads: int = Field(default=4, ge=1, le=256)
    key_streams: int = Field(default=16, ge=1, le=1_000)
    key_requests_per_min: int = Field(default=600, ge=1)
    idle_s: float = Field(default=20.0, gt=0)
    upload_s: float = Field(default=1_800.0, gt=0)
    stream_s: float = Field(default=600.0, gt=0)
    drain_s: int = Field(default=20, ge=1, le=600)
