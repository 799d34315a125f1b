"""Why an item was not taken in, and whether to try again: a branch of the tree that `core.errors` draws.

Passing ones (*) are tried again.
├── IngestLinkInvalid     ingest.link          no link, or one with credentials
├── IngestSchemeRefused   ingest.scheme        neither http nor https
├── IngestAddressRefused  ingest.address       loopback, private, link-local, ...
├── IngestRedirects       ingest.redirects     too many, or a loop
├── IngestTooLarge        ingest.too_large     bytes over the limit
├── IngestTypeRefused     ingest.type          no video there
├── IngestPlaylist        ingest.playlist      many videos behind one link
├── IngestTimeout         ingest.timeout*      too slow, or stalled
├── IngestTruncated       ingest.truncated*    ended before its stated length
├── IngestUnreachable     ingest.unreachable*  no such name, nobody answers
├── IngestServerFailed    ingest.server*       5xx, or nonsense
├── IngestRateLimited     ingest.rate_limited* 429; may say when
├── IngestLoginRequired   ingest.login         a login wall
├── IngestCaptcha         ingest.captcha*      a captcha
├── IngestForbidden       ingest.forbidden     401, 403
├── IngestGone            ingest.gone          404, 410
├── IngestForgotten       ingest.forgotten     erased on request
├── IngestCrashed         ingest.crashed       its worker died with it, again and again
└── IngestRepeat          ingest.repeat        the same video is in already
"""

from core.errors import IngestError


class IngestLinkInvalid(IngestError):
    """It does not parse, names no host, or carries credentials."""

    code = "ingest.link"


class IngestSchemeRefused(IngestError):
    """Only http and https are fetched."""

    code = "ingest.scheme"


class IngestAddressRefused(IngestError):
    """It leads to an address or a port that nothing may be fetched from."""

    code = "ingest.address"


class IngestRedirects(IngestError):
    """It redirects more often than allowed."""

    code = "ingest.redirects"


class IngestTooLarge(IngestError):
    """More bytes than the settings allow."""

    code = "ingest.too_large"


class IngestTypeRefused(IngestError):
    """What it leads to is no video file."""

    code = "ingest.type"


class IngestPlaylist(IngestError):
    """It leads to many videos; each needs its own link."""

    code = "ingest.playlist"


class IngestTimeout(IngestError):
    """It took longer than the settings allow, or nothing moved."""

    code = "ingest.timeout"
    is_passing = True


class IngestTruncated(IngestError):
    """The body ended before its stated length."""

    code = "ingest.truncated"
    is_passing = True


class IngestUnreachable(IngestError):
    """The name does not resolve, or nobody answers there."""

    code = "ingest.unreachable"
    is_passing = True


class IngestServerFailed(IngestError):
    """The site failed (5xx) or its answer made no sense."""

    code = "ingest.server"
    is_passing = True


class IngestRateLimited(IngestError):
    """The site asks to wait (429); `retry_after_s` is what it said, if it did."""

    code = "ingest.rate_limited"
    is_passing = True

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class IngestLoginRequired(IngestError):
    """The site shows it to people who are signed in: give a cookies file."""

    code = "ingest.login"


class IngestCaptcha(IngestError):
    """The site asks for a proof of being human: go slower."""

    code = "ingest.captcha"
    is_passing = True


class IngestForbidden(IngestError):
    """The site refuses (401, 403)."""

    code = "ingest.forbidden"


class IngestGone(IngestError):
    """There is nothing, or no longer."""

    code = "ingest.gone"


class IngestForgotten(IngestError):
    """It was erased on request and is not taken in again."""

    code = "ingest.forgotten"


class IngestCrashed(IngestError):
    """Worker after worker died with it in hand; the ledger gives it out no more."""

    code = "ingest.crashed"


class IngestRepeat(IngestError):
    """The same video is in already; a sighting is recorded."""

    code = "ingest.repeat"


def from_code(code: str, message: str) -> IngestError:
    """The error that another process named by its code."""
    return next((kind(message) for kind in IngestError.__subclasses__() if kind.code == code), IngestError(message))
