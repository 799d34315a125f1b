"""The retraining loop on PostgreSQL and the embedded registry, with a training that takes no time."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd
import psycopg
import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from core.clock import FixedClock
from core.errors import ConfigError, StoreUnavailable
from core.events import ModalityScore
from core.labels import Modality
from core.settings import RetrainingSettings, Settings, StoreSettings
from core.storage.history import TimescaleHistory
from models.registry import CHALLENGER, Registry, Run
from operations.commands.models import app
from operations.retraining.look import Asked, Outcome
from operations.retraining.run import Retraining
from operations.retraining.session import LOCK, alone
from tests.fixtures.platform import Platform
from tests.fixtures.registry import save_text
from tests.fixtures.stores import NOON, empty_tables, eventually, make_verdict

pytestmark = pytest.mark.integration

Look = Callable[..., Outcome]


def train_quickly(modality: Modality, *, data: Path, out: Path, version: str) -> None:
    """Random weights; the card tells what it was given."""
    del modality
    save_text(out, seed=5)
    given = sorted(path.stem for path in (data / "text").iterdir())
    (out / "README.md").write_text(f"# Text model {version}\n\n{', '.join(given)}\n")


@pytest.fixture
def dsn(registry_platform: Platform) -> str:
    dsn: str = registry_platform.settings.store.dsn.get_secret_value()
    empty_tables(dsn)
    return dsn


@pytest.fixture
def settings(registry_platform: Platform, registry: Registry, base: Path, dsn: str, tmp_path: Path) -> Settings:
    own = RetrainingSettings(work_dir=tmp_path / "work", min_new_labels=3, min_drift_videos=100)
    serving = registry_platform.settings.serving.model_copy(update={"models_dir": base})
    return registry_platform.settings.model_copy(update={"retraining": own, "serving": serving})


@pytest.fixture
def data(tmp_path: Path) -> Path:
    words = (("good day", "safe"), ("bad dog", "harmful"))
    rows = [(f"{word} {number}", label, split) for split in ("train", "gate", "test") for number in range(6)
            for word, label in words]  # fmt: skip
    (tmp_path / "data" / "text").mkdir(parents=True)
    table = pd.DataFrame(rows, columns=["text", "label", "split"]).assign(category="", lang="en")
    table.to_csv(tmp_path / "data" / "text" / "en_own.csv", index=False)
    return tmp_path / "data"


@pytest.fixture
def look(settings: Settings, registry: Registry, data: Path) -> Look:
    def look(*, days: float = 0, train: Callable[..., object] = train_quickly, **asked: object) -> Outcome:
        clock = FixedClock(NOON + timedelta(days=days))
        return Retraining(settings, registry, train, clock).look(Asked(Modality.TEXT, data, **asked))  # type: ignore[arg-type]

    return look


def execute(dsn: str, statement: str, *arguments: object) -> None:
    with psycopg.connect(dsn, autocommit=True, prepare_threshold=None) as connection:
        connection.execute(statement.encode(), arguments)


def post(dsn: str, number: int, *, days: float = 0.0, **changes: object) -> None:
    """A text-only post of number's own caption, decided by text:1."""
    own = {"caption": f"caption {number}", "media_uri": None, "model_version": "text:1|video:-|fusion:-"}
    verdict = make_verdict(f"v:{number}", offset=number, minute=days * 1440, **{**own, **changes})
    history = TimescaleHistory(StoreSettings(dsn=SecretStr(dsn)))
    try:
        history.write([verdict], [])
    finally:
        history.close()


def post_many(dsn: str, count: int, *, days: float, score: float) -> None:
    """As `post`, all at once; numbers follow the day, so that no two are the same."""
    first = int(days * 1000)
    verdicts = [
        make_verdict(
            f"v:{first + number}",
            offset=first + number,
            minute=days * 1440 + number / 10,
            model_version="text:1|video:-|fusion:-",
            caption_sha256=f"{first + number:064x}",
            modalities={Modality.TEXT: ModalityScore(scores={"harmful": score + number / count / 10})},
        )
        for number in range(count)
    ]
    history = TimescaleHistory(StoreSettings(dsn=SecretStr(dsn)))
    try:
        history.write(verdicts, [])
    finally:
        history.close()


def decide(dsn: str, number: int, decision: str, *, at: datetime = NOON, undone: bool = False) -> None:
    execute(
        dsn,
        "INSERT INTO review_decisions SELECT %s, video_id, verdict_id, event_time, 'r', %s, '[]', NULL, NULL, %s, %s"
        " FROM videos WHERE video_id = %s",
        f"{number}-{decision}-{at.isoformat()}",
        decision,
        at,
        at if undone else None,
        f"v:{number}",
    )


def review(dsn: str, *numbers: int, at: datetime = NOON) -> None:
    for number in numbers:
        post(dsn, number)
        decide(dsn, number, "confirm", at=at)


def serve_version_1(registry: Registry, base: Path) -> None:
    registry.promote(registry.register(base / "text", modality=Modality.TEXT, run=Run()))


def test_enough_new_labels_make_a_challenger_once(look: Look, registry: Registry, dsn: str, settings: Settings) -> None:
    review(dsn, 1, 2)
    assert look().line.startswith("2 new labels, 3 train")
    assert registry.versions(Modality.TEXT) == []
    review(dsn, 3)

    version = look().version

    assert version is not None
    assert registry.aliases(Modality.TEXT) == {CHALLENGER: 1}
    assert {"gate.macro_f1", "test.macro_f1"} <= version.measured.figures.keys()
    assert version.measured.data_sha256
    work = settings.retraining.work_dir / "text" / "run"
    assert (work / "models" / "text" / "README.md").read_text().endswith("en_own, reviews\n")
    again = look()
    assert (again.version, again.line.partition(";")[0]) == (None, "0 new labels, 3 train")
    review(dsn, 4, at=NOON + timedelta(hours=1))
    assert look().line.startswith("1 new labels")


def test_the_last_standing_decision_on_a_video_counts(dsn: str, settings: Settings) -> None:
    for number in (1, 2, 3):
        post(dsn, number)
    post(dsn, 4, media_uri="s3://clipwarden-media/4.mp4")
    for number, decision in ((1, "confirm"), (2, "confirm"), (3, "confirm"), (4, "reject")):
        decide(dsn, number, decision)
    decide(dsn, 2, "reject", at=NOON + timedelta(minutes=1))
    decide(dsn, 3, "reject", at=NOON + timedelta(minutes=1), undone=True)

    with alone(settings.store) as session:
        assert session is not None
        found = sorted((each.caption, each.decision, each.language, each.has_clip) for each in session.decisions())

    assert found == [
        ("caption 1", "confirm", "vi", False),
        ("caption 2", "reject", "vi", False),
        ("caption 3", "confirm", "vi", False),
        ("caption 4", "reject", "vi", True),
    ]


def test_drift_is_told_from_the_first_days_and_trains_once(
    look: Look, registry: Registry, base: Path, dsn: str
) -> None:
    serve_version_1(registry, base)
    assert look().line.endswith("drift of text:1 not known: it has given no verdict yet")
    post_many(dsn, 120, days=0.5, score=0.1)
    assert "known from 2026-03-16 on" in look(days=5).line
    assert look(days=15).line.endswith("of text:1 not known: 0 videos in the last days, 100 needed")
    post_many(dsn, 120, days=10, score=0.1)

    still = look(days=15)
    assert still.look is not None
    assert max(still.look.drift.values()) < 0.05
    assert still.look.drift.keys() == {"score", "characters", "language"}
    post_many(dsn, 120, days=20, score=0.8)
    moved = look(days=25)

    assert str(moved.version) == "text:2"
    assert moved.look is not None
    assert moved.look.drift["score"] > 1
    assert moved.look.drift["language"] < 0.01
    assert registry.aliases(Modality.TEXT) == {"champion": 1, CHALLENGER: 2}


def test_a_file_of_labels_is_new_until_it_was_learned_from(look: Look, tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    table = pd.DataFrame({"text": ["a", "b", "c"], "label": ["safe", "harmful", "safe"], "lang": "en"})
    table.to_csv(path, index=False)

    assert look(labels=path).version is not None
    assert look(labels=path).line.startswith("0 new labels")
    assert look(labels=path, forced=True).line.startswith("asked to; 0 new labels")


def holder(settings: Settings) -> Iterator[subprocess.Popen[str]]:
    code = (
        "import sys; from core.settings import Settings; from operations.retraining.session import alone\n"
        "with alone(Settings.load().store) as session: print(session is not None, flush=True); sys.stdin.read()"
    )
    dsn = settings.store.dsn.get_secret_value()
    line = (sys.executable, "-c", code)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    env = {"CLIPWARDEN_STORE__DSN": dsn, "PYTHONPATH": ":".join(sys.path)}
    with subprocess.Popen(line, env=env, text=True, **pipes) as process:  # type: ignore[call-overload]
        yield process
        process.kill()


def test_two_do_not_train_at_once_and_a_killed_one_starts_again(look: Look, settings: Settings) -> None:
    left = settings.retraining.work_dir / "text" / "run" / "models" / "text" / "half.safetensors"
    left.parent.mkdir(parents=True)
    left.touch()
    for process in holder(settings):
        assert process.stdout is not None
        assert process.stdout.readline() == "True\n"
        assert look(forced=True) == Outcome("another retraining runs")
        process.kill()
        process.wait()

        made = eventually(lambda: look(forced=True).version)

    assert made is not None
    assert not left.exists()


def test_whoever_lost_the_lock_registers_nothing(look: Look, registry: Registry, dsn: str) -> None:
    def train(modality: Modality, *, data: Path, out: Path, version: str) -> None:
        train_quickly(modality, data=data, out=out, version=version)
        execute(dsn, "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = %s", LOCK)

    with pytest.raises(StoreUnavailable):
        look(forced=True, train=train)

    assert registry.versions(Modality.TEXT) == []


def test_fusion_is_not_retrained_by_itself_and_labels_teach_text_alone(
    settings: Settings, registry: Registry, data: Path
) -> None:
    retraining = Retraining(settings, registry, train_quickly, FixedClock(NOON))

    with pytest.raises(ConfigError, match="promote text and video"):
        retraining.look(Asked(Modality.FUSION, data))
    with pytest.raises(ConfigError, match="leave --labels out"):
        retraining.look(Asked(Modality.VIDEO, data, data / "labels.csv"))


def test_data_that_cannot_be_read_ends_it_before_training(look: Look, data: Path) -> None:
    (data / "text" / "vi_broken.parquet").write_bytes(b"no parquet")

    with pytest.raises(ConfigError, match="cannot be read"):
        look(forced=True, train=lambda *_, **__: pytest.fail("trained"))


@pytest.fixture
def environment(settings: Settings, registry_platform: Platform, data: Path) -> dict[str, str]:
    own = {"CLIPWARDEN_SERVING__MODELS_DIR": str(settings.serving.models_dir), "CLIPWARDEN_DEMO_DATA": str(data)}
    return {**registry_platform.env, **own, "CLIPWARDEN_RETRAINING__WORK_DIR": str(settings.retraining.work_dir)}


def test_the_command_says_why_not(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    result = CliRunner().invoke(app, ["retrain", "--json"], standalone_mode=False)

    assert result.exception is None
    answer = json.loads(result.stdout)
    assert (answer["trained"], answer["labels"], answer["of"]) == (None, 0, "text:s0")
    assert answer["why"].startswith("0 new labels, 500 train; drift of text:s0 not known")


def test_a_watch_ends_with_ctrl_c(environment: dict[str, str]) -> None:
    # Whoever runs the tests in the background ignores Ctrl-C, and children inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    code = "from operations.cli import main; main()"
    line = (sys.executable, "-c", code, "models", "retrain", "--watch", "1h")
    env = {**environment, "PYTHONPATH": ":".join(sys.path)}
    with subprocess.Popen(line, env=env, text=True, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        first = process.stderr.readline()
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()

    assert first.startswith("not trained: 0 new labels")
    assert process.returncode == 130
    assert "Traceback" not in rest
