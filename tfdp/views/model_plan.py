"""What a scoring by a trained model will do on a FiftyOne view, checked before anything is read."""

from __future__ import annotations

import importlib.util
import inspect
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import fiftyone as fo

from ..models.log_reading import read_run
from ..models.recipe import RANGES, check_settings
from ..models.score_log import MODEL_SCORES, check_scores, default_scores
from .field_names import choose_prefix, name_score_fields
from .fiftyone_internals import root_dataset
from .labels import check_view, find_mask_field
from .records import ClassField, list_class_fields
from .run_fields import own_configs
from .runs import ModelScoringConfig

if TYPE_CHECKING:
    from collections.abc import Callable

    from fiftyone.core.collections import SampleCollection

    from ..models.regions import Region
    from ..models.score_log import ModelScores
    from .fields import OwnField
    from .labels import LabelField

PACKAGES = ("torch", "torchvision")


@dataclass(frozen=True)
class ModelParameters:
    """What is asked of ``compute_model_scores``, which documents every one."""

    model: str | None = None
    weights: str | None = None
    epochs: int | None = None
    batch_size: int | None = None
    image_size: int | None = None
    learning_rate: float | None = None
    flips: bool | None = None
    scores: tuple[str, ...] | None = None
    window: int | None = None
    region: Region | None = None
    aggregation: str | None = None
    seed: int | None = None
    device: str | None = None
    workers: int | None = None


class ModelScoringPlan(NamedTuple):
    """What a run will do, checked before anything is read.

    Attributes:
        labels: what is learned.
        on_samples: fields to fill.
        on_labels: fields to fill.
        train: the library's function.
        arguments: of ``train``, the defaults included.
        config: of the run.
        resumes: whether the log folder holds a log of these parameters.
    """

    labels: LabelField
    on_samples: list[OwnField]
    on_labels: list[OwnField]
    train: Callable[..., ModelScores]
    arguments: dict[str, Any]
    config: ModelScoringConfig
    resumes: bool


def find_missing_packages() -> list[str]:
    """Those of the packages for models that are not installed; none of them is imported."""
    return [name for name in PACKAGES if importlib.util.find_spec(name) is None]


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


def find_trainer(labels: LabelField) -> tuple[Callable[..., ModelScores], dict[str, Any]]:
    """The library's function for such labels, and the defaults of its arguments.

    Raises:
        ValueError: the packages for models are missing.
    """
    missing = find_missing_packages()
    if missing:
        raise ValueError(
            f"model-based scores need {' and '.join(missing)}: run "
            f"pip install {' '.join(missing)} where FiftyOne runs, and start it again"
        )
    train: Callable[..., ModelScores]
    if isinstance(labels, ClassField):
        from ..models.classification import train_and_score_classes as train
    else:
        from ..models.segmentation import train_and_score as train
    parameters = inspect.signature(train).parameters.values()
    return train, {
        p.name: p.default for p in parameters if p.default is not inspect.Parameter.empty
    }


def find_defaults(labels: LabelField, folder: Path) -> dict[str, Any]:
    """What holds where nothing is asked: as in the folder's log, or else as the library has it.

    Raises:
        ValueError: the packages for models are missing.
    """
    defaults = find_trainer(labels)[1]
    logged = read_run(folder) if (folder / "run.json").exists() else {}
    if logged.get("model") in list_models(labels):
        defaults |= {name: value for name, value in logged.items() if name in defaults}
    return defaults


def list_models(labels: LabelField) -> tuple[str, ...]:
    """The models that learn from such labels; the packages for models must be there."""
    if isinstance(labels, ClassField):
        from ..models.classification_task import CLASSIFIERS

        return CLASSIFIERS
    from ..models.mask_rcnn import MASK_RCNN_MODELS

    return MASK_RCNN_MODELS


def list_devices() -> list[str]:
    """The devices that were found, the best first; the packages for models must be there."""
    from ..models.training import find_device

    found = []
    for name in ("cuda", "mps", "cpu"):
        with suppress(ValueError):
            found.append(find_device(name).type)
    return found


def estimate_seconds(plan: ModelScoringPlan, samples: SampleCollection) -> float | None:
    """An estimate of the wall time on the CPU; None for another device.

    It is the number of images x epochs x processor seconds that were measured elsewhere for the
    model and the image size (`tfdp.models.training_time`), over the number of cores.
    """
    if plan.arguments["device"] != "cpu":
        return None
    from ..models.training_time import estimate_cpu_seconds

    asked = {name: plan.arguments[name] for name in ("model", "epochs", "image_size")}
    return estimate_cpu_seconds(**asked, images=len(samples), cores=os.cpu_count() or 1)


def _check_folder(folder: Path, arguments: dict[str, Any]) -> bool:
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
        f"{name} {started[name]}, not {arguments[name]}"
        for name in started
        if name in arguments and started[name] != arguments[name]
    ]
    if other:
        raise ValueError(
            f"{folder} holds the log of a training with {'; '.join(other)}: ask for the same again,"
            " choose another brain key or log folder, or delete that folder"
        )
    return True


def plan_model_scoring(
    samples: SampleCollection,
    label_field: str,
    parameters: ModelParameters,
    *,
    brain_key: str = "model_scores",
    field_prefix: str | None = None,
    log_folder: str | Path | None = None,
) -> ModelScoringPlan:
    """What ``compute_model_scores`` would do; nothing is read or written.

    Raises:
        ValueError: as there, as far as it can be known before the images are read.
    """
    check_view(samples)
    labels = find_trained_labels(samples, label_field)
    dataset = root_dataset(samples)
    folder = find_log_folder(dataset, brain_key, log_folder)
    train, _ = find_trainer(labels)
    arguments = find_defaults(labels, folder)
    from ..models.training import find_device

    given = {name: value for name, value in asdict(parameters).items() if value is not None}
    arguments |= {name: value for name, value in given.items() if name in arguments}
    numbers = (*RANGES, "learning_rate")
    check_settings(**{name: arguments[name] for name in numbers if name in arguments})
    if arguments["model"] not in list_models(labels):
        raise ValueError(
            f"expected a model of {', '.join(list_models(labels))}, got {arguments['model']!r}"
        )
    arguments["device"] = str(find_device(arguments["device"]))
    arguments["scores"] = tuple(arguments["scores"] or default_scores(arguments["epochs"]))
    choices = {name: arguments[name] for name in ("region", "aggregation") if name in arguments}
    check_scores(arguments["scores"], arguments["epochs"], arguments["window"], **choices)

    resumes = _check_folder(folder, arguments)
    scores = [name for name in MODEL_SCORES if name in arguments["scores"]]
    prefix = choose_prefix(samples, labels, brain_key, field_prefix, scores)
    on_samples, on_labels = name_score_fields(labels, prefix, scores)
    earlier = own_configs(dataset).get(brain_key)
    paths = [field.path for field in on_samples + on_labels]
    config = ModelScoringConfig(
        label_field,
        field_prefix=prefix,
        log_folder=str(folder),
        parameters={name: value for name, value in arguments.items() if name != "progress"},
        fields=list(dict.fromkeys([*getattr(earlier, "fields", ()), *paths])),
    )
    config.build().validate_run(samples, brain_key)
    return ModelScoringPlan(labels, on_samples, on_labels, train, arguments, config, resumes)
