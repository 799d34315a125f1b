import pytest

from core.storage.items import ItemState, NewItem, Sighting
from core.storage.ledger_memory import MemoryLedger
from ingestion.links import RefusedLine
from operations.commands import import_links
from operations.commands.import_links import note
from tests.fixtures.stores import NOON


def links(count: int) -> list[NewItem]:
    return [NewItem(f"link:https://a.example/{n}", Sighting(NOON, "import", label="harmful")) for n in range(count)]


def test_every_line_is_noted_or_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_links, "BATCH", 3)
    ledger, bad = MemoryLedger(), RefusedLine(4, "ingest.scheme", "why")

    states, refused = note(ledger, [*links(7)[:3], bad, *links(7)[3:]])

    assert (states, refused) == ({"found": 7}, [bad])
    assert len(ledger.items(100, state=ItemState.FOUND)) == 7


def test_a_list_imported_again_adds_sightings_only() -> None:
    ledger = MemoryLedger()
    note(ledger, links(2))

    note(ledger, links(2))

    (first, second) = ledger.items(100)
    assert first.item_key != second.item_key


def test_an_erased_video_does_not_come_back_by_a_list() -> None:
    ledger = MemoryLedger()
    (item,) = ledger.found([NewItem("tiktok:1", Sighting(NOON, "import"), video_id="tiktok:1")])
    ledger.forget("tiktok:1", "test")

    states, _ = note(ledger, [NewItem(item.item_key, Sighting(NOON, "import"))])

    assert states == {"ingest.forgotten": 1}
    assert ledger.items(100) == []
