"""MLflow's server on the embedded PostgreSQL and S3; started with the first `models register`, kept from then on."""

import sys
from functools import partial

from operations.embedded.postgres import MLFLOW_DATABASE
from operations.embedded.s3 import MODELS_BUCKET, REGION
from operations.processes import ProcessSpec, Stage, check_http
from operations.state import ACCESS_KEY, LOOPBACK, Site


def mlflow(site: Site) -> ProcessSpec:
    """The tracking server and registry; artifacts go through it, so its clients see only its address."""
    port = site.ports.of("mlflow")
    options = ("--host", LOOPBACK, "--port", str(port), "--workers", "1")
    return ProcessSpec(
        name="mlflow",
        stage=Stage.MODELS,
        command=(sys.executable, "-m", "mlflow", "server", *options),
        # In the environment, because everybody sees a command line, and the passwords are in it.
        env={
            "MLFLOW_BACKEND_STORE_URI": site.dsn(MLFLOW_DATABASE).replace("postgresql://", "postgresql+psycopg://"),
            "MLFLOW_ARTIFACTS_DESTINATION": f"s3://{MODELS_BUCKET}/",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "DO_NOT_TRACK": "true",
            "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
            # Its job runner serves judges of language models: processes nobody here asks for.
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            "LC_ALL": "C.UTF-8",
            **_objects(site),
        },
        check=partial(check_http, f"http://{site.address('mlflow')}/health"),
        log=site.paths.logs / "mlflow.log",
        port=port,
    )


def _objects(site: Site) -> dict[str, str]:
    """Where boto3 finds the object store."""
    return {
        "MLFLOW_S3_ENDPOINT_URL": f"http://{site.address('s3')}",
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": site.secrets.s3,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
