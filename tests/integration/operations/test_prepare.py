"""What runs once before the first process on a host."""

import pytest

from core.storage.media import S3Media
from core.topics import TOPICS
from operations.embedded.broker import partition_counts
from operations.prepare import prepare
from operations.state import Site
from tests.fixtures.platform import Platform

pytestmark = pytest.mark.integration


def test_preparing_makes_what_is_missing_and_may_be_repeated(platform: Platform) -> None:
    media = platform.settings.media.model_copy(update={"bucket": "prepared", "dead_letters_bucket": "prepared-dead"})
    settings = platform.settings.model_copy(update={"media": media})

    prepare(settings)
    prepare(settings)

    S3Media(media).put_bytes("prepared", "key", b"x", "text/plain")
    S3Media(media).put_bytes("prepared-dead", "key", b"x", "text/plain")
    assert {topic.name: topic.partitions for topic in TOPICS}.items() <= partition_counts(
        Site.load(platform.root)
    ).items()
