"""MLflow's server on the embedded PostgreSQL; started with the first train or promote, and kept from then on."""

import sys
from functools import partial

from operations.embedded.postgres import MLFLOW_DATABASE
from operations.processes import ProcessSpec, Stage, check_http
from operations.state import LOOPBACK, Site


def mlflow(site: Site) -> ProcessSpec:
    """The tracking server and registry; artifacts go through it, so its clients see only its address."""
    artifacts = site.paths.data / "mlflow"
    port = site.ports.of("mlflow")
    options = ("--host", LOOPBACK, "--port", str(port), "--workers", "1")
    return ProcessSpec(
        name="mlflow",
        stage=Stage.MODELS,
        command=(sys.executable, "-m", "mlflow", "server", *options),
        env={
            # In the environment, because everybody sees a command line, and the password is in it.
            "MLFLOW_BACKEND_STORE_URI": site.dsn(MLFLOW_DATABASE).replace("postgresql://", "postgresql+psycopg://"),
            "MLFLOW_ARTIFACTS_DESTINATION": str(artifacts),
            "MLFLOW_DISABLE_TELEMETRY": "true",
            # Its job runner serves judges of language models: processes nobody here asks for.
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            "LC_ALL": "C.UTF-8",
        },
        check=partial(check_http, f"http://{site.address('mlflow')}/health"),
        log=site.paths.logs / "mlflow.log",
        port=port,
        before=partial(artifacts.mkdir, mode=0o700, exist_ok=True),
    )
