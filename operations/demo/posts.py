"""What the demo posts: labelled research clips where a folder of them is named, else clips it renders itself."""

import csv
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from core.errors import ConfigError
from ingestion.folders import find_videos
from ingestion.posts import Post
from operations.demo.render import render_clips

SEED = 20_261_122
HELD_BACK = ("validation", "test")
"""Splits no shipped model was trained on."""

TEXTS = ("vi_vihsd", "vi_victsd", "vi_safesense", "en_multihateclip", "en_tweeteval_offensive", "en_gibert_forum")
HARMFUL_SHARE = 0.35

CAPTIONS = (
    ("en", "golden hour at the beach with my favourite people"),
    ("vi", "hôm nay trời đẹp quá, cả nhà mình đi dạo công viên"),
    ("en", "easy pasta recipe in five minutes, save it for later"),
    ("vi", "mẹo học tiếng Anh mỗi ngày cho người bận rộn"),
    ("en", "you are such an idiot, stop filming"),
    ("vi", "đồ ngu, xoá video đi"),
    ("en", "my dog discovered the washing machine today"),
    ("vi", "bé tập đi những bước đầu tiên, cưng xỉu"),
    ("en", "shut up, idiot"),
    ("vi", "chia sẻ công thức bánh flan mềm mịn"),
)


@dataclass(frozen=True)
class Script:
    """The posts of one demo and the banner that says where they come from."""

    posts: tuple[tuple[Path, Post], ...]
    banner: str


def paired(folder: Path, count: int, *, run: str) -> Script:
    """Research clips and captions of splits no model was trained on, paired by a seeded rule.

    Args:
        folder: laid out as `video/manifest.csv`, `video/clips/`, `text/*.parquet`.
        count: how many posts.
        run: tells this run's videos from those of earlier ones.
    """
    rows = random.Random(SEED)  # noqa: S311 - the same demo each time, nothing secret
    clips = _clips(folder)
    captions = _captions(folder, rows)
    posts = []
    for number in range(count):
        clip, (language, caption) = clips[number % len(clips)], captions[number % len(captions)]
        posts.append((clip, _post(f"demo:{run}:{clip.stem}-{number}", caption, language, "demo-paired")))
    return Script(tuple(posts), "Demo on research data: clip and caption were paired for the demo")


def rendered(folder: Path, count: int, *, run: str) -> Script:
    """Clips the demo renders: harmless, so alerts come from the captions."""
    clips = render_clips(folder)
    posts = []
    for number in range(count):
        clip, (language, caption) = clips[number % len(clips)], CAPTIONS[number % len(CAPTIONS)]
        posts.append((clip, _post(f"demo:{run}:{clip.stem}-{number}", caption, language, "demo-rendered")))
    return Script(tuple(posts), "Demo on rendered clips: the pictures are harmless, alerts come from the captions")


def own(paths: list[Path], *, run: str) -> list[tuple[Path, Post]]:
    """The user's own videos, without captions."""
    files = find_videos(paths)
    if not files:
        raise ConfigError(f"no video files under {', '.join(map(str, paths))}")
    return [
        (file, Post(video_id=f"demo:{run}:own-{number}", source="demo-own", platform="demo"))
        for number, file in enumerate(files)
    ]


def _post(video_id: str, caption: str, language: str, source: str) -> Post:
    return Post(caption=caption, video_id=video_id, source=source, platform="demo", language=language)


def _clips(folder: Path) -> list[Path]:
    manifest = folder / "video" / "manifest.csv"
    try:
        with manifest.open(encoding="utf-8", newline="") as file:
            names = [row["file"] for row in csv.DictReader(file) if row["split"] in HELD_BACK]
    except (OSError, KeyError) as error:
        raise ConfigError(
            f"{manifest} is not a clip manifest ({error}); unset CLIPWARDEN_DEMO_DATA or correct it"
        ) from error
    found = [path for name in names for path in _existing(folder / "video", name)]
    random.Random(SEED).shuffle(found)  # noqa: S311 - as above
    if not found:
        raise ConfigError(f"{manifest} names no clip of the splits {', '.join(HELD_BACK)}")
    return found


def _existing(folder: Path, name: str) -> Iterator[Path]:
    yield from (path for path in (folder / name, folder / "clips" / name) if path.is_file())


def _captions(folder: Path, rows: random.Random) -> list[tuple[str, str]]:
    frames = []
    for name in TEXTS:
        path = folder / "text" / f"{name}.parquet"
        if path.is_file():
            frame = pd.read_parquet(path, columns=["text", "label", "lang", "split"])
            frames.append(frame[frame["split"].isin(HELD_BACK)])
    if not frames:
        raise ConfigError(f"{folder / 'text'} holds none of {', '.join(TEXTS)} as .parquet")
    texts = pd.concat(frames)
    pick = {label: texts[texts["label"] == label].sample(300, random_state=SEED) for label in ("harmful", "safe")}
    queues = {label: iter(frame.itertuples()) for label, frame in pick.items()}
    chosen = ("harmful" if rows.random() < HARMFUL_SHARE else "safe" for _ in range(400))
    return [(str(row.lang), str(row.text)) for row in (next(queues[label]) for label in chosen)]
