"""A replay of many makes its connections once, however many pieces and objects it goes through."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from core.settings import Settings
from core.storage.dead_letters import LetterKey
from core.storage.memory import MemoryHistory, MemoryMedia
from core.storage.orders import CommandKind, OfLetters, Order
from core.storage.ports import DeadLetterRow
from operations import replay_hand
from operations.commands import dead_letters
from operations.replay_hand import ReplayHand
from tests.fixtures.stores import make_dead_letter

URI = "s3://clipwarden-dead/"


class Producer:
    """A broker's other end that counts who connects, and keeps what it was sent."""

    made = 0

    def __init__(self, settings: object) -> None:
        type(self).made += 1
        self.sent: list[bytes] = []

    def send_bytes(self, key: bytes | None, value: bytes, **_: object) -> None:
        self.sent.append(value)

    def flush(self) -> None:
        assert self.sent


class Letters:
    """Those of a history in memory that are open."""

    def __init__(self, history: MemoryHistory) -> None:
        self._history = history

    def keys(self, *, code: str | None, before: datetime) -> list[LetterKey]:
        refs = [(row.dead_letter.record, row.dead_letter.stage) for row in self._history.dead_letters(1_000)]
        return sorted((ref.topic, ref.partition, ref.offset, stage) for ref, stage in refs)

    def rows(self, keys: Sequence[LetterKey]) -> list[DeadLetterRow]:
        rows = self._history.dead_letters(1_000)
        return [row for row in rows if row.dead_letter.record.offset in {key[2] for key in keys}]


def test_a_replay_connects_once_and_marks_each_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    media, history, opened = MemoryMedia(), MemoryHistory(), []
    media.ensure_buckets(["clipwarden-dead"])
    for offset in range(6):
        media.put_bytes("clipwarden-dead", str(offset), b"{}", "application/json")
    objects = [make_dead_letter(offset=offset, payload=None, payload_uri=f"{URI}{offset}") for offset in range(6)]
    history.write([], [*objects, *(make_dead_letter(offset=offset) for offset in range(6, 12))])
    monkeypatch.setattr(Producer, "made", 0)
    monkeypatch.setattr(dead_letters, "EventProducer", Producer)
    monkeypatch.setattr(dead_letters, "S3Media", lambda settings: opened.append(settings) or media)
    monkeypatch.setattr(replay_hand, "PIECE", 4)
    hand = ReplayHand(Settings())
    monkeypatch.setattr(hand, "_history", history)
    monkeypatch.setattr(hand, "_letters", Letters(history))

    wanted = OfLetters(code=None, before=datetime.now(UTC))
    said = hand(Order(command_id="a", kind=CommandKind.REPLAY_DEAD_LETTERS, arguments=wanted), lambda _: None)

    assert said == "replayed 12 records of 12 dead letters"
    assert (Producer.made, len(opened)) == (1, 1)
    assert all(row.replayed_at for row in history.dead_letters(20))
