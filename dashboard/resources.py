"""The composition root: settings → stores, built once per console process and shared by all who look at it."""

from dataclasses import dataclass

import streamlit as st

from core.clock import Clock, SystemClock
from core.settings import Settings
from core.storage.history import TimescaleHistory
from core.storage.ledger import Ledger
from core.storage.ledger_pg import PostgresLedger
from core.storage.live import RedisLive
from core.storage.media import S3Media
from core.storage.ports import MediaStore, VerdictHistory
from dashboard.arrivals_reader import ArrivalsReader
from dashboard.reading import Probe, Reader


@dataclass(frozen=True)
class Resources:
    """What pages draw from."""

    settings: Settings
    reader: Reader
    history: VerdictHistory
    media: MediaStore
    media_probe: Probe
    clock: Clock
    ledger: Ledger
    arrivals: ArrivalsReader


def build() -> Resources:
    """Wire the real stores.

    Raises:
        ConfigError: a CLIPWARDEN_* variable is wrong.
    """
    settings, clock = Settings.load(), SystemClock()
    live, history = RedisLive(settings.redis), TimescaleHistory(settings.store)
    media = S3Media(settings.media)
    ledger = PostgresLedger(settings.store)
    return Resources(
        settings=settings,
        reader=Reader(live, history, clock),
        history=history,
        media=media,
        media_probe=Probe(media.ping, clock),
        clock=clock,
        ledger=ledger,
        arrivals=ArrivalsReader(ledger, clock),
    )


@st.cache_resource(show_spinner=False)
def resources() -> Resources:
    """The process's resources; a test puts its own `build` here and clears the cache."""
    return build()
