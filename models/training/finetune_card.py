"""A fine-tuned encoder's figures → its model card."""

from collections.abc import Mapping

from models.networks.adapters import HuggingFaceText, HuggingFaceVideo
from models.training.cards import figures_table
from models.training.data import Split
from models.training.evaluate import Figures
from models.training.examples import Examples
from models.training.recipes import Finetuning


def finetune_card(
    config: Finetuning,
    network: HuggingFaceText | HuggingFaceVideo,
    splits: Mapping[Split, Examples],
    figures: Mapping[str, Figures],
) -> str:
    """The card of a fine-tuned encoder, with its whole recipe."""
    sizes = network.config
    parameters = sum(weight.numel() for weight in network.parameters())
    return f"""# {config.recipe.modality.value.capitalize()} model {config.version}

`{config.recipe.base}` ({sizes.model_type}), fine-tuned whole → `harmful`. {parameters:,} parameters, stored in half
precision. It marks no words and no moments.

## Data

Splits are kept as they came; none shares a caption's near-copy, or a clip's group, with another.

| split | rows | harmful |
| --- | --- | --- |
{_rows(splits)}

## Figures

Measured on the saved weights, as served, at 0.5. Temperature {sizes.calibration_temperature:.3f} and bias
{sizes.calibration_bias:.3f}, chosen on validation, put the cut of the best macro-F1 there; test chose nothing.

{figures_table(figures)}

## Limits

- It knows what its data holds, in that data's languages and scenes.
- Of what the encoder had learnt before, only its own card tells.

## Licence

The encoder's and the data's licences bind these weights: read both before they are used for more than research.

## Training

```
{_options(config)}
```
"""


def _rows(splits: Mapping[Split, Examples]) -> str:
    return "\n".join(f"| {name} | {len(part):,} | {int(part.harmful.sum()):,} |" for name, part in splits.items())


def _options(config: Finetuning) -> str:
    return "\n".join(f"{name} = {value}" for name, value in config.recipe.model_dump(mode="json").items())
