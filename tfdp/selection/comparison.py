"""Scorers side by side: how alike they rank, what they keep, what they cost."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from ..values import check_numbers
from .criteria import Criteria
from .selection import Candidates, Selection, select_images

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


RATES = (0.2, 0.3, 0.4, 0.5)


@dataclass(frozen=True)
class KeptAtRate:
    """What the top images by a scorer hold at one pruning rate.

    Attributes:
        pruning_rate: fraction of the scored images that is removed.
        images: number of images kept.
        overlap: fraction of the reference's kept images that this scorer keeps, too.
        instances: fraction of all instances that is kept.
        classes: number of classes of which an instance is kept.
    """

    pruning_rate: float
    images: int
    overlap: float
    instances: float
    classes: int


@dataclass(frozen=True)
class ScorerRow:
    """One scorer against the reference.

    Attributes:
        scorer: its name.
        aggregation: how the scores of instances became those of images; None: see `Candidates`.
        num_scored: number of images that it scores.
        seconds: what computing it took, None where that is not known.
        spearman: rank correlation with the reference over the images that both score, both turned
            so that what is kept first comes first; NaN where one of them is constant.
        kendall: the same, Kendall's tau-b.
        kept: what it keeps at each rate.
    """

    scorer: str
    aggregation: str | None
    num_scored: int
    seconds: float | None
    spearman: float
    kendall: float
    kept: tuple[KeptAtRate, ...]


@dataclass(frozen=True)
class Comparison:
    """A table of scorers, the reference first."""

    reference: str
    rows: tuple[ScorerRow, ...]

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def to_arrow(self) -> pa.Table:
        """One row a scorer and pruning rate."""
        return pa.Table.from_pylist(
            [
                {**{k: v for k, v in asdict(row).items() if k != "kept"}, **asdict(kept)}
                for row in self.rows
                for kept in row.kept
            ]
        )


def compare_scorers(
    candidates: Sequence[Candidates],
    reference: str,
    rates: Sequence[float] = RATES,
    seconds: Mapping[str, float] | None = None,
) -> Comparison:
    """Compares scorers of the same images.

    Args:
        candidates: the images with the scores of one scorer each; same images, same order.
        reference: name of the scorer that the others are compared with.
        rates: pruning rates; the policy is "top".
        seconds: scorer -> wall time that computing it took.

    Raises:
        ValueError: the reference is not among the scorers.
    """
    by_name = {c.scorer: c for c in candidates}
    if reference not in by_name:
        raise ValueError(f"no scorer {reference!r} to compare with; there are {', '.join(by_name)}")
    base = by_name[reference]
    others = [c for c in candidates if c.scorer != reference]
    check_numbers("rates", rates)
    base_selections = [_top(base, rate) for rate in rates]
    rows = []
    for candidate in (base, *others):
        kept = tuple(
            _kept_at(rate, _top(candidate, rate), base_selection)
            for rate, base_selection in zip(rates, base_selections, strict=True)
        )
        cost = (seconds or {}).get(candidate.scorer)
        rows.append(_make_row(candidate, base, cost, kept))
    return Comparison(reference, tuple(rows))


def instances_kept(candidates: Candidates, rates: Sequence[float]) -> list[float]:
    """Fraction of all instances that the top images hold at each pruning rate."""
    selections = [_top(candidates, rate) for rate in rates]
    return [s.after.instances / max(s.before.instances, 1) for s in selections]


def _top(candidates: Candidates, rate: float) -> Selection:
    return select_images(candidates, Criteria(pruning_rate=rate))


def _make_row(
    candidate: Candidates, base: Candidates, seconds: float | None, kept: tuple[KeptAtRate, ...]
) -> ScorerRow:
    spearman, kendall = _rank_correlations(candidate, base)
    return ScorerRow(
        scorer=candidate.scorer,
        aggregation=candidate.aggregation,
        num_scored=int(candidate.scored.sum()),
        seconds=seconds,
        spearman=spearman,
        kendall=kendall,
        kept=kept,
    )


def _kept_at(rate: float, selection: Selection, reference: Selection) -> KeptAtRate:
    shared = int((selection.keep & reference.keep).sum())
    return KeptAtRate(
        pruning_rate=rate,
        images=selection.after.images,
        overlap=shared / reference.after.images,
        instances=selection.after.instances / max(selection.before.instances, 1),
        classes=sum(count > 0 for count in selection.after.instances_per_class.values()),
    )


def _rank_correlations(a: Candidates, b: Candidates) -> tuple[float, float]:
    from scipy import stats  # a second to import, and every command of the line passes here

    both = a.scored & b.scored
    x, y = a.priority[both], b.priority[both]
    if len(x) < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return float("nan"), float("nan")
    return float(stats.spearmanr(x, y).statistic), float(stats.kendalltau(x, y).statistic)
