"""The error tree: whose fault it is decides what happens next.

PlatformError                     code: one string for the dead letter, the metric's label and the log field
├── InputError                    this record is at fault → dead letter or missing modality, go on
│   ├── EventInvalid              event.invalid        wrong schema
│   │   ├── EventMalformed        event.malformed      not JSON, or not an object
│   │   ├── EventVersionUnknown   event.version
│   │   ├── EventVideoIdInvalid   event.video_id
│   │   ├── EventCaptionInvalid   event.caption        too long, or characters no store can hold
│   │   ├── EventBucketRefused    event.bucket         not on the allow-list
│   │   └── EventTimestampInvalid event.timestamp      record stamped too far from now
│   ├── MediaError
│   │   ├── MediaMissing          media.missing        no such object
│   │   ├── MediaEmpty            media.empty
│   │   ├── MediaNoVideo          media.no_video       readable, but without a video stream
│   │   ├── MediaUndecodable      media.undecodable
│   │   ├── MediaTooLarge         media.too_large      bytes or pixels over the limit
│   │   ├── MediaTooLong          media.too_long
│   │   ├── MediaTimeout          media.timeout        the decoder was stopped in its cage
│   │   ├── MediaCrashed          media.crashed        the decoder died in its cage
│   │   └── MediaMismatch         media.mismatch       another sha256 than stated
│   ├── IngestError               this item is at fault, or its site → refused; its kinds: core.errors_ingest
│   └── InferenceError
│       ├── InferenceRefused      inference.refused    the worker calls the input invalid
│       ├── InferenceStale        inference.stale      prepared for models no longer served: prepare it again
│       └── InferenceFailed       inference.failed     failed several times on a live worker
│           └── InferenceCrashed  inference.crashed    the worker died with it, several times
├── DependencyError               the surroundings are at fault → wait; never a score
│   ├── BrokerUnavailable         broker.unavailable
│   ├── DeliveryFailed            broker.delivery
│   ├── StoreUnavailable          store.unavailable
│   ├── CacheUnavailable          cache.unavailable
│   ├── ObjectsUnavailable        objects.unavailable
│   ├── InferenceUnavailable      inference.unavailable
│   ├── BrowserUnavailable        browser.unavailable
│   ├── RegistryUnavailable       registry.unavailable
│   ├── ProviderUnavailable       provider.unavailable
│   └── HubUnavailable            hub.unavailable
├── AccessRefused                 who asks may not → they are told, nothing was done
│   ├── Forbidden                 access.forbidden     their role has not this capability
│   ├── NotSignedIn               access.not_signed_in no session, or one that ran out
│   ├── SignInRefused             access.sign_in       wrong name, password or link
│   │   └── VouchRefused          access.vouched       a provider's word that lets nobody in; says why
│   ├── SignInThrottled           access.throttled     too many attempts; says how long to wait
│   └── PersonRefused             access.person        no such person, name taken, the last admin
├── QueryError                    this statement is at fault → its author is told
│   ├── QueryRefused              query.refused        not one plain read, or outside of what may be read
│   ├── QueryFailed               query.failed         the database does not take it
│   └── QueryStopped              query.stopped        too long, too large, or cancelled
├── SettingRefused                setting.refused      what a person chose cannot be → they are told, nothing was done
├── ReviewRefused                 review.refused       it cannot stand → the person is told, nothing was written
│   └── VerdictStale              review.stale         a newer verdict came meanwhile: look again
├── ModelRefused                  model.refused        this model is at fault → the one before serves on
└── ConfigError                   config.invalid       we are at fault → refuse to start, exit 2
"""

from typing import ClassVar


class PlatformError(Exception):
    """Base of every error raised on purpose; picklable, because errors cross processes.

    `words` and the `values` put into them stay apart too: a page says them in its reader's language.
    """

    code: ClassVar[str] = "platform.error"

    def __init__(self, words: str, /, **values: object) -> None:
        self.message = words.format(**values) if values else words
        super().__init__(self.message)
        self.words, self.values = words, values

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class InputError(PlatformError):
    """This record is at fault: it gets a dead letter and the flow goes on."""

    code = "input.error"


class EventInvalid(InputError):
    """The event breaks its schema."""

    code = "event.invalid"


class EventMalformed(EventInvalid):
    """The record's value is not a JSON object."""

    code = "event.malformed"


class EventVersionUnknown(EventInvalid):
    """The event names a schema this version does not read."""

    code = "event.version"


class EventVideoIdInvalid(EventInvalid):
    """The video_id is empty, too long or holds characters outside its alphabet."""

    code = "event.video_id"


class EventCaptionInvalid(EventInvalid):
    """The caption is too long or holds characters no store can keep."""

    code = "event.caption"


class EventBucketRefused(EventInvalid):
    """The media URI points outside the allowed buckets."""

    code = "event.bucket"


class EventTimestampInvalid(EventInvalid):
    """The record's timestamp is too far ahead, or older than retention."""

    code = "event.timestamp"


class MediaError(InputError):
    """The media cannot be scored: the modality is missing, with this code."""

    code = "media.error"


class MediaMissing(MediaError):
    """The object does not exist."""

    code = "media.missing"


class MediaEmpty(MediaError):
    """The object has no bytes."""

    code = "media.empty"


class MediaNoVideo(MediaError):
    """The container is readable, but holds no video stream."""

    code = "media.no_video"


class MediaUndecodable(MediaError):
    """No container, or too few frames could be decoded."""

    code = "media.undecodable"


class MediaTooLarge(MediaError):
    """More bytes or pixels than the settings allow."""

    code = "media.too_large"


class MediaTooLong(MediaError):
    """Longer than the settings allow."""

    code = "media.too_long"


class MediaTimeout(MediaError):
    """The decoder passed its wall or CPU limit and was killed in its cage."""

    code = "media.timeout"


class MediaCrashed(MediaError):
    """The decoder died in its cage, also when tried again alone."""

    code = "media.crashed"


class MediaMismatch(MediaError):
    """The object's sha256 is not the one the event states."""

    code = "media.mismatch"


class IngestError(InputError):
    """This item was not taken in; its kinds lie in `core.errors_ingest`."""

    code = "ingest.error"
    is_passing: ClassVar[bool] = False
    """Whether the same may succeed later; what may not is refused at once."""


class InferenceError(InputError):
    """The models could not score this input although a worker was alive."""

    code = "inference.error"

    @staticmethod
    def from_code(code: str, message: str) -> "InferenceError":
        """The error a worker named by its code."""
        kinds = (InferenceRefused, InferenceStale)
        return next((kind(message) for kind in kinds if kind.code == code), InferenceFailed(message))


class InferenceRefused(InferenceError):
    """The worker calls the input invalid (shape, dtype, length)."""

    code = "inference.refused"


class InferenceStale(InferenceError):
    """The input was prepared for models that are no longer served: decode or tokenise it again."""

    code = "inference.stale"


class InferenceFailed(InferenceError):
    """The input failed on a live worker as often as the settings allow."""

    code = "inference.failed"


class InferenceCrashed(InferenceFailed):
    """A worker died each time it had the input in hand, also when it had nothing else of this client."""

    code = "inference.crashed"


class DependencyError(PlatformError):
    """The surroundings are at fault: wait and try again; never a score."""

    code = "dependency.error"


class BrokerUnavailable(DependencyError):
    """No broker answers."""

    code = "broker.unavailable"


class DeliveryFailed(DependencyError):
    """A produced record was not confirmed."""

    code = "broker.delivery"


class StoreUnavailable(DependencyError):
    """The database refuses or does not answer."""

    code = "store.unavailable"


class CacheUnavailable(DependencyError):
    """Redis refuses or does not answer."""

    code = "cache.unavailable"


class ObjectsUnavailable(DependencyError):
    """The object store refuses or does not answer."""

    code = "objects.unavailable"


class InferenceUnavailable(DependencyError):
    """No inference worker answers."""

    code = "inference.unavailable"


class BrowserUnavailable(DependencyError):
    """The browser did not start, hung or died; another one may do."""

    code = "browser.unavailable"


class RegistryUnavailable(DependencyError):
    """The model registry refuses or does not answer."""

    code = "registry.unavailable"


class HubUnavailable(DependencyError):
    """The model hub refuses or does not answer."""

    code = "hub.unavailable"


class ModelRefused(PlatformError):
    """A model version that must not serve: damaged, hostile, or worse than its gate; what served before serves on."""

    code = "model.refused"


class ConfigError(PlatformError):
    """We are at fault: refuse to start with one line that says what, why and what to do."""

    code = "config.invalid"
