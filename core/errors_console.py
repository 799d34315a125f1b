"""Why somebody was not let in, or may not do something; the tree is drawn in `core.errors`.

Their words are literals of the code, never data: what differs goes into the values, so that a page can say all of them
in its reader's language.
"""

from core.errors import DependencyError, PlatformError


class Named(tuple[str, ...]):
    """Among an error's values: names that are words of ours too, as those of roles are."""

    __slots__ = ()

    def __str__(self) -> str:
        return ", ".join(self)


class AccessRefused(PlatformError):
    """Who asks may not; nothing was done."""

    code = "access.refused"


class Forbidden(AccessRefused):
    """Your role has no right to this."""

    code = "access.forbidden"


class NotSignedIn(AccessRefused):
    """There is no session, or it ran out: sign in."""

    code = "access.not_signed_in"


class SignInRefused(AccessRefused):
    """The name, the password or the link is not right."""

    code = "access.sign_in"


class SignInThrottled(AccessRefused):
    """Too many attempts; wait `wait_s` seconds."""

    code = "access.throttled"

    def __init__(self, words: str, /, *, wait_s: int = 1) -> None:
        super().__init__(words, wait_s=wait_s)
        self.wait_s = wait_s


class VouchRefused(SignInRefused):
    """A provider's word does not let this person in; `why` is one of a few fixed words."""

    code = "access.vouched"

    def __init__(self, words: str, why: str = "unproven", /, **values: object) -> None:
        super().__init__(words, **values)
        self.why = why


class PersonRefused(AccessRefused):
    """That person cannot be, or cannot be changed so; nothing was done."""

    code = "access.person"


class ProviderUnavailable(DependencyError):
    """The provider that vouches for people does not answer, or not as such a provider does."""

    code = "provider.unavailable"


class SettingRefused(PlatformError):
    """What was chosen cannot be: out of bounds, unknown or not confirmed; nothing was done."""

    code = "setting.refused"


class ReviewRefused(PlatformError):
    """The decision cannot stand; nothing was written."""

    code = "review.refused"


class VerdictStale(ReviewRefused):
    """The video has a newer verdict than the one decided on: look again."""

    code = "review.stale"
