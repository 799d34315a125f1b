"""The settings of alert routing: where the router may send, how long it tries."""

from typing import Annotated

from pydantic import AfterValidator, Field

from core.settings_ingestion import are_addresses
from core.settings_section import Names, Section


class RoutingSettings(Section):
    """Alert routing. The routes themselves are written in the console.

    `allow` opens single addresses (`host:port`, as in the route) to the gate that keeps webhooks out of private
    networks: for receivers of your own. A delivery that fails is tried again after `retry_s`, twice that, and so on up
    to `retry_max_s`, `max_attempts` times in all; with these defaults that is about an hour. What was held back is
    summed up every `digest_s`. `console_url` is where the links in alerts lead.
    """

    allow: Annotated[Names, AfterValidator(are_addresses)] = ()
    timeout_s: float = Field(default=10.0, gt=0, le=120)
    max_attempts: int = Field(default=8, ge=1, le=30)
    retry_s: float = Field(default=30.0, gt=0)
    retry_max_s: float = Field(default=3_600.0, gt=0)
    max_answer_bytes: int = Field(default=65_536, ge=1_024)
    digest_s: float = Field(default=900.0, gt=0)
    console_url: str = "http://127.0.0.1:8501"
    http_port: int = Field(default=0, ge=0, le=65_535)
