"""SI-SCS -> CB-SCS, SCS -> CB without SI: scores that are balanced over the classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .complexity import divide_or_zero

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


def _add(a: Mapping[Any, Any], b: Mapping[Any, Any]) -> dict[Any, Any]:
    return {key: a.get(key, 0) + b.get(key, 0) for key in {**a, **b}}


@dataclass(frozen=True)
class ClassTotals:
    """Sums of the SI-SCS and of the SCS of every class, over all that was scored.

    Totals add up: ``totals_a + totals_b`` are the totals of the union of two disjoint sets, so new
    data is scored from saved totals without touching the old masks again.

    Attributes:
        si_scs: class (COCO category id, or class name) -> sum of SI-SCS over its instances.
        num_instances: class -> number of scored instances.
        scs: class -> sum of SCS over its instances; None where nobody noted it, as before there was
            a score `cb_only`, which data that is scored with such totals does not get.
    """

    si_scs: Mapping[Any, float]
    num_instances: Mapping[Any, int]
    scs: Mapping[Any, float] | None = None

    def __add__(self, other: ClassTotals) -> ClassTotals:
        return ClassTotals(
            _add(self.si_scs, other.si_scs),
            _add(self.num_instances, other.num_instances),
            None if self.scs is None or other.scs is None else _add(self.scs, other.scs),
        )

    def to_list(self) -> list[dict[str, Any]]:
        """One JSON object a class: ``category``, ``si_scs``, ``num_instances``, ``scs``."""
        return [
            {
                "category": key,
                "si_scs": total,
                "num_instances": self.num_instances[key],
                "scs": None if self.scs is None else self.scs[key],
            }
            for key, total in self.si_scs.items()
        ]

    @classmethod
    def from_list(cls, rows: list[dict[str, Any]]) -> ClassTotals:
        """The inverse of :meth:`to_list`; a row may lack ``scs``."""
        known = all(row.get("scs") is not None for row in rows)
        return cls(
            {row["category"]: float(row["si_scs"]) for row in rows},
            {row["category"]: int(row["num_instances"]) for row in rows},
            {row["category"]: float(row["scs"]) for row in rows} if known else None,
        )


def sum_class_totals(
    si_scs: NDArray[np.float64],
    scs: NDArray[np.float64],
    category_index: NDArray[np.int64],
    categories: NDArray[Any],
) -> ClassTotals:
    """Class totals of (N,) scores; ``category_index`` (N,) points into ``categories`` (C,)."""

    def by_class(weights: NDArray[np.float64] | None) -> dict[Any, Any]:
        sums = np.bincount(category_index, weights, minlength=len(categories))
        return dict(zip(categories.tolist(), sums.tolist(), strict=True))

    return ClassTotals(by_class(si_scs), by_class(None), by_class(scs))


def balance_classes(
    instance_scores: NDArray[np.float64],
    category_index: NDArray[np.int64],
    class_totals: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Class-balanced scores: each instance's share of its class's total (TFDP, eq. 13).

    With SI-SCS in, CB-SCS comes out; with SCS in, the paper's ablation without SI. Scaling all
    scores of one class changes nothing.

    Args:
        instance_scores: (N,) scores, SI-SCS for the paper's CB-SCS.
        category_index: (N,) row of each instance's class in ``class_totals``.
        class_totals: (C,) sum of the scores of each class over the whole scored collection.

    Returns:
        (N,) scores, dimensionless; higher = more complex or of a rarer class = kept first; 0
        where the class total is 0.
    """
    return divide_or_zero(instance_scores, np.asarray(class_totals, np.float64)[category_index])
