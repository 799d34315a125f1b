"""The product's own processes under the supervisor: inference workers, flows, ingestion, gateway, router, console."""

import sys
from collections.abc import Mapping
from functools import partial
from itertools import chain

from core.settings import process_environment
from operations.processes import CODE_DIR, ProcessSpec, Stage, check_http
from operations.state import LOOPBACK, Plan, Site, environment

_GPUS = "CUDA_VISIBLE_DEVICES"


def product(site: Site, plan: Plan) -> list[ProcessSpec]:
    """The product's processes of a plan."""
    specs = [worker(site, index, plan.workers) for index in range(plan.workers if plan.worker else 0)]
    specs += [flow(site, share, plan.flows) for share in range(plan.flows)]
    if plan.ingestion:
        specs.append(ingestion(site))
    if plan.gateway:
        specs.append(gateway(site))
    if plan.router:
        specs.append(router(site))
    if plan.dashboard:
        specs.append(console(site, plan.banner))
    return specs


def worker(site: Site, index: int = 0, count: int = 1) -> ProcessSpec:
    """An inference worker; of several, each sees one GPU only, where there are any."""
    name = f"worker-{index}" if count > 1 else "worker"
    port = site.ports.of(name)
    own = {"CLIPWARDEN_SERVING__HTTP_PORT": str(port), "CLIPWARDEN_SERVING__BIND": site.worker_endpoint(index)}
    return ProcessSpec(
        name=name,
        stage=Stage.MODELS,
        command=(sys.executable, "-m", "models.serving"),
        env=_environment(site, own | (_one_gpu(index) if count > 1 else {})),
        check=partial(check_http, f"http://{site.address(name)}/readyz"),
        log=site.paths.logs / f"{name}.log",
        port=port,
        grace_s=10.0,
    )


def _one_gpu(index: int) -> dict[str, str]:
    """With more workers than GPUs the rest see none, and compute on the CPU."""
    visible = process_environment().get(_GPUS)
    if visible is None:
        return {_GPUS: str(index)}
    return {_GPUS: dict(enumerate(visible.split(","))).get(index, "")}


def flow(site: Site, share: int, count: int) -> ProcessSpec:
    """One scoring process, with its share of the partitions."""
    name = f"flow-{share}"
    port = site.ports.of(name)
    own = {"CLIPWARDEN_FLOW__SHARE": f"{share}/{count}", "CLIPWARDEN_FLOW__HTTP_PORT": str(port)}
    return ProcessSpec(
        name=name,
        stage=Stage.PRODUCT,
        command=(sys.executable, "-m", "bytewax.run", "dataflows.moderation"),
        env=_environment(site, own),
        check=partial(check_http, f"http://{site.address(name)}/readyz"),
        log=site.paths.logs / f"{name}.log",
        port=port,
        # It answers what is in flight before it ends.
        grace_s=25.0,
    )


def ingestion(site: Site) -> ProcessSpec:
    """The worker of the ledger."""
    port = site.ports.of("ingestion")
    own = {
        "CLIPWARDEN_INGESTION__HTTP_PORT": str(port),
        "CLIPWARDEN_INGESTION__WORK_DIR": str(site.paths.data / "ingestion"),
    }
    return ProcessSpec(
        name="ingestion",
        stage=Stage.PRODUCT,
        command=(sys.executable, "-m", "ingestion.work"),
        env=_environment(site, own),
        check=partial(check_http, f"http://{site.address('ingestion')}/readyz"),
        log=site.paths.logs / "ingestion.log",
        port=port,
        # What is being fetched may finish.
        grace_s=30.0,
    )


def gateway(site: Site) -> ProcessSpec:
    """The HTTP gateway."""
    port = site.ports.of("gateway")
    own = {
        "CLIPWARDEN_GATEWAY__PORT": str(port),
        "CLIPWARDEN_GATEWAY__HTTP_PORT": str(site.ports.of("gateway-http")),
        "CLIPWARDEN_GATEWAY__WORK_DIR": str(site.paths.data / "gateway"),
    }
    return ProcessSpec(
        name="gateway",
        stage=Stage.PRODUCT,
        command=(sys.executable, "-m", "ingestion.gateway"),
        env=_environment(site, own),
        check=partial(check_http, f"http://{site.address('gateway-http')}/readyz"),
        log=site.paths.logs / "gateway.log",
        port=port,
        # Uploads under way may finish.
        grace_s=25.0,
    )


def router(site: Site) -> ProcessSpec:
    """What sends alerts to the routes people wrote."""
    port = site.ports.of("router")
    own = {
        "CLIPWARDEN_ROUTING__HTTP_PORT": str(port),
        "CLIPWARDEN_ROUTING__CONSOLE_URL": f"http://{site.address('dashboard')}",
    }
    return ProcessSpec(
        name="router",
        stage=Stage.PRODUCT,
        command=(sys.executable, "-m", "operations.router"),
        env=_environment(site, own),
        check=partial(check_http, f"http://{site.address('router')}/readyz"),
        log=site.paths.logs / "router.log",
        port=port,
        # What is being sent may be answered.
        grace_s=20.0,
    )


def console(site: Site, banner: str) -> ProcessSpec:
    """The moderators' console."""
    port = site.ports.of("dashboard")
    options = {
        "--server.address": LOOPBACK,
        "--server.port": str(port),
        "--server.headless": "true",
        "--browser.gatherUsageStats": "false",
    }
    own = {"CLIPWARDEN_DASHBOARD__BANNER": banner, "CLIPWARDEN_DASHBOARD__LOGS_DIR": str(site.paths.logs)}
    app = CODE_DIR / "dashboard" / "app.py"
    return ProcessSpec(
        name="dashboard",
        stage=Stage.PRODUCT,
        command=(sys.executable, "-m", "streamlit", "run", str(app), *chain.from_iterable(options.items())),
        env=_environment(site, own),
        # Without the database nobody can sign in, and `clipwarden status` says so; it is not restarted for that.
        check=partial(check_http, f"http://{site.address('dashboard')}/readyz"),
        log=site.paths.logs / "dashboard.log",
        port=port,
    )


def _environment(site: Site, own: Mapping[str, str]) -> dict[str, str]:
    return {**process_environment(), **environment(site), **own}
