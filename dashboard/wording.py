"""How numbers, instants and codes read on every page: one wording each."""

from datetime import datetime, tzinfo

from core import errors, errors_console, errors_ingest, errors_query
from core.access import Role
from core.errors import PlatformError
from core.labels import Modality, VerdictKind
from core.storage.audit_log import Act
from core.storage.reviews import Answer, Outcome, Reason
from dashboard import numbers
from dashboard.language import say
from dashboard.vouching import Why

ERRORS = (errors, errors_console, errors_ingest, errors_query)
SHAPES = {
    VerdictKind.HARMFUL: "▲",
    VerdictKind.REVIEW: "◆",
    VerdictKind.PARTIAL: "◐",
    VerdictKind.UNSCORED: "○",
    VerdictKind.SAFE: "●",
}
MEANINGS = {
    VerdictKind.HARMFUL: "over a threshold of the policy",
    VerdictKind.REVIEW: "close to one: a person decides",
    VerdictKind.PARTIAL: "no harm found, but a part could not be scored",
    VerdictKind.UNSCORED: "nothing could be scored",
    VerdictKind.SAFE: "everything posted was scored, all of it low",
}
MODALITIES = {Modality.VIDEO: "video", Modality.TEXT: "text", Modality.FUSION: "fusion"}
VERDICTS = {kind: kind.value for kind in VerdictKind}
OUTCOMES = {Outcome.CONFIRM: "confirmed", Outcome.REJECT: "rejected", Outcome.PARTLY: "partly rejected"}
ANSWERS = {Answer.CONFIRM: "confirmed", Answer.REJECT: "rejected"}
REASONS = {
    Reason.CLEAR: "Clear case",
    Reason.CONTEXT: "The context decides",
    Reason.MISREAD: "The model misread it",
    Reason.BORDERLINE: "Borderline",
    Reason.OTHER: "Other",
}

NOTHING, clock_time, count, score = numbers.NOTHING, numbers.clock_time, numbers.count, numbers.score
size = numbers.size
ROLES = {
    Role.VIEWER: "Viewer",
    Role.MODERATOR: "Moderator",
    Role.LEAD: "Lead",
    Role.ENGINEER: "Engineer",
    Role.ADMIN: "Admin",
}
REFUSALS: dict[str, str] = {
    Why.UNPROVEN: "You came back without being signed in. Try again.",
    Why.STALE: "That sign-in is too old. Try again.",
    Why.USED: "That sign-in was used already. Try again.",
    Why.DISABLED: "You are shut out here. Ask an admin to let you in again.",
    Why.NO_ROLE: "You have no role here. Ask an admin which group your account must be in.",
    Why.LAST_ADMIN: "You are the last admin, and your account now has another role. Ask for a second admin first.",
    Why.OUTAGE: "The database does not answer, so nobody can sign in now. Who is signed in already may go on.",
}
"""Why a provider's word did not let somebody in."""

DEEDS = {
    Act.SIGNED_IN: "signed in",
    Act.SIGNED_OUT: "signed out",
    Act.SIGN_IN_FAILED: "failed to sign in",
    Act.SAW_MEDIA: "saw the video",
    Act.DECIDED: "took a decision",
    Act.UNDID: "took a decision back",
    Act.EXPORTED: "exported",
    Act.QUERIED: "ran a statement",
    Act.COMMANDED: "gave a command",
    Act.PAUSED: "paused a source",
    Act.RESUMED: "let a source go on",
    Act.RETRIED: "had items tried again",
    Act.CHANGED_PERSON: "changed a person",
    Act.CHANGED_SETTING: "changed a setting",
}
"""What the audit log says that somebody did."""

_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86_400
_STEP_S = 5


def ago(at: datetime, now: datetime) -> str:
    """How long ago, in steps that keep a list calm: 5 s under a minute, then minutes, hours, days."""
    age_s = max(0, int((now - at).total_seconds()))
    if age_s < _STEP_S:
        return say("just now")
    if age_s < _MINUTE_S:
        return say("{n} s ago", n=age_s - age_s % _STEP_S)
    if age_s < _HOUR_S:
        return say("{n} min ago", n=age_s // _MINUTE_S)
    if age_s < _DAY_S:
        return say("{n} h ago", n=age_s // _HOUR_S)
    return say("{n} d ago", n=age_s // _DAY_S)


def duration(seconds: float) -> str:
    """A length of time with one unit, for a glance: 0.8 s, 25 s, 4 min, 3 h, 2 d."""
    if seconds < 10:  # noqa: PLR2004 - below ten a tenth is worth reading
        return f"{seconds:.1f} s"
    for limit_s, unit_s, unit in ((2 * _MINUTE_S, 1, "s"), (2 * _HOUR_S, _MINUTE_S, "min"), (2 * _DAY_S, _HOUR_S, "h")):
        if seconds < limit_s:
            return f"{int(seconds // unit_s)} {unit}"
    return f"{int(seconds // _DAY_S)} d"


def exact(at: datetime, zone: tzinfo) -> str:
    """The instant in the viewer's zone, to the second."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}"


def time_of_day(at: datetime, zone: tzinfo) -> str:
    """The instant's time in the viewer's zone."""
    return f"{at.astimezone(zone):%H:%M:%S}"


def role_name(role: str) -> str:
    """A role as people call it; what is none, as it was written down."""
    return say(ROLES[Role(role)]) if role in set(Role) else role


def code_meaning(code: str) -> str:
    """What an error code means, in the words of the error itself; empty for a code we do not know."""
    return say(meanings().get(code, ""))


def meanings() -> dict[str, str]:
    """Every code that a store can hold with what it means, in English."""
    known = (error for module in ERRORS for error in vars(module).values())
    return {
        error.code: (error.__doc__ or "").strip().splitlines()[0]
        for error in known
        if isinstance(error, type) and issubclass(error, PlatformError)
    }
