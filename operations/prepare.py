"""`python -m operations.prepare`: what the first process needs: the schema, the buckets, the topics.

Doing it again changes nothing. Embedded servers make theirs as they start; on a host this runs once before the rest.
"""

import stamina
import structlog

from core.errors import DependencyError
from core.settings import Settings
from core.storage.media import S3Media
from core.storage.migrate import migrate
from core.telemetry import configure_logging
from ingestion.kafka import create_topics
from operations.seat import errors_as_lines

log = structlog.get_logger()

WAIT_S = 300.0


@stamina.retry(on=DependencyError, attempts=None, timeout=WAIT_S, wait_max=5.0)
def prepare(settings: Settings) -> None:
    """Make what is missing; waits for servers that still start.

    Raises:
        DependencyError: one of them did not answer for WAIT_S seconds.
        ConfigError: the database refuses a migration.
    """
    migrations = migrate(
        settings.store.dsn.get_secret_value(),
        retention_days=settings.store.retention_days,
        reporting_dsn=settings.reporting.dsn.get_secret_value(),
    )
    S3Media(settings.media).ensure_buckets((settings.media.bucket, settings.media.dead_letters_bucket))
    topics = create_topics(settings.kafka)
    log.info("prepare.done", migrations=migrations, topics=topics)


def main() -> None:
    """Prepare; a failure is one line, and the exit code tells whose it is."""
    with errors_as_lines():
        settings = Settings.load()
        configure_logging(settings.telemetry)
        prepare(settings)


if __name__ == "__main__":
    main()
