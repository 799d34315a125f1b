"""What looks after the viewer: how media is shown to them, and what their day of looking cost so far."""

from datetime import datetime, tzinfo

from core.access import Capability
from core.errors import StoreUnavailable
from core.storage.reviews import Tally
from dashboard import queries, session
from dashboard.data.wellness import Exposure, Wellness
from dashboard.decision_markup import day_line
from dashboard.frame import draw
from dashboard.reading import Reading
from dashboard.viewer import viewer


def wellness(reading: Reading) -> Wellness:
    """How media is shown to the viewer; as carefully as can be while nobody knows."""
    if reading.history_down_since:
        return Wellness()
    try:
        return queries.wellness(viewer())
    except StoreUnavailable:
        return Wellness()


def day(reading: Reading, now: datetime, zone: tzinfo) -> None:
    """Draw what the viewer saw and decided since their midnight; a break is suggested once it is a lot."""
    person = viewer()
    if reading.history_down_since or not person.may(Capability.SEE_MEDIA):
        return
    midnight = session.midnight(now, zone)
    try:
        seen, tally = queries.exposure(person, midnight.date()), queries.tally(person, midnight)
    except StoreUnavailable:
        return
    if seen != Exposure() or tally != Tally():
        draw(day_line(seen, tally, wellness(reading)))
