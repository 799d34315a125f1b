"""The settings of the console's SQL box: as whom it signs in, and what one statement may cost."""

from pydantic import Field, SecretStr

from core.settings_section import Section


class ReportingSettings(Section):
    """The SQL box of the console.

    `dsn` is of a role of its own, which `python -m operations.prepare` makes and fences in; without one there is no
    box. A statement that takes longer than `timeout_s`, or whose server process grows past `max_memory_bytes`, is
    ended; what it returns is cut at `max_rows` and `max_bytes`.
    """

    dsn: SecretStr = SecretStr("")
    timeout_s: float = Field(default=15.0, gt=0, le=300)
    max_rows: int = Field(default=1_000, ge=1, le=100_000)
    max_bytes: int = Field(default=8_000_000, ge=10_000, le=100_000_000)
    max_memory_bytes: int = Field(default=512_000_000, ge=64_000_000)
