"""Which posts challengers score too, and what becomes of their scores; never at the cost of a verdict."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import pytest
from prometheus_client import REGISTRY

from core.errors import StoreUnavailable
from core.events import verdict_id
from core.labels import Modality, VerdictKind
from core.storage.memory import MemoryHistory
from core.storage.shadow import Disagreement, ShadowScore
from dataflows.policy import FusionUse, PolicyFile
from dataflows.shadow import ShadowLog, is_sampled, judged
from models.client import Shadow
from tests.fixtures.stores import MODELS, NOON, eventually

POLICY = PolicyFile().policy
SHADOW = Shadow("v:1", NOON, Modality.TEXT, MODELS, "text:4", {"hate": 0.1, "harmful": 0.2}, {"harmful": 0.99})


class Store(MemoryHistory):
    """Down, or broken, as often as it is told to be."""

    def __init__(self, *errors: Exception) -> None:
        super().__init__()
        self.errors = list(errors)
        self.entered = threading.Event()
        self.open = threading.Event()
        self.open.set()

    def write_shadow(self, scores: Sequence[ShadowScore]) -> None:
        self.entered.set()
        self.open.wait(10)
        if self.errors:
            raise self.errors.pop(0)
        super().write_shadow(scores)

    def all(self) -> list[Disagreement]:
        return self.disagreement(datetime.min.replace(tzinfo=NOON.tzinfo))


def _unwritten() -> float:
    return REGISTRY.get_sample_value("shadow_scores_total", {"outcome": "unwritten"}) or 0.0


def test_the_sample_is_of_the_asked_size_and_the_same_every_time() -> None:
    ids = [f"v:{number}" for number in range(20_000)]

    chosen = [name for name in ids if is_sampled(name, 0.05)]

    assert len(chosen) == pytest.approx(1_000, abs=100)
    assert chosen == [name for name in ids if is_sampled(name, 0.05)]
    assert set(chosen) < {name for name in ids if is_sampled(name, 0.5)}
    assert (chosen[0], is_sampled("v:33", 0.05)) == ("v:33", True)


@pytest.mark.parametrize(("share", "count"), [(0.0, 0), (1.0, 500)])
def test_none_and_all_are_exactly_that(share: float, count: int) -> None:
    assert sum(is_sampled(f"v:{number}", share) for number in range(500)) == count


def test_both_models_are_judged_as_if_each_decided_alone() -> None:
    score = judged(SHADOW, POLICY)

    assert score.verdict_id == verdict_id("v:1", NOON, MODELS, POLICY.version)
    assert (score.champion, score.challenger) == ("text:3", "text:4")
    assert (score.champion_score, score.challenger_score) == (0.2, 0.99)
    assert (score.champion_verdict, score.challenger_verdict) == (VerdictKind.SAFE, VerdictKind.HARMFUL)


def test_fusion_is_judged_also_where_the_policy_leaves_it_out() -> None:
    off = POLICY.model_copy(update={"fusion": FusionUse.OFF})

    score = judged(replace(SHADOW, modality=Modality.FUSION, challenger="fusion:2"), off)

    assert (score.champion, score.challenger_verdict) == ("fusion:-", VerdictKind.HARMFUL)


def test_a_database_that_is_away_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dataflows.shadow.RETRY_S", 0.01)
    store = Store(StoreUnavailable("down"), StoreUnavailable("down"))
    log = ShadowLog(store, policy=lambda: POLICY).start()

    log.put(SHADOW)

    assert eventually(store.all)[0].sampled == 1
    log.close()


def test_what_a_defect_spoils_is_counted_and_the_log_goes_on() -> None:
    store, before = Store(ValueError("a defect")), _unwritten()
    log = ShadowLog(store, policy=lambda: POLICY).start()

    log.put(SHADOW)
    eventually(lambda: _unwritten() == before + 1)
    log.put(SHADOW)

    assert eventually(store.all)[0].sampled == 1
    log.close()


def test_what_is_too_much_is_counted_and_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dataflows.shadow.MAX_WAITING", 2)
    store, before = Store(), _unwritten()
    store.open.clear()
    log = ShadowLog(store, policy=lambda: POLICY).start()
    log.put(SHADOW)
    assert store.entered.wait(10)

    for number in range(5):
        log.put(replace(SHADOW, video_id=f"w:{number}"))

    assert _unwritten() == before + 3
    store.open.set()
    log.close()
    assert store.all()[0].sampled == 3


def test_closing_does_not_wait_for_a_database_that_is_away() -> None:
    store, before = Store(*[StoreUnavailable("down")] * 99), _unwritten()
    log = ShadowLog(store, policy=lambda: POLICY).start()
    log.put(SHADOW)
    assert store.entered.wait(10)

    log.close()

    assert (_unwritten(), store.all()) == (before + 1, [])
