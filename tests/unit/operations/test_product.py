from pathlib import Path

import pytest

from core.errors import DependencyError
from operations.product import product
from operations.state import Paths, Plan, Ports, Secrets, Site, settings


@pytest.fixture
def site(tmp_path: Path) -> Site:
    paths = Paths(tmp_path)
    paths.home.mkdir()
    return Site(paths, Ports(base=20_000), Secrets())


def _workers(site: Site, plan: Plan) -> list[dict[str, str]]:
    plan.write(site.paths.plan)
    return [dict(spec.env) for spec in product(site, plan) if spec.name.startswith("worker")]


def test_every_process_is_asked_whether_it_can_do_its_work(site: Site) -> None:
    plan = Plan(worker=True, flows=1, ingestion=True, gateway=True, router=True, dashboard=True)

    for spec in product(site, plan):
        with pytest.raises(DependencyError, match="/readyz does not answer"):
            spec.check()


def test_flows_find_each_worker_where_it_listens(site: Site) -> None:
    workers = _workers(site, Plan(worker=True, workers=3, flows=1))

    binds = tuple(env["CLIPWARDEN_SERVING__BIND"] for env in workers)
    assert len(set(binds)) == 3
    assert settings(site).inference.endpoints == binds


def test_one_worker_keeps_its_name_and_every_gpu(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    (env,) = _workers(site, Plan(worker=True))

    assert "CUDA_VISIBLE_DEVICES" not in env
    assert settings(site).inference.endpoints == (env["CLIPWARDEN_SERVING__BIND"],)
    assert [spec.name for spec in product(site, Plan(worker=True))] == ["worker"]


@pytest.mark.parametrize(("visible", "each"), [(None, ["0", "1", "2"]), ("4,GPU-7f", ["4", "GPU-7f", ""])])
def test_each_of_several_workers_sees_one_gpu(
    site: Site, monkeypatch: pytest.MonkeyPatch, visible: str | None, each: list[str]
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)

    workers = _workers(site, Plan(worker=True, workers=3))

    assert [env["CUDA_VISIBLE_DEVICES"] for env in workers] == each
