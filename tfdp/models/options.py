"""What can be asked of a training, and of the scores from its log; torch is not needed to ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..options import Choice, option
from .log_reading import MOST_EPOCHS
from .presets import CLASSIFICATION_PRESETS, SEGMENTATION_PRESETS
from .scoring_options import PixelOptions, ScoringOptions, default_scores

NAMED_WEIGHTS = ("imagenet", "coco", "none")
OPTIMIZERS = {
    "sgd": Choice("SGD", "with a momentum of 0.9"),
    "adamw": Choice("AdamW", "whose learning rate is about a twentieth of SGD's or less"),
}
SCHEDULES = {
    "step": Choice("Steps", "a tenth of the learning rate after each decay point"),
    "cosine": Choice("Cosine", "half a cosine, down to nothing"),
}
PRECISIONS = {
    "auto": Choice("Automatic", "bfloat16 where the network runs on CUDA, else float32"),
    "float32": Choice("float32"),
    "bfloat16": Choice("bfloat16", "mixed: boxes, losses and scores stay float32"),
}
SMALLEST, LARGEST_SIZE = 32, 8192  # px; the networks' coarsest cells are of 32
NOT_OF_LOG = {"preset", "device", "workers"}  # what can differ when a training goes on


@dataclass(frozen=True)
class TrainingOptions(ScoringOptions):
    """How a network is trained, and which scores are taken from what it said.

    Raises:
        ValueError: no training can be like that; before a log of it is begun.
    """

    preset: str | None = option(
        None, "Preset", "a whole recipe; what is given beside it goes before", choices=dict
    )
    model: str = option("", "Model", "the network")
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
    iterations: int | None = option(
        None,
        "Iterations",
        "batches in all, of which each epoch gets its part; by default an epoch is once through "
        "all images",
        least=1,
    )
    batch_size: int = option(2, "Batch size", "images that are learned at a time", least=1)
    image_size: int = option(
        800,
        "Image size",
        "px of the shorter side; of both sides for a classifier",
        least=SMALLEST,
        most=LARGEST_SIZE,
    )
    optimizer: str = option("sgd", "Optimizer", "what makes the steps", choices=lambda: OPTIMIZERS)
    learning_rate: float = option(
        0.02,
        "Learning rate",
        "of the usual recipe; it is scaled to the batch. Lower it if training diverges",
        limits={"above": 0},
    )
    schedule: str = option(
        "step", "Schedule", "how the learning rate goes down", choices=lambda: SCHEDULES
    )
    decay_epochs: tuple[float, ...] | None = option(
        None,
        "Decay points",
        "epochs after which the schedule step takes a tenth; by default 2/3 and 11/12 of them",
    )
    warm_up_epochs: float | None = option(
        None,
        "Warm-up",
        "epochs in which the learning rate rises; by default 1000 batches, and one epoch at most",
        limits={"least": 0},
    )
    weight_decay: float = option(1e-4, "Weight decay", "of the optimizer", limits={"least": 0})
    gradient_clip: float | None = option(
        None,
        "Gradient clipping",
        "longest that all gradients together may be; by default as long as they are",
        limits={"above": 0},
    )
    precision: str = option(
        "auto", "Precision", "of the network's arithmetic", choices=lambda: PRECISIONS
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

    def __post_init__(self) -> None:
        super().__post_init__()
        self.used(self.epochs)
        self._check_schedule()

    def _check_schedule(self) -> None:
        if self.iterations is not None and self.iterations < self.epochs:
            raise ValueError(
                f"iterations must be at least the {self.epochs} epochs, each of which gets its part"
                f" of them, but got {self.iterations}"
            )
        late = [point for point in self.decay_epochs or () if not 0 < point < self.epochs]
        if self.epochs and late:
            raise ValueError(
                f"decay_epochs must be points inside a training of {self.epochs} epochs, but got"
                f" {late[0]:g}: give decay_epochs that fit"
            )

    @property
    def chosen_scores(self) -> tuple[str, ...]:
        """Those that were asked for, or else all that there can be."""
        return default_scores(self.epochs) if self.scores is None else self.scores

    def of_log(self) -> dict[str, Any]:
        """What a log is of: the options that must be the same for it to go on."""
        asked_of_log = {*vars(ScoringOptions()), *vars(PixelOptions()), *NOT_OF_LOG}
        return {
            name: list(value) if isinstance(value, tuple) else value  # as it comes back from json
            for name, value in vars(self).items()
            if name not in asked_of_log
        }


@dataclass(frozen=True)
class SegmentationOptions(TrainingOptions, PixelOptions):
    """Of a Mask R-CNN, by the usual recipe; the learning rate is for 16 images."""

    preset: str | None = option(
        None,
        "Preset",
        "a whole recipe; what is given beside it goes before",
        choices=lambda: SEGMENTATION_PRESETS,
    )
    model: str = option(
        "maskrcnn_resnet50_fpn",
        "Model",
        "maskrcnn_resnet50_fpn, its _v2 or maskrcnn_resnet18_fpn of torchvision; maskrcnn_light, "
        "which a CPU can train; or maskrcnn: and the name of a backbone of timm",
    )
    scales: tuple[float, ...] | None = option(
        None,
        "Training sizes",
        "px of the shorter side, of which each image gets one at random whenever it is learned; by "
        "default the image size, at which it is scored",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        odd = [size for size in self.scales or () if not SMALLEST <= size <= LARGEST_SIZE]
        if odd or self.scales == ():
            found = f"{odd[0]:g}" if odd else "none"
            raise ValueError(
                f"scales must be sizes of {SMALLEST} to {LARGEST_SIZE} px, got {found}"
            )


@dataclass(frozen=True)
class ClassificationOptions(TrainingOptions):
    """Of a classifier, by the usual ImageNet recipe; the learning rate is for 256 images."""

    preset: str | None = option(
        None,
        "Preset",
        "a whole recipe; what is given beside it goes before",
        choices=lambda: CLASSIFICATION_PRESETS,
    )
    model: str = option("resnet18", "Model", "a ResNet, Swin or ConvNeXt, by torchvision's name")
    epochs: int = 20
    batch_size: int = 64
    image_size: int = 224
    learning_rate: float = 0.1
    flips: bool = option(
        True,
        "Mirror images at random",
        "in training; not where left and right differ, as in digits",
    )
    crops: bool = option(
        False,
        "Crop images at random",
        "in training: 8 to 100 % of the area; the central square is scored. By default the whole "
        "image, squeezed into a square, is both",
    )
    auto_augment: bool = option(
        False, "Augment images", "in training: AutoAugment's policy for ImageNet"
    )
    label_smoothing: float = option(
        0.0,
        "Label smoothing",
        "share of the target that is spread over all classes",
        limits={"least": 0, "below": 1},
    )
    log_while_training: bool = option(
        False,
        "Log while training",
        "take what the network says of an image in the step that learns it, as Dyn-Unc's released "
        "code does, not in a scoring pass after the epoch",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.log_while_training and (self.epochs == 0 or self.iterations is not None):
            raise ValueError(
                "log_while_training needs whole epochs, in which every image is learned: expected 1"
                f" or more and no iterations, got {self.epochs} and {self.iterations}"
            )
