"""Who may do what: roles, capabilities and the one table between them; every store that serves people asks it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from core.errors_console import Forbidden, Named


class Role(StrEnum):
    """What a person is here for."""

    VIEWER = "viewer"
    MODERATOR = "moderator"
    LEAD = "lead"
    ENGINEER = "engineer"
    ADMIN = "admin"


class Capability(StrEnum):
    """Something that not everybody may do."""

    SEE_VERDICTS = "see_verdicts"
    """Verdicts, captions, blurred stills, figures over them."""
    SEE_MEDIA = "see_media"
    """The video itself; each look is in the audit log."""
    DECIDE = "decide"
    """Confirm or reject what the models said."""
    EXPORT = "export"
    SEE_PLATFORM = "see_platform"
    """Processes, stores, partitions, dead letters, logs."""
    OPERATE = "operate"
    """Start, stop, restart; replay dead letters."""
    QUERY = "query"
    """Read the reporting schema with one's own SQL."""
    SET_POLICY = "set_policy"
    """What holds for everybody: wellness defaults, alert routing, retention."""
    SEE_AUDIT_LOG = "see_audit_log"
    MANAGE_PEOPLE = "manage_people"

    @property
    def words(self) -> str:
        """What one may do with it, in English."""
        return self.value.replace("_", " ")


_SEES = frozenset({Capability.SEE_VERDICTS})
_MODERATES = _SEES | {Capability.SEE_MEDIA, Capability.DECIDE}
_LEADS = _MODERATES | {Capability.EXPORT, Capability.SET_POLICY, Capability.SEE_AUDIT_LOG}
_ENGINEERS = _SEES | {Capability.EXPORT, Capability.SEE_PLATFORM, Capability.OPERATE, Capability.QUERY}

CAPABILITIES: Mapping[Role, frozenset[Capability]] = {
    Role.VIEWER: _SEES,
    Role.MODERATOR: _MODERATES,
    Role.LEAD: _LEADS,
    Role.ENGINEER: _ENGINEERS,
    Role.ADMIN: frozenset(Capability),
}


@dataclass(frozen=True)
class Person:
    """Who asks, as the sign-in proved it.

    Attributes:
        user_id: stable; what decisions, commands and the audit log name.
        name: as shown.
    """

    user_id: str
    name: str
    role: Role

    def may(self, capability: Capability) -> bool:
        """Whether the person's role has this capability."""
        return capability in CAPABILITIES[self.role]

    def require(self, capability: Capability) -> None:
        """Go on only with this capability.

        Raises:
            Forbidden: the person's role has it not; nothing was done.
        """
        if not self.may(capability):
            able = Named(role.value for role in Role if capability in CAPABILITIES[role])
            mine, what = Named((self.role.value,)), Named((capability.words,))
            raise Forbidden("{role} may not {what}; that takes {able}", role=mine, what=what, able=able)
