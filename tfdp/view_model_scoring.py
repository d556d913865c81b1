"""A FiftyOne view -> scores by a trained model in its fields, and a run that remembers how."""

from __future__ import annotations

import importlib.util
import inspect
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import fiftyone as fo
import numpy as np

from .field_names import choose_prefix, name_score_fields
from .fields import MODEL_FIELDS
from .io.view_fields import declare_fields, show_fields
from .io.view_labels import check_view, find_mask_field, object_array
from .io.view_records import (
    ClassField,
    list_class_fields,
    read_class_rows,
    read_view_records,
)
from .io.view_writing import LabelValues, write_values
from .models.progress import part_of, progress_bar
from .models.score_log import check_scores, default_scores
from .models.training_log import read_run
from .runs import ModelScoringConfig, ModelScoringResults, ids_by_reason, own_configs
from .skipped import Skipped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from fiftyone.core.collections import SampleCollection

    from .io.view_fields import OwnField
    from .io.view_labels import LabelField
    from .models.aggregation import Aggregation, Region
    from .models.progress import Progress
    from .models.score_log import ModelScores

PACKAGES = ("torch", "torchvision")
READING_SHARE, WRITING_SHARE = 0.02, 0.02  # of the whole time, for the progress


@dataclass(frozen=True)
class ModelParameters:
    """What is asked of ``compute_model_scores``, which documents every one; None: the default."""

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
    aggregation: Aggregation | None = None
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


def default_log_folder(dataset: fo.Dataset, brain_key: str) -> Path:
    """Where the training log goes: beside FiftyOne's folder of datasets."""
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
        from .models.classification import train_and_score_classes as train
    else:
        from .models.segmentation import train_and_score as train
    parameters = inspect.signature(train).parameters.values()
    return train, {
        p.name: p.default for p in parameters if p.default is not inspect.Parameter.empty
    }


def _check_folder(folder: Path, arguments: dict[str, Any]) -> bool:
    """Whether there is a log of this very training; refuses that of another one."""
    plugin = Path(__file__).resolve().parents[1]
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
    train, arguments = find_trainer(labels)
    from .models.training import find_device

    given = {name: value for name, value in asdict(parameters).items() if value is not None}
    arguments |= {name: value for name, value in given.items() if name in arguments}
    arguments["device"] = str(find_device(arguments["device"]))
    arguments["scores"] = tuple(arguments["scores"] or default_scores(arguments["epochs"]))
    choices = {name: arguments[name] for name in ("region", "aggregation") if name in arguments}
    check_scores(arguments["scores"], arguments["epochs"], arguments["window"], **choices)

    dataset = samples._root_dataset  # noqa: SLF001
    folder = Path(log_folder).expanduser() if log_folder else default_log_folder(dataset, brain_key)
    resumes = _check_folder(folder, arguments)
    scores = [field for field in MODEL_FIELDS if field.name in arguments["scores"]]
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


def _train(
    samples: SampleCollection, plan: ModelScoringPlan, show: Progress
) -> tuple[ModelScores, list[str], Skipped]:
    """The scores; ids of labels that are not in them; what was skipped."""
    arguments = plan.arguments | {"progress": part_of(show, READING_SHARE, 1 - READING_SHARE)}
    folder = Path(plan.config.log_folder)
    records: Sequence[Any]
    without: list[str] = []
    skipped = Skipped()
    if isinstance(plan.labels, ClassField):
        from .models.classification import ClassRecord

        records = [ClassRecord(*row) for row in read_class_rows(samples, plan.labels.name)]
    else:
        reading, total = part_of(show, 0, READING_SHARE), len(samples)
        records, without, skipped = read_view_records(
            samples,
            plan.labels,
            lambda done: reading(done / total, f"reading the masks of sample {done}/{total}"),
        )
    scores = plan.train(records, folder, **arguments)
    skipped.extend(scores.rows.skipped)
    return scores, without, skipped


def _write(
    dataset: fo.Dataset,
    plan: ModelScoringPlan,
    scores: ModelScores,
    without: Sequence[str],
    show: Progress,
) -> None:
    declare_fields(dataset, [*plan.on_samples, *plan.on_labels])
    prefix, done, total = plan.config.field_prefix, 0, len(scores.rows.image_ids)
    ids = object_array(scores.rows.image_ids)
    on_samples = {prefix + name: values for name, values in scores.image_scores.items()}

    def report(count: int) -> None:
        nonlocal done
        done += count
        show(min(done / total, 1.0), "writing the scores")

    if isinstance(plan.labels, ClassField):
        labelled = np.array([label is not None for label in scores.rows.labels])
        write_values(dataset, ids, on_samples, report=report)
        on_labels = {
            f"{plan.labels.path}.{name}": values[labelled] for name, values in on_samples.items()
        }
        write_values(dataset, ids[labelled], on_labels)
    else:
        labels = LabelValues(
            plan.labels,
            scores.rows.image_index,
            object_array(scores.rows.instance_ids),
            {prefix + name: values for name, values in scores.instance_scores.items()},
            without,
        )
        write_values(dataset, ids, on_samples, labels, report)
    show_fields(dataset, [*plan.on_samples, *plan.on_labels])


def _record_scores(scores: ModelScores, skipped: Skipped) -> dict[str, Any]:
    a_score = next(iter(scores.instance_scores))
    return {
        "counts": {
            "samples": len(scores.rows.image_ids),
            "scored_samples": int(np.isfinite(scores.image_scores[a_score]).sum()),
            "instances": int(np.isfinite(scores.instance_scores[a_score]).sum()),
            "skipped": len(skipped),
        },
        "skipped": ids_by_reason(skipped),
        "seconds": scores.seconds,
        "training": scores.run,
    }


@contextmanager
def _shown(progress: bool | Progress | None) -> Iterator[Progress]:
    if callable(progress):
        yield progress
        return
    quiet: Progress = lambda fraction, message: None  # noqa: E731, ARG005
    with nullcontext(quiet) if progress is False else progress_bar() as show:
        yield show


def score_with_model(
    samples: SampleCollection,
    label_field: str,
    parameters: ModelParameters,
    *,
    brain_key: str = "model_scores",
    field_prefix: str | None = None,
    log_folder: str | Path | None = None,
    progress: bool | Progress | None = None,
) -> ModelScoringResults:
    """``compute_model_scores`` by its parameters in one object."""
    plan = plan_model_scoring(
        samples,
        label_field,
        parameters,
        brain_key=brain_key,
        field_prefix=field_prefix,
        log_folder=log_folder,
    )
    with _shown(progress) as show:
        scores, without, skipped = _train(samples, plan, part_of(show, 0, 1 - WRITING_SHARE))
        writing = part_of(show, 1 - WRITING_SHARE, WRITING_SHARE)
        _write(samples._root_dataset, plan, scores, without, writing)  # noqa: SLF001
    run = plan.config.build()
    run.register_run(samples, brain_key, cleanup=False)
    record = _record_scores(scores, skipped)
    results = ModelScoringResults(samples, plan.config, brain_key, record, backend=run)
    run.save_run_results(samples, brain_key, results)
    return results


def compute_model_scores(
    samples: SampleCollection,
    label_field: str,
    *,
    model: str | None = None,
    weights: str | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    image_size: int | None = None,
    learning_rate: float | None = None,
    flips: bool | None = None,
    scores: Sequence[str] | None = None,
    window: int | None = None,
    region: Region | None = None,
    aggregation: Aggregation | None = None,
    seed: int | None = None,
    device: str | None = None,
    workers: int | None = None,
    brain_key: str = "model_scores",
    field_prefix: str | None = None,
    log_folder: str | Path | None = None,
    progress: bool | Progress | None = None,
) -> ModelScoringResults:
    """Trains a model on a view, scores its labels by what the model said, and writes the scores.

    The fields ``entropy``, ``loss``, ``el2n``, ``forgetting``, ``aum``, ``dyn_unc`` and ``dual``
    (see `tfdp.fields`, and `tfdp.models.score_log`) are declared, indexed and shown in the App's
    sidebar. Higher = harder, but for ``aum``, where lower = harder. None = could not be scored.

    Called again after a kill, with the same arguments, it goes on from the last finished epoch.

    Args:
        samples: a dataset or view of images; what the view filters out is neither learned nor
            scored.
        label_field: Detections with ``mask`` or ``mask_path``: a Mask R-CNN learns them
            (`tfdp.models.segmentation.train_and_score` has the defaults); or a Classification: a
            classifier does (`tfdp.models.classification.train_and_score_classes`), and a sample's
            and its label's scores are the same.
        model: one of `tfdp.models.mask_rcnn.MASK_RCNN_MODELS`, or of
            `tfdp.models.classification_task.CLASSIFIERS`.
        weights: to start from: "none", "imagenet", "coco" (masks only) or a checkpoint's path.
        epochs: 0 gives entropy, loss and el2n of the weights as they are, without training.
        batch_size: images.
        image_size: px of the shorter side; of both sides for a classifier.
        learning_rate: before it is scaled to the batch.
        flips: whether images are mirrored at random; for a Classification only.
        scores: names of `tfdp.models.score_log.MODEL_SCORES`; by default all that there can be.
        window: epochs, of dyn_unc and dual.
        region: pixels that are averaged: "roi", those of the box, or "mask", the instance's.
        aggregation: instances to samples: "sum", "mean" or "max".
        seed: of all that is random.
        device: "cuda", "mps" or "cpu"; by default the first of these that is there.
        workers: processes that load images.
        brain_key: the name of the run, as in ``compute_shape_scores``.
        field_prefix: what the fields' names begin with, as in ``compute_shape_scores``.
        log_folder: where the training log and the checkpoint go: 1.7 kB an instance and epoch. By
            default ``tfdp/<dataset>/<brain_key>`` beside FiftyOne's folder of datasets. Deleting
            the run leaves it.
        progress: True or None for a progress bar, False for none, or a function that is called with
            a fraction and a message.

    Returns:
        The results of the run: counts, what was skipped and why, seconds, the log's place.

    Raises:
        ValueError: the view, the field, the key, the folder, a parameter or the weights can't be
            used; torch is missing; the training diverged; the GPU's memory is too small.
        OSError: the log could not be written.
    """
    parameters = ModelParameters(
        model=model,
        weights=weights,
        epochs=epochs,
        batch_size=batch_size,
        image_size=image_size,
        learning_rate=learning_rate,
        flips=flips,
        scores=None if scores is None else tuple(scores),
        window=window,
        region=region,
        aggregation=aggregation,
        seed=seed,
        device=device,
        workers=workers,
    )
    return score_with_model(
        samples,
        label_field,
        parameters,
        brain_key=brain_key,
        field_prefix=field_prefix,
        log_folder=log_folder,
        progress=progress,
    )
