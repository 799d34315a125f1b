"""The console's bench opens real pages in a real browser, and sees the alerts of the posts that it sends."""

import os
import shutil

import psycopg
import pytest

from core.errors import ConfigError, DependencyError
from operations.bench.console.alerts import bench_alerts
from operations.bench.console.crowd import Habits
from operations.bench.console.looks import LOOKS, Look, named
from operations.bench.console.run import Amount, bench_console
from operations.bench.console.served import Console
from operations.bench.console.table import show
from operations.bench.console.visitor import Visitor
from operations.bench.filled import NAME, Filling
from operations.state import Site
from tests.fixtures.platform import Platform

no_chromium = not (shutil.which("chromium") and shutil.which("chromedriver")) and "CI" not in os.environ
pytestmark = [
    pytest.mark.integration,
    pytest.mark.browser,
    pytest.mark.skipif(no_chromium, reason="no Chromium here: apt-get install chromium chromium-driver"),
]

FILLING = Filling(300, 20)


def test_pages_are_opened_alone_and_in_a_crowd_over_a_store_of_the_benchs_own(platform: Platform) -> None:
    amount = Amount("audit: gallery", rounds=2, habits=Habits(2, 0.2), events=0)

    result = bench_console(Site.load(platform.root), FILLING, amount, database=f"{NAME}_console")

    rows = result["pages"]
    assert [row["page"] for row in rows] == [look.name for look in named("audit: gallery")]
    assert all(
        0 < row[part]["p95_s"] < 60 and row[part]["samples"] == 2 for row in rows for part in ("server", "paint")
    )
    assert result["crowd"]["arrival_p95_s"] > 0
    assert result["crowd"]["server"]["samples"] > 0
    assert not result["crowd"]["failures"]
    show(result)
    with psycopg.connect(platform.settings.store.dsn.get_secret_value()) as connection:
        (own,) = connection.execute("SELECT count(*) FROM videos WHERE video_id LIKE 'bench:%'").fetchone() or (None,)
    assert own == 0


def test_a_page_that_is_not_drawn_is_no_figure(platform: Platform) -> None:
    with Console(platform.env, platform.settings, log=platform.root / "bench-console.log") as console:
        about = next(look for look in LOOKS if look.path == "about")
        wrong = Look("wrong", about.path, "Another page", about.marker)

        with Visitor(console.address, console.token()) as visitor:
            assert visitor.open(about, "") > 0
            assert visitor.stay(3.0) > 0
            with pytest.raises(DependencyError, match="was not drawn"):
                visitor.open(wrong, "")
        with Visitor(console.address, "nobody") as stranger, pytest.raises(DependencyError, match="was not drawn"):
            stranger.open(about, "")


def test_every_event_is_seen_as_an_alert_on_the_screen() -> None:
    row = bench_alerts(3, 1.0)

    assert (row["events"], row["never_shown"], row["samples"]) == (3, 0, 3)
    assert 0 < row["to_verdict_p50_s"] < row["p50_s"] < 30


def test_no_page_of_that_name_is_wrong_usage() -> None:
    with pytest.raises(ConfigError, match="live monitor"):
        named("nowhere")
