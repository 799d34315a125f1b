"""Harmless captions that resemble harm, written before any model was measured on them: see lookalikes.txt."""

from pathlib import Path

import pytest
import torch

from models.bundle import STARTER, load_bundle
from models.tokens import CaptionTokenizer

LOOKALIKES = (Path(__file__).with_name("lookalikes.txt")).read_text(encoding="utf-8").splitlines()
PLAINEST = 5
KNOWN_FALSE_ALARMS = 5
"""Of the model that ships; a new one may not raise more."""


@pytest.fixture(scope="module")
def alarms() -> list[str]:
    bundle = load_bundle(STARTER)
    tokenizer = CaptionTokenizer(bundle.served.tokenizer_json, bundle.served.max_tokens)
    assert bundle.text is not None
    found = []
    with torch.inference_mode():
        for caption in LOOKALIKES:
            ids = torch.tensor([tokenizer.encode(caption).ids])
            if bundle.text(ids, torch.ones_like(ids)).probabilities[0, 0] >= 0.5:
                found.append(caption)
    return found


def test_the_plainest_captions_raise_no_alarm(alarms: list[str]) -> None:
    assert not set(alarms) & set(LOOKALIKES[:PLAINEST])


def test_lookalikes_raise_no_more_alarms_than_are_known(alarms: list[str]) -> None:
    assert len(alarms) <= KNOWN_FALSE_ALARMS, alarms
