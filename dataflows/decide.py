"""Scores + signals + policy + now → verdict: pure and total. A failure is never a score."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from core.events import CaptionSpan, ModalityScore, RecordRef, Segment, Signal, Verdict, VideoPosted, verdict_id
from core.labels import HARMFUL_LABEL, Action, Modality, Mode, VerdictKind
from core.media.protocol import Sampling
from dataflows.policy import FusionUse, Policy

Labels = Mapping[str, float]


@dataclass(frozen=True)
class Scores:
    """What infer found out about one post.

    Attributes:
        modalities: only what was posted: a modality that failed is there with its code, one never posted is not.
        sampling: how the clip's frames were chosen; None without a clip.
        fusion_passed_gate: whether the served fusion model may decide under `fusion: auto`.
    """

    modalities: Mapping[Modality, ModalityScore]
    model_version: str
    fusion_passed_gate: bool = False
    media_sha256: str | None = None
    sampling: Sampling | None = None
    segments: tuple[Segment, ...] = ()
    caption_spans: tuple[CaptionSpan, ...] = ()
    timings_ms: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Origin:
    """Where an event came from: its record and headers."""

    record: RecordRef
    event_time: datetime
    traceparent: str | None = None
    replay_of: str | None = None


@dataclass(frozen=True)
class Judgement:
    """The part of a verdict that follows from scores and policy alone."""

    verdict: VerdictKind
    action: Action
    mode: Mode
    label: str | None
    score: float | None
    label_scores: Labels


def judge(scores: Scores, policy: Policy) -> Judgement:
    """Apply the policy to the scores that exist."""
    by_modality: dict[Modality, Labels] = {
        modality: _policy_labels(result.scores, policy)
        for modality, result in scores.modalities.items()
        if result.scores is not None
    }
    singles: dict[Modality, Labels] = {
        modality: labels for modality, labels in by_modality.items() if modality is not Modality.FUSION
    }
    fusion = by_modality.get(Modality.FUSION) if _may_fuse(scores, policy) else None
    alone = _flagging_alone(singles, policy)
    combined = _combine(singles, fusion, policy, alone=alone)
    failed = any(
        result.code is not None for modality, result in scores.modalities.items() if modality is not Modality.FUSION
    )
    kind, label = _kind(combined, policy, alone=alone, failed=failed)
    return Judgement(
        kind,
        _action(kind, label, policy),
        _mode(singles, fusion),
        label,
        combined.get(label or HARMFUL_LABEL),
        combined,
    )


def decide(
    event: VideoPosted, origin: Origin, scores: Scores, *, signals: tuple[Signal, ...], policy: Policy, now: datetime
) -> Verdict:
    """One event's verdict, with its evidence."""
    judgement = judge(scores, policy)
    return Verdict(
        verdict_id=verdict_id(event.video_id, origin.event_time, scores.model_version, policy.version),
        video_id=event.video_id,
        event_time=origin.event_time,
        decided_at=now,
        verdict=judgement.verdict,
        action=judgement.action,
        mode=judgement.mode,
        label=judgement.label,
        score=judgement.score,
        label_scores=dict(judgement.label_scores),
        modalities=dict(scores.modalities),
        signals=signals,
        segments=scores.segments,
        caption_spans=scores.caption_spans,
        model_version=scores.model_version,
        policy_version=policy.version,
        media_uri=event.media_uri,
        media_sha256=scores.media_sha256,
        sampling=scores.sampling,
        caption=event.caption,
        caption_sha256=event.caption_sha256,
        hashtags=event.hashtags,
        author_id=event.author_id,
        platform=event.platform,
        language=event.language,
        posted_at=event.posted_at,
        source=event.source,
        record=origin.record,
        traceparent=origin.traceparent,
        replay_of=origin.replay_of,
        timings_ms=dict(scores.timings_ms),
    )


def _policy_labels(labels: Labels, policy: Policy) -> dict[str, float]:
    named: dict[str, float] = {}
    for label, score in labels.items():
        name = policy.policy_label(label)
        named[name] = max(score, named.get(name, 0.0))
    return named


def _may_fuse(scores: Scores, policy: Policy) -> bool:
    return policy.fusion is FusionUse.ON or (policy.fusion is FusionUse.AUTO and scores.fusion_passed_gate)


def _combine(
    singles: Mapping[Modality, Labels], fusion: Labels | None, policy: Policy, *, alone: frozenset[str]
) -> dict[str, float]:
    """Per label fusion where it speaks, else the weighted mean of who emits it; `harmful` is the largest."""
    names = sorted({label for labels in singles.values() for label in labels})
    combined = {name: _late_score(name, singles, policy) for name in names}
    combined.update(fusion or {})
    flagged = [labels[name] for labels in singles.values() for name in alone.intersection(labels)]
    if combined:
        combined[HARMFUL_LABEL] = max(*combined.values(), *flagged, 0.0)
    return combined


def _late_score(label: str, singles: Mapping[Modality, Labels], policy: Policy) -> float:
    total = weights = 0.0
    for modality, labels in singles.items():
        if label in labels:
            weight = policy.late_score[modality]
            total += weight * labels[label]
            weights += weight
    return total / weights


def _flagging_alone(singles: Mapping[Modality, Labels], policy: Policy) -> frozenset[str]:
    """The labels that a single modality's score flags by itself."""
    return frozenset(
        label
        for modality, labels in singles.items()
        for label, score in labels.items()
        if label in policy.labels and score >= policy.labels[label].alone.get(modality, math.inf)
    )


def _kind(combined: Labels, policy: Policy, *, alone: frozenset[str], failed: bool) -> tuple[VerdictKind, str | None]:
    if not combined:
        return VerdictKind.UNSCORED, None
    declared = {label: score for label, score in combined.items() if label in policy.labels}
    over = [label for label, score in declared.items() if score >= policy.labels[label].threshold or label in alone]
    if over:
        return VerdictKind.HARMFUL, _most_specific(over, combined)
    near = [label for label, score in declared.items() if score >= policy.labels[label].review]
    if near:
        return VerdictKind.REVIEW, _most_specific(near, combined)
    return (VerdictKind.PARTIAL if failed else VerdictKind.SAFE), None


def _action(kind: VerdictKind, label: str | None, policy: Policy) -> Action:
    if kind is VerdictKind.HARMFUL:
        return policy.labels[label].action if label else Action.ALERT
    return Action.REVIEW if kind is VerdictKind.REVIEW else Action.NONE


def _most_specific(labels: list[str], combined: Labels) -> str:
    """The highest label; `harmful` only when nothing more specific passed."""
    return max(labels, key=lambda label: (label != HARMFUL_LABEL, combined[label], label))


def _mode(singles: Mapping[Modality, Labels], fusion: Labels | None) -> Mode:
    if fusion is not None:
        return Mode.FUSION
    if len(singles) > 1:
        return Mode.LATE_SCORE
    if not singles:
        return Mode.NONE
    return Mode.TEXT_ONLY if Modality.TEXT in singles else Mode.VIDEO_ONLY
