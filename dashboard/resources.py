"""The composition root: settings → stores, built once per console process and shared by all who look at it."""

from dataclasses import dataclass

import streamlit as st

from core.clock import Clock, SystemClock
from core.passwords import Passwords
from core.settings import Settings
from core.storage.audit_log import AuditLog
from core.storage.database import Database
from core.storage.history import TimescaleHistory
from core.storage.live import RedisLive
from core.storage.media import S3Media
from core.storage.people import People
from core.storage.ports import MediaStore, VerdictHistory
from core.storage.reviews import DecisionStore, Reviews
from core.storage.sessions import Sessions
from dashboard.arrivals_reader import ArrivalsReader
from dashboard.data.catalogue import Catalogue
from dashboard.data.intake import AuditedIntake, Intake
from dashboard.data.media import AuditedMedia, RawMedia
from dashboard.data.platform import Platform
from dashboard.data.sql_box import SqlBox
from dashboard.data.trends import Trends
from dashboard.data.waiting import Waiting
from dashboard.data.wellness import StoredWellness, WellnessStore
from dashboard.provider import Provider, provider_of
from dashboard.reading import Probe, Reader
from dashboard.seats import Seats
from dashboard.stills import Stills


@dataclass(frozen=True)
class Resources:
    """What pages draw from."""

    settings: Settings
    reader: Reader
    history: VerdictHistory
    media: MediaStore
    media_probe: Probe
    clock: Clock
    intake: Intake
    arrivals: ArrivalsReader
    platform: Platform
    catalogue: Catalogue
    sql_box: SqlBox
    trends: Trends
    reviews: DecisionStore
    raw_media: RawMedia
    wellness: WellnessStore
    stills: Stills
    seats: Seats
    sessions: Sessions
    people: People
    audit_log: AuditLog
    waiting: Waiting
    provider: Provider | None = None


def build() -> Resources:
    """Wire the real stores.

    Raises:
        ConfigError: a CLIPWARDEN_* variable is wrong.
    """
    settings, clock = Settings.load(), SystemClock()
    live, history = RedisLive(settings.redis), TimescaleHistory(settings.store)
    media = S3Media(settings.media)
    intake = AuditedIntake(Database(settings.store, "intake"))
    reporting = Database(settings.store, "reporting")
    database, passwords = Database(settings.store, "console"), Passwords()
    sessions = Sessions(database, passwords, settings.sign_in)
    return Resources(
        settings=settings,
        reader=Reader(live, history, clock),
        history=history,
        media=media,
        media_probe=Probe(media.ping, clock),
        clock=clock,
        intake=intake,
        arrivals=ArrivalsReader(intake, clock),
        platform=Platform(settings, live, media, Database(settings.store, "platform"), clock),
        catalogue=Catalogue(reporting),
        sql_box=SqlBox(settings.reporting, reporting),
        trends=Trends(Database(settings.store, "trends"), clock),
        reviews=Reviews(database),
        raw_media=AuditedMedia(database, media, {settings.media.bucket, *settings.media.allowed_buckets}),
        wellness=StoredWellness(database),
        stills=Stills(media, settings, clock),
        seats=Seats(sessions, clock),
        sessions=sessions,
        people=People(database, passwords, link_s=settings.sign_in.link_s),
        audit_log=AuditLog(database),
        waiting=Waiting(database, clock),
        provider=provider_of(settings.sign_in, database, clock),
    )


@st.cache_resource(show_spinner=False)
def resources() -> Resources:
    """The process's resources; a test puts its own `build` here and clears the cache."""
    return build()
