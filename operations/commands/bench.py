"""clipwarden bench: speed and memory, each beside its baseline in the same run."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from core.errors import ConfigError
from core.settings import Settings, process_environment
from core.telemetry import configure_logging
from operations.bench.console.table import show as show_console
from operations.bench.corpus import bench_corpus
from operations.bench.corpus import show as show_corpus
from operations.bench.decode import TARGET_CLIPS, bench_decode
from operations.bench.decode import show as show_decode
from operations.bench.filled import Filling, bench_filled
from operations.bench.flow import bench_flow
from operations.bench.gateway import bench_gateway
from operations.bench.gpu import bench_gpu
from operations.bench.ingest import bench_ingest
from operations.bench.made import CLIPS
from operations.bench.path import bench_path
from operations.bench.produce import bench_produce
from operations.bench.search import bench_search
from operations.bench.search import show as show_search
from operations.bench.serving.run import Load, bench_serving
from operations.bench.serving.table import serving_table
from operations.bench.shortcuts import bench_shortcuts
from operations.bench.shortcuts import show as show_shortcuts
from operations.bench.sinks import bench_sinks
from operations.bench.sql_box import bench_sql_box
from operations.bench.sql_box import show as show_sql_box
from operations.seat import EXIT_FAILED, root, screen
from operations.state import MAX_FLOWS, Site

app = typer.Typer(no_args_is_help=True)

MAX_UPLOAD_BYTES = 4 * 10**9
"""What the length of one box in an MP4 can say."""

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]


@app.callback()
def bench() -> None:
    """Measures on servers of its own, thrown away afterwards. Example: clipwarden bench flow --json."""
    configure_logging(Settings.load().telemetry.model_copy(update={"log_level": "error"}))


@app.command()
def path(
    *,
    clips: Annotated[int, typer.Option(help="How many clips a run.", min=16, max=100_000)] = 120,
    processes: Annotated[str, typer.Option(help="Numbers of flow processes, e.g. 1,2,4.")] = "1",
    as_json: AsJson = False,
) -> None:
    """Real clips through everything, beside one video at a time. Example: clipwarden bench path --processes 1,2,4."""
    report(bench_path(clips, _data(), _counts(processes)), as_json=as_json)


@app.command()
def flow(
    *,
    events: Annotated[int, typer.Option(help="How many events.", min=1_000, max=5_000_000)] = 60_000,
    as_json: AsJson = False,
) -> None:
    """Events/s with null decode and null infer, beside a bare copy. Example: clipwarden bench flow --events 200000."""
    report(bench_flow(events), as_json=as_json)


@app.command()
def serving(
    *,
    rounds: Annotated[int, typer.Option(help="How often each is measured; medians count.", min=1, max=100)] = 5,
    seconds: Annotated[float, typer.Option(help="How long a round takes.", min=0.2, max=600)] = 3.0,
    as_json: AsJson = False,
) -> None:
    """The worker under 1, 4 and 16 clients, beside gRPC and LitServe. Example: clipwarden bench serving --rounds 1."""
    result = bench_serving(Load(rounds, seconds))
    if as_json:
        typer.echo(json.dumps(result))
    else:
        screen.print(serving_table(result))


@app.command()
def decode(
    *,
    rounds: Annotated[int, typer.Option(help="How often each clip is decoded.", min=1)] = 5,
    quick: Annotated[bool, typer.Option("--quick", help="The two clips of the target only.")] = False,
    as_json: AsJson = False,
) -> None:
    """CPU, frames and their times, beside PyAV, decord and ffmpeg. Example: clipwarden bench decode --quick."""
    clips = [clip for clip in CLIPS if clip.name in TARGET_CLIPS or not quick]
    result = bench_decode(root() / ".clipwarden" / "bench", rounds=rounds, clips=clips)
    report(result, as_json=as_json, show=show_decode)


@app.command()
def corpus(*, as_json: AsJson = False) -> None:
    """Broken and hostile files: the answer, seconds and memory of each. Example: clipwarden bench corpus --json."""
    result = bench_corpus(Settings.load().decode)
    report(result, as_json=as_json, show=show_corpus)
    if result["wrong"] or not result["is_within_memory"]:
        raise typer.Exit(EXIT_FAILED)


@app.command()
def shortcuts(*, as_json: AsJson = False) -> None:
    """What cheaper decoding does to scores. Example: CLIPWARDEN_DEMO_DATA=/data clipwarden bench shortcuts."""
    data = _data()
    if data is None:
        raise ConfigError("labelled clips are needed: set CLIPWARDEN_DEMO_DATA to a folder with video/manifest.csv")
    report(bench_shortcuts(data / "video"), as_json=as_json, show=show_shortcuts)


@app.command()
def ingest(
    *,
    items: Annotated[int, typer.Option(help="How many links.", min=20, max=100_000)] = 1_000,
    kill_every: Annotated[str, typer.Option(help="Between two kill -9; 0s: none.")] = "5s",
    workers: Annotated[int, typer.Option(help="Worker processes.", min=1, max=16)] = 2,
    as_json: AsJson = False,
) -> None:
    """Links through the ledger while workers are killed -9. Example: clipwarden bench ingest --kill-every 5s."""
    result = bench_ingest(items, _seconds(kill_every), workers=workers)
    report(result, as_json=as_json)
    if not result["is_exact"]:
        raise typer.Exit(EXIT_FAILED)


@app.command()
def sinks(
    *, verdicts: Annotated[int, typer.Option(help="How many.", min=1_000)] = 20_000, as_json: AsJson = False
) -> None:
    """Verdicts/s written, beside one at a time. Example: clipwarden bench sinks."""
    report(bench_sinks(verdicts), as_json=as_json)


@app.command()
def filled(
    *,
    verdicts: Annotated[int, typer.Option(help="How many videos, each with a verdict.", min=1)] = 1_000_000,
    decisions: Annotated[int, typer.Option(help="How many of them were reviewed.", min=0)] = 50_000,
    as_json: AsJson = False,
) -> None:
    """Fill a database for measuring, beside the platform's own on its server. Example: clipwarden bench filled."""
    report(bench_filled(Site.load(root()).dsn("postgres"), Filling(verdicts, decisions)), as_json=as_json)


@app.command()
def search(
    *, rounds: Annotated[int, typer.Option(help="How often each filter.", min=1)] = 20, as_json: AsJson = False
) -> None:
    """The console's search, filter by filter, over what `bench filled` made. Example: clipwarden bench search."""
    report(bench_search(Site.load(root()).dsn("postgres"), rounds), as_json=as_json, show=show_search)


@app.command()
def console(  # noqa: PLR0913 - one option each
    *,
    verdicts: Annotated[int, typer.Option(help="In the store, each with a video.", min=1)] = 1_000_000,
    decisions: Annotated[int, typer.Option(help="Of people, in the store.", min=0)] = 50_000,
    page: Annotated[str, typer.Option(help="Only pages whose names hold this, e.g. audit.")] = "",
    rounds: Annotated[int, typer.Option(help="How often each page.", min=1)] = 20,
    clients: Annotated[int, typer.Option(help="At once; 0: no crowd.", min=0, max=200)] = 20,
    stay: Annotated[float, typer.Option(help="Seconds a client stays on a page.", min=0)] = 5.0,
    events: Annotated[int, typer.Option(help="From event to alert; 0: none.", min=0, max=10_000)] = 200,
    rate: Annotated[float, typer.Option(help="Events a second.", min=0.05, max=50)] = 2.0,
    as_json: AsJson = False,
) -> None:
    """Every page over a filled store, a crowd, alerts in a real Chromium. Example: clipwarden bench console --json."""
    from operations.bench.console.crowd import Habits  # noqa: PLC0415 - no other bench needs the console's own parts
    from operations.bench.console.run import Amount, bench_console  # noqa: PLC0415

    filling, amount = Filling(verdicts, decisions), Amount(page, rounds, Habits(clients, stay), events, rate)
    report(bench_console(Site.load(root()), filling, amount), as_json=as_json, show=show_console)


@app.command()
def gateway(
    *,
    nbytes: Annotated[str, typer.Option("--bytes", help="Of the large upload, e.g. 500MB or 2GB.")] = "2GB",
    rounds: Annotated[int, typer.Option(help="How often it is sent; medians count.", min=1, max=100)] = 3,
    as_json: AsJson = False,
) -> None:
    """A large upload beside a raw S3 put, and 200 callers at once. Example: clipwarden bench gateway --bytes 500MB."""
    report(bench_gateway(_size_bytes(nbytes), rounds), as_json=as_json)


@app.command()
def produce(
    *,
    files: Annotated[int, typer.Option(help="How many files a round.", min=8)] = 120,
    megabytes: Annotated[int, typer.Option(help="How large each is.", min=1, max=150)] = 5,
    rounds: Annotated[int, typer.Option(help="How often; medians count.", min=1)] = 3,
    as_json: AsJson = False,
) -> None:
    """A folder through `clipwarden produce`, beside raw puts into the store. Example: clipwarden bench produce."""
    report(bench_produce(files, megabytes, rounds), as_json=as_json)


@app.command(name="sql-box")
def sql_box(*, as_json: AsJson = False) -> None:
    """Hostile statements against the console's SQL box, and what stops each. Example: clipwarden bench sql-box."""
    result = bench_sql_box()
    report(result, as_json=as_json, show=show_sql_box)
    if result["succeeded"] or not result["is_unchanged"]:
        raise typer.Exit(EXIT_FAILED)


@app.command()
def gpu(
    *,
    device: Annotated[str, typer.Option(help="cuda, or cpu to try it.")] = "cuda",
    compile_: Annotated[str, typer.Option("--compile", help="default, max-autotune or none.")] = "default",
    tiny: Annotated[bool, typer.Option(help="Networks of no size.")] = False,
    as_json: AsJson = False,
) -> None:
    """Published shapes on CUDA, as shares of what the chip can do. Example: clipwarden bench gpu --json."""
    report(bench_gpu(device, compile_, tiny=tiny), as_json=as_json)


def report(
    result: dict[str, object], *, as_json: bool, show: Callable[[Mapping[str, Any]], None] | None = None
) -> None:
    """One JSON object on stdout, or what a person reads: a table where the bench has one, else lines."""
    if as_json:
        typer.echo(json.dumps(result))
        return
    if show is not None:
        show(result)
        return
    for name, value in result.items():
        screen.print(f"  {name:<28} {value}")


def _seconds(text: str) -> float:
    try:
        return float(text.removesuffix("s"))
    except ValueError as error:
        raise ConfigError(f"--kill-every {text} is no number of seconds; give e.g. 5s") from error


def _data() -> Path | None:
    named = process_environment().get("CLIPWARDEN_DEMO_DATA")
    return Path(named) if named else None


def _size_bytes(text: str) -> int:
    found = re.fullmatch(r"(\d{1,6})(MB|GB)", text.strip().upper())
    size_bytes = int(found[1]) * {"MB": 10**6, "GB": 10**9}[found[2]] if found else 0
    if not 10**6 <= size_bytes <= MAX_UPLOAD_BYTES:
        raise ConfigError(f"--bytes {text}: give 1MB to {MAX_UPLOAD_BYTES // 10**9}GB, e.g. 500MB")
    return size_bytes


def _counts(text: str) -> list[int]:
    try:
        counts = [int(part) for part in text.split(",")]
    except ValueError:
        counts = [0]
    if not all(0 < count <= MAX_FLOWS for count in counts):
        raise ConfigError(f"--processes {text}: give numbers from 1 to {MAX_FLOWS}, e.g. 1,2,4")
    return counts
