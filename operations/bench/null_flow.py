"""The scoring flow without decode and infer: what everything around them costs."""

from bytewax.dataflow import Dataflow

from core.events import ModalityScore
from core.labels import Modality
from dataflows import moderation
from dataflows.decide import Scores
from dataflows.infer import Scored
from dataflows.parse import Posted, Rejected
from dataflows.process import ScoringProcess

EMITTED = {"text": ("harmful", "hate", "harassment"), "video": ("violence",)}
SAFE = ModalityScore(scores={"harmful": 0.1, "hate": 0.05, "harassment": 0.1})
HARMFUL = ModalityScore(scores={"harmful": 0.9, "hate": 0.45, "harassment": 0.9})


class NullProcess(ScoringProcess):
    """Scores everything the same, at once; every third post is harmful, so that alerts are published too."""

    def _emitted(self) -> dict[str, tuple[str, ...]]:
        return EMITTED

    def score(self, item: Posted | Rejected) -> Scored | Rejected:
        """The answer without asking anyone."""
        if isinstance(item, Rejected):
            return item
        score = HARMFUL if item.record.offset % 3 == 0 else SAFE
        return Scored(item, Scores({Modality.TEXT: score}, "text:null|video:null|fusion:-"))


def flow() -> Dataflow:
    """What `bytewax.run` looks for."""
    return moderation.start(NullProcess)
