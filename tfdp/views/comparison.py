"""Scorers side by side on a FiftyOne view: its fields, and the plain scorers."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ..scores.aggregation import AGGREGATIONS
from ..scores.table import SCORERS, list_plain_scorers
from ..selection.comparison import RATES, Comparison, compare_scorers
from ..values import check_choice, check_texts
from .candidates import list_score_fields, score_candidates
from .contents import read_contents
from .database import database_errors
from .fields import is_own, score_of
from .fiftyone_internals import root_dataset
from .label_scores import can_aggregate
from .labels import check_view
from .pruning_plan import find_scored_labels
from .run_fields import keys_of_field

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fiftyone.core.collections import SampleCollection


def list_scorers(view: SampleCollection) -> list[str]:
    """All that can be compared: numeric fields that have values, our own first; plain scorers."""
    fields = [name for name in list_score_fields(view) if view.count(name)]
    referred = any(_is_cb_scs(view, name) for name in fields)
    plain = [
        name for name in list_plain_scorers() if referred or "reference" not in SCORERS[name].needs
    ]
    return [*fields, *(name for name in plain if name not in fields)]


def default_scorers(view: SampleCollection) -> list[str]:
    """The scores of tfdp that have values, and the plain scorers."""
    dataset = root_dataset(view)
    plain = list_plain_scorers()
    return [name for name in list_scorers(view) if name in plain or is_own(dataset, name)]


def default_reference(view: SampleCollection, scorers: Sequence[str]) -> str:
    """CB-SCS where it is there, or else the first."""
    return next((name for name in scorers if _is_cb_scs(view, name)), scorers[0])


def _is_cb_scs(view: SampleCollection, name: str) -> bool:
    return score_of(root_dataset(view), name) == "cb_scs"


def read_seconds(view: SampleCollection, field: str) -> float | None:
    """What computing a field took, by the records of the runs that filled it; None: unknown."""
    dataset = root_dataset(view)
    spent = [_seconds_of_run(dataset, key) for key in keys_of_field(dataset, field)]
    known = [seconds for seconds in spent if seconds is not None]
    return sum(known) if known else None


def _seconds_of_run(dataset: Any, key: str) -> float | None:
    record = getattr(dataset.load_brain_results(key), "record", {})
    return sum(record["seconds"].values()) if "seconds" in record else None


@database_errors()
def compare_scores(
    samples: SampleCollection,
    label_field: str | None = None,
    *,
    scorers: Sequence[str] | None = None,
    reference: str | None = None,
    rates: Sequence[float] = RATES,
    seed: int = 0,
    aggregation: str | None = None,
) -> Comparison:
    """Sets scorers of the same samples side by side; nothing is written to the dataset.

    Args:
        samples: a dataset or view of images.
        label_field: whose labels are counted, Detections, Polylines or a Classification; by default
            those that the reference was computed on.
        scorers: numeric fields of samples, and plain scorers (`tfdp.scores.baselines`); by default
            all scores of tfdp that have values in this view, and all plain scorers that can be had.
        reference: what the others are compared with; by default CB-SCS, or else the first scorer.
        rates: pruning rates at which the kept samples are compared; the policy is "top".
        seed: of the random scorers.
        aggregation: "sum", "mean" or "max": from a sample's instances to the sample, of all that
            score instances; by default each its own way, and fields as they were filled.

    Returns:
        The table (`tfdp.selection.comparison`): `tfdp.files.comparison_file.write_comparison`
        writes it. Seconds are those of the runs that filled a field, training included; for a plain
        scorer, of reading the classes and scoring just now; None where nobody noted them.

    Raises:
        ValueError: there is no such scorer or field, or it has no value in this view.
    """
    check_view(samples)
    if aggregation is not None:
        check_choice("aggregation", aggregation, AGGREGATIONS)
    asked = default_scorers(samples) if scorers is None else check_texts("scorers", scorers)
    names = list(dict.fromkeys(asked))
    if not names:
        raise ValueError("there is nothing to compare; name at least one scorer")
    chosen = reference or default_reference(samples, names)
    if chosen not in names:
        names.insert(0, chosen)
    if label_field is None:
        label_field = find_scored_labels(samples, chosen)
    started = time.perf_counter()
    held = read_contents(samples, label_field)
    reading = time.perf_counter() - started
    candidates, seconds = [], {}
    for name in names:
        started = time.perf_counter()
        way = aggregation if can_aggregate(samples, name) else None
        candidates.append(score_candidates(samples, held, name, seed=seed, aggregation=way))
        spent: float | None = reading + time.perf_counter() - started
        if samples.get_field(name) is not None:
            spent = read_seconds(samples, name)
        if spent is not None:
            seconds[name] = spent
    return compare_scorers(candidates, chosen, rates, seconds)
