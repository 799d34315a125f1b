"""Settings of the process that executes operators' commands where no supervisor does."""

from pydantic import Field

from core.settings_section import Section


class OperationsSettings(Section):
    """The executor of commands in containers; on one machine the supervisor is it."""

    http_port: int = Field(default=0, ge=0, le=65_535)
    poll_s: float = Field(default=1.0, gt=0)
