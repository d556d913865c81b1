"""What can be asked of a training, and of the scores from its log; torch is not needed to ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..options import Options, option
from ..scores.aggregation import aggregation_option
from ..scores.table import SCORERS, Scorer, names_needing
from . import dynamics
from .log_reading import MOST_EPOCHS
from .regions import REGIONS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SNAPSHOT_SCORES = names_needing("model")
DYNAMIC_SCORES = names_needing("training")
MODEL_SCORES = SNAPSHOT_SCORES + DYNAMIC_SCORES
NAMED_WEIGHTS = ("imagenet", "coco", "none")
OF_LOG = (  # what makes a training the one that it is; the rest can differ when it goes on
    "model",
    "weights",
    "epochs",
    "batch_size",
    "image_size",
    "learning_rate",
    "flips",
    "seed",
)


def default_scores(epochs: int) -> tuple[str, ...]:
    """All scores after a training; those of one model for weights that were not trained."""
    return MODEL_SCORES if epochs else SNAPSHOT_SCORES


def check_scores(scores: Sequence[str], epochs: int, window: int | None) -> None:
    """Raise ValueError for a choice that such a run cannot give: before it, not after hours."""
    if not scores:
        raise ValueError(f"expected one score or more of {', '.join(MODEL_SCORES)}, got none")
    for score in scores:
        if score not in MODEL_SCORES:
            raise ValueError(f"expected a score of {', '.join(MODEL_SCORES)}, got {score!r}")
    dynamic = [score for score in scores if score in DYNAMIC_SCORES]
    if epochs == 0 and dynamic:
        raise ValueError(
            f"{', '.join(dynamic)} need a training: expected 1 epoch or more, got 0;"
            f" without training there are {', '.join(SNAPSHOT_SCORES)}"
        )
    if set(names_needing("window")) & set(scores):
        chosen = dynamics.default_window(epochs) if window is None else window
        dynamics.check_window(epochs, chosen)


def _list_scores() -> Mapping[str, Scorer]:
    return {name: SCORERS[name] for name in MODEL_SCORES}


@dataclass(frozen=True)
class TrainingOptions(Options):
    """How a network is trained, and which scores are taken from what it said.

    Raises:
        ValueError: no training can be like that; before a log of it is begun.
    """

    model: str = option(
        "",
        "Model",
        "the network: for masks maskrcnn_resnet50_fpn, its _v2, or maskrcnn_resnet18_fpn for quick "
        "looks; for classes a ResNet, Swin or ConvNeXt, by torchvision's name",
    )
    weights: str = option(
        "imagenet",
        "Start weights",
        "what is known before: imagenet or coco (masks only), which are downloaded; none; or the "
        "path of a checkpoint, such as checkpoint.pt of a log",
    )
    epochs: int = option(
        12,
        "Epochs",
        "0 scores the start weights as they are: entropy, loss and el2n",
        most=MOST_EPOCHS,
    )
    batch_size: int = option(2, "Batch size", "images that are learned at a time", least=1)
    image_size: int = option(
        800,
        "Image size",
        "px of the shorter side; of both sides for a classifier",
        least=32,  # the networks' coarsest cells
        most=8192,
    )
    learning_rate: float = option(
        0.02,
        "Learning rate",
        "of the usual recipe; it is scaled to the batch. Lower it if training diverges",
        limits={"above": 0},
    )
    seed: int = option(0, "Seed", "of all that is random")
    device: str | None = option(
        None, "Device", "cuda, mps or cpu; by default the first of these that is there"
    )
    workers: int | None = option(
        None,
        "Workers",
        "processes that load images; by default 0 on the CPU, at most 8 elsewhere",
        most=512,
    )
    scores: tuple[str, ...] | None = option(
        None,
        "Scores",
        "by default all that the run can give: they cost one scoring pass an epoch together",
        choices=_list_scores,
    )
    window: int | None = option(
        None,
        "Window",
        "epochs, of dyn_unc and dual; by default min(10, max(2, epochs // 2))",
        least=2,
        most=MOST_EPOCHS,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check_scores(self.chosen_scores, self.epochs, self.window)

    @property
    def chosen_scores(self) -> tuple[str, ...]:
        """Those that were asked for, or else all that there can be."""
        return default_scores(self.epochs) if self.scores is None else self.scores

    def of_log(self) -> dict[str, Any]:
        """What a log is of: the options that must be the same for it to go on."""
        return {name: vars(self)[name] for name in OF_LOG if name in vars(self)}


@dataclass(frozen=True)
class SegmentationOptions(TrainingOptions):
    """Of a Mask R-CNN, by the usual recipe; the learning rate is for 16 images."""

    model: str = "maskrcnn_resnet50_fpn"
    region: str = option(
        "roi", "Average over", "an instance's pixels that are averaged", choices=lambda: REGIONS
    )
    aggregation: str = aggregation_option()


@dataclass(frozen=True)
class ClassificationOptions(TrainingOptions):
    """Of a classifier, by the usual ImageNet recipe; the learning rate is for 256 images."""

    model: str = "resnet18"
    epochs: int = 20
    batch_size: int = 64
    image_size: int = 224
    learning_rate: float = 0.1
    flips: bool = option(
        True,
        "Mirror images at random",
        "in training; not where left and right differ, as in digits",
    )
