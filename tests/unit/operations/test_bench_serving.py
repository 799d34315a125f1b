import io
import time
from dataclasses import replace

import pytest
from rich.console import Console

from core.errors import ConfigError
from operations.bench.serving.client import MOST_IN_FLIGHT, Stopwatch
from operations.bench.serving.crew import Point, Round
from operations.bench.serving.run import PACKAGES, Load, figures, missing, report
from operations.bench.serving.table import serving_table

_ROUND = Round(
    seconds=2.0,
    latencies_ms=(1.0,) * 99 + (50.0,),
    server_cpu_s=0.02,
    clients_cpu_s=0.01,
    busy_fraction=0.9,
    batches=10,
)


def test_a_round_becomes_rates_and_cost_per_request() -> None:
    row = figures(_ROUND, tells_compute=True)

    assert (row["req_s"], row["p50_ms"]) == (50.0, 1.0)
    assert (row["server_cpu_ms"], row["client_cpu_ms"]) == pytest.approx((0.2, 0.1))
    assert (row["busy_fraction"], row["batch"]) == (0.9, 10.0)


def test_only_our_worker_says_how_busy_it_is() -> None:
    assert "busy_fraction" not in figures(_ROUND, tells_compute=False)


def test_a_round_without_answers_is_no_figure() -> None:
    with pytest.raises(ConfigError, match="--seconds"):
        figures(replace(_ROUND, latencies_ms=()), tells_compute=False)


def test_a_baseline_whose_package_is_not_there_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PACKAGES, "grpc", ("no_such_module", "grpcio"))

    assert missing("ring") == ""
    assert missing("grpc").endswith("pip install grpcio")


def test_the_table_says_why_a_row_is_not_there() -> None:
    rows = {Point(16, MOST_IN_FLIGHT): figures(_ROUND, tells_compute=True)}
    result = report({"ring": rows, "grpc": rows}, rows, Load(rounds=1, seconds=1.0))
    screen = Console(file=io.StringIO(), width=160)
    screen.print(serving_table(result | {"litserve": "not measured"}))

    text = screen.file.getvalue()  # type: ignore[attr-defined]
    assert "not measured" in text
    assert "1.0 x req/s" in text


def test_answers_of_the_warm_up_are_not_counted() -> None:
    watch = Stopwatch(60.0, 60.0)

    assert watch.note(time.perf_counter())
    assert watch.latencies_ms == []


def test_answers_after_the_round_are_not_counted_and_end_it() -> None:
    watch = Stopwatch(0.0, 0.0)

    assert not watch.note(time.perf_counter())
    assert watch.latencies_ms == []
