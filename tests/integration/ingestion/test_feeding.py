"""The page for those who feed the platform: its examples put onto the topic what the flow accepts."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from confluent_kafka import Producer

from core.topics import VIDEO_POSTED
from tests.fixtures.clients import posted
from tests.fixtures.platform import Platform

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "feeding.md").read_text(encoding="utf-8")
ADDRESS = "127.0.0.1:9092"


def example(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


def record_of_the_shell_example() -> tuple[str, str]:
    key, value = re.findall(r"'([^']*)'", example("sh"))[1:3]
    return key, value


def test_the_python_example_posts_what_the_flow_reads(platform: Platform, tmp_path: Path) -> None:
    script = tmp_path / "example.py"
    script.write_text(example("python").replace(ADDRESS, platform.settings.kafka.brokers), encoding="utf-8")

    subprocess.run([sys.executable, str(script)], check=True, timeout=60, env={"PYTHONPATH": str(ROOT)})

    assert posted(platform, "shop:17")[-1].caption == "chia sẻ công thức bánh flan #banhflan"


@pytest.mark.skipif(shutil.which("kcat") is None, reason="no kcat here: apt-get install kcat")
def test_the_shell_example_posts_what_the_flow_reads(platform: Platform) -> None:
    script = example("sh").replace(ADDRESS, platform.settings.kafka.brokers)

    subprocess.run(["bash", "-o", "pipefail", "-c", script], check=True, timeout=60)

    assert posted(platform, "shop:18")[-1].caption == "five minute pasta"


def test_the_shell_examples_record_is_accepted_from_any_client(platform: Platform) -> None:
    key, value = record_of_the_shell_example()
    client = Producer({"bootstrap.servers": platform.settings.kafka.brokers, "acks": "all"})
    client.produce(VIDEO_POSTED.name, value.encode(), key.encode())

    assert client.flush(30) == 0
    assert posted(platform, key)[-1].caption == "five minute pasta"
