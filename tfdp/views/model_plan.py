"""What a scoring by a trained model will do on a FiftyOne view, checked before anything is read."""

from __future__ import annotations

import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import fiftyone as fo

from ..models.log_reading import read_run
from ..models.options import ClassificationOptions, SegmentationOptions
from ..models.packages import find_missing_packages
from ..models.scoring_options import MODEL_SCORES
from ..options import options_of
from .field_names import choose_prefix, name_score_fields
from .fiftyone_internals import root_dataset
from .labels import ClassField, check_view, find_mask_field, list_class_fields
from .learners import check_model, learns_from
from .run_fields import own_configs
from .runs import ModelScoringConfig

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fiftyone.core.collections import SampleCollection

    from ..models.options import TrainingOptions
    from ..models.score_log import ModelScores
    from .fields import OwnField
    from .labels import LabelField


class ModelScoringPlan(NamedTuple):
    """What a run will do, checked before anything is read.

    Attributes:
        labels: what is learned.
        on_samples: fields to fill.
        on_labels: fields to fill.
        train: the library's function.
        options: of ``train``, the defaults included.
        config: of the run.
        resumes: whether the log folder holds a log of these parameters.
    """

    labels: LabelField
    on_samples: list[OwnField]
    on_labels: list[OwnField]
    train: Callable[..., ModelScores]
    options: TrainingOptions
    config: ModelScoringConfig
    resumes: bool


def find_log_folder(
    dataset: fo.Dataset, brain_key: str, log_folder: str | Path | None = None
) -> Path:
    """Where the training log goes: the folder asked for, or one beside FiftyOne's datasets."""
    if log_folder:
        return Path(log_folder).expanduser()
    return Path(fo.config.default_dataset_dir).parent / "tfdp" / dataset.slug / brain_key


def find_trained_labels(samples: SampleCollection, name: str) -> LabelField:
    """The field that a model can be trained on: Detections with masks, or a Classification.

    Raises:
        ValueError: it is neither.
    """
    if name in list_class_fields(samples):
        return ClassField(name, "classification")
    field = find_mask_field(samples, name)
    if field.kind != "detections":
        raise ValueError(
            f"field {name!r} holds Polylines, but models learn from Detections with masks; convert "
            "them with fo.Polyline.to_detection first"
        )
    return field


def find_trainer(labels: LabelField) -> tuple[Callable[..., ModelScores], type[TrainingOptions]]:
    """The library's function for such labels, and its options.

    Raises:
        ValueError: the packages for models are missing.
    """
    missing = find_missing_packages()
    if missing:
        raise ValueError(
            f"model-based scores need {' and '.join(missing)}: run "
            f"pip install {' '.join(missing)} where FiftyOne runs, and start it again"
        )
    if isinstance(labels, ClassField):
        from ..models.classification import train_and_score_classes

        return train_and_score_classes, ClassificationOptions
    from ..models.segmentation import train_and_score

    return train_and_score, SegmentationOptions


def find_defaults(labels: LabelField, folder: Path, preset: str | None = None) -> dict[str, Any]:
    """What holds where nothing is asked: the preset's, or else the log's, or else the library's.

    Raises:
        ValueError: the packages for models are missing, or the preset is not for such labels.
    """
    _, cls = find_trainer(labels)
    defaults = {name: option.default for name, option in options_of(cls).items()}
    logged = read_run(folder) if (folder / "run.json").exists() else {}
    if learns_from(logged.get("model"), labels):
        defaults |= {name: value for name, value in logged.items() if name in defaults}
    return defaults | {"preset": preset, **cls.preset_values(preset)}


def estimate_seconds(plan: ModelScoringPlan, samples: SampleCollection) -> float | None:
    """An estimate of the wall time on the CPU; None for another device.

    It is the number of images x epochs x processor seconds that were measured elsewhere for the
    model and the image size (`tfdp.models.training_time`), over the number of cores.
    """
    asked = plan.options
    if asked.device != "cpu":
        return None
    from ..models.training_time import estimate_cpu_seconds

    return estimate_cpu_seconds(
        asked.model, len(samples), asked.epochs, asked.image_size, cores=os.cpu_count() or 1
    )


def _check_folder(folder: Path, options: TrainingOptions) -> bool:
    """Whether there is a log of this very training; refuses that of another one."""
    plugin = Path(__file__).resolve().parents[2]
    if (plugin / "fiftyone.yml").exists() and folder.resolve().is_relative_to(plugin):
        raise ValueError(
            f"the log folder {folder} is inside the plugin, which an update of the plugin deletes; "
            "choose another folder"
        )
    if not (folder / "run.json").exists():
        return False
    started = read_run(folder)
    other = [
        f"{name} {started[name]}, not {value}"
        for name, value in options.of_log().items()
        if name in started and started[name] != value
    ]
    if other:
        raise ValueError(
            f"{folder} holds the log of a training with {'; '.join(other)}: ask for the same again,"
            " choose another brain key or log folder, or delete that folder"
        )
    return True


def _choose_options(labels: LabelField, folder: Path, asked: Mapping[str, Any]) -> TrainingOptions:
    """What is asked, or else the defaults; what is not for such labels is passed over.

    Raises:
        ValueError: no training can be like that.
    """
    from ..models.training import find_device

    _, cls = find_trainer(labels)
    chosen = find_defaults(labels, folder, asked.get("preset"))
    chosen |= {name: asked[name] for name in chosen if asked.get(name) not in (None, (), [])}
    options = cls(**chosen)
    check_model(options.model, labels)
    device = str(find_device(options.device))
    return replace(options, device=device, scores=options.chosen_scores)


def plan_model_scoring(
    samples: SampleCollection,
    label_field: str,
    asked: Mapping[str, Any],
    *,
    brain_key: str = "model_scores",
    field_prefix: str | None = None,
    log_folder: str | Path | None = None,
) -> ModelScoringPlan:
    """What ``compute_model_scores`` would do; nothing is read or written.

    Args:
        samples: as there.
        label_field: as there.
        asked: its options by their names; None stands for what holds by default.
        brain_key: as there.
        field_prefix: as there.
        log_folder: as there.

    Raises:
        ValueError: as there, as far as it can be known before the images are read.
    """
    check_view(samples)
    labels = find_trained_labels(samples, label_field)
    dataset = root_dataset(samples)
    folder = find_log_folder(dataset, brain_key, log_folder)
    train, _ = find_trainer(labels)
    options = _choose_options(labels, folder, asked)
    resumes = _check_folder(folder, options)
    scores = [name for name in MODEL_SCORES if name in options.chosen_scores]
    prefix = choose_prefix(samples, labels, brain_key, field_prefix, scores)
    way = getattr(options, "aggregation", None)
    on_samples, on_labels = name_score_fields(labels, prefix, scores, way)
    earlier = own_configs(dataset).get(brain_key)
    paths = [field.path for field in on_samples + on_labels]
    config = ModelScoringConfig(
        label_field,
        field_prefix=prefix,
        log_folder=str(folder),
        parameters=asdict(options),
        fields=list(dict.fromkeys([*getattr(earlier, "fields", ()), *paths])),
    )
    config.build().validate_run(samples, brain_key)
    return ModelScoringPlan(labels, on_samples, on_labels, train, options, config, resumes)
