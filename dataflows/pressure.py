"""Back-pressure → how the next clip is sampled: cheaper while posts wait for a decoder. Pure."""

from core.media.protocol import Sampling

CALM_SHARE = 0.25
"""Even sampling returns at this share of the wait that ended it: between the two, nothing changes."""
SLOT_WAIT_S = 0.05
"""Who waits this long for a slot waits for the worker, which a cheaper decode does not help."""


class Relief:
    """Remembers whether posts wait for decoders; asked once per clip, in any thread."""

    def __init__(self, after_s: float) -> None:
        self._after_s = after_s
        self._is_on = False

    def sampling(self, *, waited_s: float, slot_wait_s: float = 0.0) -> Sampling:
        """How to decode a post that was in the queue for waited_s, of which slot_wait_s for its slot."""
        for_decoder_s = waited_s if slot_wait_s < SLOT_WAIT_S else 0.0
        if for_decoder_s >= self._after_s:
            self._is_on = True
        elif for_decoder_s < self._after_s * CALM_SHARE:
            self._is_on = False
        return Sampling.KEYS if self._is_on else Sampling.EVEN
