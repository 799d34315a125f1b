"""The client's slots: borrowed by decoders, pinned by requests, replaced when the served clip has another shape."""

import threading
from collections import Counter

from core.errors import InferenceUnavailable
from models.arena import Arena, Slot, reap_orphans
from models.spec import ServedModels


class SlotPool:
    """What is served now, and the slots that fit it; safe between threads.

    A slot is in use by the one who borrowed it and by each unanswered request that pins it; else it is free.
    """

    def __init__(self, slots: int) -> None:
        self._count = slots
        self._changed = threading.Condition()
        self._served: ServedModels | None = None
        self._arena: Arena | None = None
        self._free: list[Slot] = []
        self._uses: Counter[Slot] = Counter()
        self._is_stopped = False

    def served(self) -> ServedModels:
        """What is served; waits for the first worker.

        Raises:
            InferenceUnavailable: the pool was stopped.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._served is not None or self._is_stopped)
            if self._served is None or self._is_stopped:
                raise InferenceUnavailable("the client is closed")
            return self._served

    def inputs_id(self) -> str:
        """Of what is served now; empty before the first worker."""
        with self._changed:
            return self._served.inputs_id if self._served is not None else ""

    def serve(self, served: ServedModels) -> None:
        """Note what is served; makes new slots when the clip has another shape."""
        with self._changed:
            if served == self._served:
                return
            self._served = served
            if self._arena is None or self._arena.spec != served.clip:
                reap_orphans()
                before, self._arena = self._arena, Arena(served.clip, self._count)
                self._free = list(self._arena.slots)
                self._close_if_unused(before)
            self._changed.notify_all()

    def is_current(self, slot: Slot) -> bool:
        """Whether the slot has the shape the worker takes now."""
        with self._changed:
            return slot.arena is self._arena

    def borrow(self) -> Slot:
        """A free slot; waits for one.

        Raises:
            InferenceUnavailable: the pool was stopped.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._free or self._is_stopped)
            if self._is_stopped:
                raise InferenceUnavailable("the client is closed")
            slot = self._free.pop()
            self._uses[slot] += 1
            return slot

    def pin(self, slot: Slot) -> None:
        """A request reads it."""
        with self._changed:
            self._uses[slot] += 1

    def unpin(self, slot: Slot) -> None:
        """A request was answered."""
        self.give_back(slot)

    def give_back(self, slot: Slot) -> None:
        """One use less; the last one frees it."""
        with self._changed:
            self._uses[slot] -= 1
            if self._uses[slot] > 0:
                return
            del self._uses[slot]
            if slot.arena is self._arena:
                self._free.append(slot)
                self._changed.notify()
            else:
                self._close_if_unused(slot.arena)

    def stop(self) -> None:
        """Wake everyone who waits, with InferenceUnavailable."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()

    def close(self) -> None:
        """Unlink the shared memory."""
        self.stop()
        with self._changed:
            for arena in {self._arena, *(slot.arena for slot in self._uses)}:
                if arena is not None:
                    arena.close()

    def _close_if_unused(self, arena: Arena | None) -> None:
        if arena is not None and not any(slot.arena is arena for slot in self._uses):
            arena.close()
