"""The clipwarden command as a person gives it, against a running platform."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ingestion.posts import Post
from tests.fixtures.scoring import Pipeline

pytestmark = pytest.mark.e2e

COMMAND = str(Path(sys.executable).with_name("clipwarden"))


def clipwarden(*arguments: str, env: dict[str, str] | None = None, cwd: Path | None = None) -> "subprocess.CompletedProcess[str]":  # fmt: skip  # noqa: E501
    return subprocess.run(
        [COMMAND, *arguments],
        env={**os.environ, **(env or {})},
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


def on(pipeline: Pipeline, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return clipwarden(*arguments, env=dict(pipeline.platform.env), cwd=pipeline.platform.root)


def test_produce_takes_a_folder_and_refuses_what_is_no_video_with_its_reason(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    (tmp_path / "good.mp4").write_bytes(pipeline.clips[0].read_bytes())
    (tmp_path / "page.mp4").write_text("<html>no video</html>")

    result = on(pipeline, "produce", str(tmp_path), "--caption", "from the command", "--json")

    assert result.returncode == 1
    body = json.loads(result.stdout)
    assert body["posted"] == 1
    assert "ingest.type" in body["refused"][str(tmp_path / "page.mp4")]


def test_produce_reads_json_lines(pipeline: Pipeline, tmp_path: Path) -> None:
    lines = [
        {"caption": "only words", "video_id": "cli-text"},
        {"file": str(pipeline.clips[0]), "video_id": "cli-clip"},
    ]
    (tmp_path / "posts.jsonl").write_text("\n".join(map(json.dumps, lines)))

    result = on(pipeline, "produce", "--jsonl", str(tmp_path / "posts.jsonl"))

    assert result.returncode == 0, result.stderr
    assert pipeline.wait_for(["cli-text", "cli-clip"]).lost == 0


def test_a_dead_letter_is_listed_shown_and_replayed_when_its_object_is_there(pipeline: Pipeline) -> None:
    bucket = pipeline.platform.settings.media.bucket
    event = pipeline.intake.store_file(pipeline.clips[0], Post("a late object", "late-object"))
    key = f"late/{os.urandom(4).hex()}"
    pipeline.send(event.model_copy(update={"media_uri": f"s3://{bucket}/{key}", "sha256": None}))
    assert pipeline.verdict("late-object").modalities["video"].code == "media.missing"
    listed = json.loads(on(pipeline, "dead-letters", "list", "--code", "media.missing", "--json").stdout)
    dead_id = next(row["id"] for row in listed["dead_letters"] if row["video_id"] == "late-object")
    assert json.loads(on(pipeline, "dead-letters", "show", dead_id).stdout)["code"] == "media.missing"

    pipeline.media.put_file(bucket, key, pipeline.clips[0], "video/mp4")
    replayed = on(pipeline, "dead-letters", "replay", dead_id)

    assert "replayed 1 record" in replayed.stderr
    pipeline.wait_until(lambda: pipeline.verdict("late-object").modalities["video"].scores is not None)
    assert pipeline.wait_for(["late-object"]).duplicates == 0


def test_score_needs_no_servers(clips: list[Path], tmp_path: Path) -> None:
    result = clipwarden("score", str(clips[0]), "--caption", "hello there", "--json", cwd=tmp_path)

    assert result.returncode == 0, result.stderr
    verdict = json.loads(result.stdout)
    assert verdict["modalities"]["text"]["scores"]
    assert verdict["modalities"]["video"]["scores"]


def test_score_reads_a_manifest_and_keeps_its_columns(clips: list[Path], tmp_path: Path) -> None:
    rows = [f"{clips[0]},hello,1", ",only words,2", f"{tmp_path}/none.mp4,,3"]
    (tmp_path / "in.csv").write_text("file,text,mine\n" + "\n".join(rows))

    result = clipwarden("score", "--manifest", "in.csv", "--out", "out.csv", "--json", cwd=tmp_path)

    assert result.returncode == 0, result.stderr
    lines = (tmp_path / "out.csv").read_text().splitlines()
    head = lines[0].split(",")
    assert {
        "mine",
        "text_score",
        "video_score",
        "fusion_score",
        "score",
        "verdict",
        "mode",
        "code",
        "label_hate",
    } <= set(head)
    assert "media.missing" in lines[3]
    assert "unscored" in lines[3]


@pytest.mark.parametrize(
    ("arguments", "env", "message"),
    [
        (("nope",), {}, "no command 'nope'"),
        (("produce",), {}, "nothing to produce"),
        (("produce", "--caption", "x"), {}, "nothing was started"),
        (("score",), {}, "nothing to score"),
        (("score", "--caption", "x"), {"CLIPWARDEN_KAFKA__BROKRES": "x"}, "CLIPWARDEN_KAFKA__BROKERS"),
        (("score", "--caption", "x"), {"CLIPWARDEN_KAFAK__BROKERS": "x"}, "CLIPWARDEN_KAFKA__BROKERS"),
        (("score", "--caption", "x"), {"CLIPWARDEN_FLOW__POLICY_FILE": "/nowhere.yaml"}, "/nowhere.yaml"),
        (("demo",), {"CLIPWARDEN_DEMO_DATA": "/nowhere"}, "/nowhere/video/manifest.csv"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(
    arguments: tuple[str, ...], env: dict[str, str], message: str, tmp_path: Path
) -> None:
    result = clipwarden(*arguments, env=env, cwd=tmp_path)

    assert result.returncode == 2
    assert message in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
