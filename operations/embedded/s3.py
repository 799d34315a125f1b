"""The S3 server: `nanio` over a plain folder. Media live in it, and every record of the broker."""

import sys
from functools import partial

import urllib3
from minio import Minio
from minio.error import MinioException

from core.errors import ObjectsUnavailable
from operations.processes import CHECK_TIMEOUT_S, ProcessSpec, Stage
from operations.state import ACCESS_KEY, DEAD_LETTERS_BUCKET, LOOPBACK, MEDIA_BUCKET, Site

BROKER_BUCKET = "tansu"
MODELS_BUCKET = "clipwarden-models"
BUCKETS = (BROKER_BUCKET, MEDIA_BUCKET, DEAD_LETTERS_BUCKET, MODELS_BUCKET)
REGION = "us-east-1"


def s3(site: Site) -> ProcessSpec:
    """The server with its buckets."""
    port = site.ports.of("s3")
    data = site.paths.data / "s3"
    options = ("--host", LOOPBACK, "--port", str(port), "--data-dir", str(data))
    return ProcessSpec(
        name="s3",
        stage=Stage.STORES,
        command=(sys.executable, "-m", "operations.embedded.s3_server", *options),
        env={"NANIO_ACCESS_KEY": ACCESS_KEY, "NANIO_SECRET_KEY": site.secrets.s3, "LC_ALL": "C.UTF-8"},
        check=partial(_check, site),
        log=site.paths.logs / "s3.log",
        port=port,
        before=partial(data.mkdir, mode=0o700, exist_ok=True),
        after=partial(_create_buckets, site),
    )


def _client(site: Site) -> Minio:
    return Minio(
        endpoint=site.address("s3"),
        access_key=ACCESS_KEY,
        secret_key=site.secrets.s3,
        secure=False,
        region=REGION,
        http_client=urllib3.PoolManager(timeout=CHECK_TIMEOUT_S, retries=False),
    )


def _check(site: Site) -> None:
    try:
        _client(site).bucket_exists(BROKER_BUCKET)
    except (MinioException, urllib3.exceptions.HTTPError) as error:
        port = site.ports.of("s3")
        raise ObjectsUnavailable(f"S3 on port {port} does not answer ({type(error).__name__})") from error


def _create_buckets(site: Site) -> None:
    client = _client(site)
    try:
        for bucket in BUCKETS:
            if not client.bucket_exists(bucket):
                client.make_bucket(bucket)
    except (MinioException, urllib3.exceptions.HTTPError) as error:
        raise ObjectsUnavailable(f"a bucket could not be created ({error})") from error
