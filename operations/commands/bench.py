"""clipwarden bench path | flow | serving | decode | sinks | gpu: each with its baseline in the same run."""

import json
from pathlib import Path
from typing import Annotated

import typer

from core.errors import ConfigError
from core.settings import Settings, process_environment
from core.telemetry import configure_logging
from operations.bench.decode import bench_decode
from operations.bench.flow import bench_flow
from operations.bench.gpu import bench_gpu
from operations.bench.path import bench_path
from operations.bench.serving.run import Load, bench_serving
from operations.bench.serving.table import serving_table
from operations.bench.sinks import bench_sinks
from operations.demo.render import render_clips
from operations.seat import root, screen
from operations.state import MAX_FLOWS

app = typer.Typer(no_args_is_help=True)

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
def decode(*, as_json: AsJson = False) -> None:
    """CPU per clip, beside decoding every frame. Example: CLIPWARDEN_DEMO_DATA=/data clipwarden bench decode."""
    data = _data()
    files = sorted((data / "video" / "clips").glob("*.mp4"))[:64] if data else render_clips(root() / ".clipwarden/demo")
    report(bench_decode(files, Settings.load().decode), as_json=as_json)


@app.command()
def sinks(
    *, verdicts: Annotated[int, typer.Option(help="How many.", min=1_000)] = 20_000, as_json: AsJson = False
) -> None:
    """Verdicts/s written, beside one at a time. Example: clipwarden bench sinks."""
    report(bench_sinks(verdicts), as_json=as_json)


@app.command()
def gpu(*, as_json: AsJson = False) -> None:
    """Clips/s by batch size on CUDA, beside this host's CPU. Example: clipwarden bench gpu --json."""
    report(bench_gpu(), as_json=as_json)


def report(result: dict[str, object], *, as_json: bool) -> None:
    """One JSON object on stdout, or lines for people."""
    if as_json:
        typer.echo(json.dumps(result))
        return
    for name, value in result.items():
        screen.print(f"  {name:<28} {value}")


def _data() -> Path | None:
    named = process_environment().get("CLIPWARDEN_DEMO_DATA")
    return Path(named) if named else None


def _counts(text: str) -> list[int]:
    try:
        counts = [int(part) for part in text.split(",")]
    except ValueError:
        counts = [0]
    if not all(0 < count <= MAX_FLOWS for count in counts):
        raise ConfigError(f"--processes {text}: give numbers from 1 to {MAX_FLOWS}, e.g. 1,2,4")
    return counts
