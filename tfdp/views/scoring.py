"""A FiftyOne view -> shape scores in its fields, and a brain run that remembers how."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from ..progress import part_of
from ..scores.aggregation import resolve_aggregation
from ..scores.balance import ClassTotals
from ..scores.shape_scores import SHAPE_SCORES, score_shapes
from ..sources.measuring import measure
from ..values import check_text
from .database import database_errors
from .field_names import choose_prefix, name_score_fields
from .fiftyone_internals import root_dataset
from .labels import check_view, find_mask_field
from .mending import HALF_DONE, writing_to
from .progress_bars import fiftyone_bar
from .run_fields import own_configs
from .run_writing import RunContent, write_run
from .runs import ShapeScoringConfig, ShapeScoringResults
from .source import ViewSource
from .writing import LabelValues, write_values

if TYPE_CHECKING:
    from fiftyone.core.collections import SampleCollection

    from ..geometry.rasterize import Rasterizer
    from ..scores.instances import Collection
    from ..scores.shape_scores import ShapeScores
    from .fields import OwnField
    from .labels import LabelField
    from .progress_bars import BarProgress


def _find_totals(
    view: SampleCollection, class_totals: ClassTotals | str | None
) -> ClassTotals | None:
    """The totals of the run that is named, which must have scored other samples."""
    if class_totals is None or isinstance(class_totals, ClassTotals):
        return class_totals
    check_text("class_totals", class_totals)
    dataset = root_dataset(view)
    known = class_totals in own_configs(dataset)
    results = dataset.load_brain_results(class_totals) if known else None
    if not isinstance(results, ShapeScoringResults):
        raise ValueError(  # noqa: TRY004
            f"{class_totals!r} is no run of compute_shape_scores on this dataset"
        )
    both = set(view.values("id")) & set(dataset.load_brain_view(class_totals).values("id"))
    if both:
        raise ValueError(
            f"{len(both)} samples of this view were scored by run {class_totals!r} already, and "
            "would be counted twice in the class totals; score a view without them"
        )
    return results.class_totals


class ScoringPlan(NamedTuple):
    """What a scoring run will do, checked before the masks are read."""

    labels: LabelField
    on_samples: list[OwnField]
    on_labels: list[OwnField]
    config: ShapeScoringConfig
    totals: ClassTotals | None


def plan_scoring(
    samples: SampleCollection,
    label_field: str,
    *,
    brain_key: str = "shape_scores",
    field_prefix: str | None = None,
    rasterizer: Rasterizer = "coco",
    aggregation: str | None = None,
    class_totals: ClassTotals | str | None = None,
) -> ScoringPlan:
    """What ``compute_shape_scores`` would do; nothing is written.

    Raises:
        ValueError: the view, the field or the key can't be used; the message says what could be.
    """
    check_view(samples)
    way = resolve_aggregation("cb_scs", aggregation)  # all shape scores have the same of their own
    labels = find_mask_field(samples, label_field)
    prefix = choose_prefix(samples, labels, brain_key, field_prefix)
    on_samples, on_labels = name_score_fields(labels, prefix, aggregation=way)
    earlier = own_configs(root_dataset(samples)).get(brain_key)
    paths = [field.path for field in on_samples + on_labels]
    config = ShapeScoringConfig(
        label_field,
        field_prefix=prefix,
        rasterizer=rasterizer,
        aggregation=way,
        totals_from=class_totals if isinstance(class_totals, str) else None,
        fields=list(dict.fromkeys([*getattr(earlier, "fields", ()), *paths])),
    )
    config.build().validate_run(samples, brain_key)
    totals = _find_totals(samples, class_totals)
    return ScoringPlan(labels, on_samples, on_labels, config, totals)


def _record_scores(scores: ShapeScores, seconds: float) -> dict[str, Any]:
    skipped = scores.skipped.ids_by_reason()
    return {
        "counts": {
            "samples": scores.images.num_rows,
            "scored_samples": int((scores.images.num_instances > 0).sum()),
            "instances": scores.instances.num_rows,
            "degenerate": len(scores.degenerate),
            "skipped": len(scores.skipped),
        },
        "skipped": skipped,
        "degenerate": scores.degenerate.tolist(),
        "seconds": {"scoring": seconds},
        "class_totals": scores.class_totals.to_list(),
    }


def _make_content(
    samples: SampleCollection,
    brain_key: str,
    plan: ScoringPlan,
    collection: Collection,
    scores: ShapeScores,
    seconds: float,
) -> RunContent:
    """What the run will write."""
    prefix = plan.config.field_prefix
    labels = LabelValues(
        plan.labels,
        collection.instances.image_index,
        scores.instances.annotation_id,
        {prefix + name: scores.instances[name] for name in SHAPE_SCORES},
        without=[str(item.id) for item in scores.skipped],
    )
    images = scores.image_table(plan.config.aggregation)
    on_samples = {prefix + name: images[name] for name in SHAPE_SCORES}
    write = partial(write_values, root_dataset(samples), scores.images.image_id, on_samples, labels)
    record = _record_scores(scores, seconds)
    run = plan.config.build()
    results = ShapeScoringResults(samples, plan.config, brain_key, record, backend=run)
    return RunContent(results, [*plan.on_samples, *plan.on_labels], write, plan.labels)


@database_errors(HALF_DONE)
def compute_shape_scores(
    samples: SampleCollection,
    label_field: str,
    *,
    brain_key: str = "shape_scores",
    field_prefix: str | None = None,
    rasterizer: Rasterizer = "coco",
    aggregation: str | None = None,
    class_totals: ClassTotals | str | None = None,
    progress: BarProgress = None,
) -> ShapeScoringResults:
    """Scores the instance masks of a view, and writes the scores on its labels and samples.

    The fields ``scs``, ``si_scs``, ``cb_scs`` and ``cb_only`` (see `tfdp.scores.table`) are
    declared, indexed and shown in the App's sidebar. Higher = more complex, or of a rarer class.
    Samples without a scored instance have None.

    Args:
        samples: a dataset or view of images; what the view filters out is not scored.
        label_field: a field of Detections with ``mask`` or ``mask_path``, or of closed, filled
            Polylines.
        brain_key: the name of the run: ``samples.load_brain_results(brain_key)`` gives the results,
            ``delete_brain_run(brain_key)`` deletes it with its fields. Under the key of an earlier
            run, its scores of these samples are replaced; those of other samples stay.
        field_prefix: what the fields' names begin with. By default the earlier run's under this
            key; or else nothing, unless another run's scores of these samples, or a field of the
            user's own would be overwritten: then ``<brain_key>_``.
        rasterizer: "coco" or "opencv", what draws Polylines.
        aggregation: "sum" (the paper's, and by default), "mean" or "max": from a sample's
            instances to the sample.
        class_totals: what ``cb_scs`` and ``cb_only`` are balanced with beside this view: the totals
            of samples that were scored before, or the brain key of the run that scored them.
        progress: True, False, None or a callback, as everywhere in FiftyOne.

    Returns:
        The results of the run: counts, what was skipped and why, class totals.

    Raises:
        ValueError: the view, the field or the key can't be used; the message says what could be.
    """
    plan = partial(
        plan_scoring,
        samples,
        label_field,
        brain_key=brain_key,
        field_prefix=field_prefix,
        rasterizer=rasterizer,
        aggregation=aggregation,
        class_totals=class_totals,
    )
    dataset = root_dataset(samples)
    with writing_to(dataset):
        labels, *_, totals = plan()
    source = ViewSource(samples, labels)
    with fiftyone_bar(progress, 2 * source.total) as show:
        started = time.perf_counter()
        collection = measure([source], rasterizer, part_of(show, 0, 0.5))
        scores = score_shapes(collection, totals)
        seconds = time.perf_counter() - started
        with writing_to(dataset) as change:
            content = _make_content(samples, brain_key, plan(), collection, scores, seconds)
            write_run(change, content, part_of(show, 0.5, 0.5))
    return content.results
