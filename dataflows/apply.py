"""Scored → outcome, under the policy in force at this moment."""

from dataclasses import dataclass

import structlog

from core.clock import Clock
from core.errors import ConfigError
from core.labels import VerdictKind
from core.telemetry import DEAD_LETTERS, VERDICTS
from dataflows.decide import decide
from dataflows.infer import Scored
from dataflows.parse import Rejected
from dataflows.policy import Policy, PolicyFile
from dataflows.rules import RuleBook
from dataflows.write import Outcome

log = structlog.get_logger()

RELOAD_EVERY_S = 2.0
_DECIDED = {kind: VERDICTS.labels(kind.value) for kind in VerdictKind}


@dataclass(frozen=True)
class _InForce:
    policy: Policy
    rules: RuleBook


class PolicyApplier:
    """Decides with the policy file's current content; a changed file that the models do not fit is refused."""

    def __init__(self, file: PolicyFile, emitted: dict[str, tuple[str, ...]], *, clock: Clock) -> None:
        self._file = file
        self._emitted = emitted
        self._clock = clock
        file.policy.check_models(emitted)
        self._in_force = _InForce(file.policy, RuleBook(file.policy))
        self._next_look_s = clock.monotonic_s() + RELOAD_EVERY_S

    @property
    def policy_version(self) -> str:
        """The version stamped on verdicts now."""
        return self._in_force.policy.version

    @property
    def policy(self) -> Policy:
        """The policy in force now."""
        return self._in_force.policy

    def outcome(self, item: Scored | Rejected) -> Outcome:
        """What becomes of one record."""
        if isinstance(item, Rejected):
            DEAD_LETTERS.labels(item.dead_letter.code).inc()
            return Outcome(item.record, dead_letters=(item.dead_letter,))
        self._look_for_change()
        policy, event = self._in_force.policy, item.posted.event
        verdict = decide(
            event,
            item.posted.origin,
            item.scores,
            signals=self._in_force.rules.signals(event.caption, event.hashtags),
            policy=policy,
            now=self._clock.now(),
        )
        _DECIDED[verdict.verdict].inc()
        for letter in item.dead_letters:
            DEAD_LETTERS.labels(letter.code).inc()
        return Outcome(item.posted.record, verdict, item.dead_letters)

    def _look_for_change(self) -> None:
        if self._clock.monotonic_s() < self._next_look_s:
            return
        self._next_look_s = self._clock.monotonic_s() + RELOAD_EVERY_S
        before = self._file.problem
        if self._file.reload_if_changed():
            self._take(self._file.policy)
        elif self._file.problem not in (None, before):
            log.error("policy.refused", reason=self._file.problem, serving=self.policy_version)

    def _take(self, policy: Policy) -> None:
        try:
            policy.check_models(self._emitted)
        except ConfigError as error:
            log.error("policy.refused", reason=error.message, serving=self.policy_version)  # noqa: TRY400 - one line
            return
        self._in_force = _InForce(policy, RuleBook(policy))
        log.info("policy.in_force", version=policy.version)
