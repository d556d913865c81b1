"""A comparison of scorers as an operator shows it: two tables and two plots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from fiftyone.operators import types

from . import _forms as forms
from ._comparison_plot import plot_instances_kept, plot_overlap

if TYPE_CHECKING:
    from tfdp.selection.comparison import Comparison, ScorerRow


def report_comparison(comparison: Comparison) -> dict[str, Any]:
    """The result of an operator: the table as data, as text, and as traces."""
    plain = msgspec.json.encode(comparison.to_dict())  # NaN is null
    overlap, overlap_layout = plot_overlap(comparison)
    instances, instances_layout = plot_instances_kept(comparison)
    return {
        "comparison": msgspec.json.decode(plain),
        "likeness_text": _describe_likeness(comparison),
        "kept_text": _describe_kept(comparison),
        "overlap_plot": overlap,
        "instances_plot": instances,
        "layouts": {"overlap_plot": overlap_layout, "instances_plot": instances_layout},
    }


def show_comparison(outputs: types.Object, result: dict[str, Any]) -> None:
    """Shows what ``report_comparison`` put into an operator's result."""
    outputs.str("likeness_text", view=types.MarkdownView())
    outputs.str("kept_text", view=types.MarkdownView())
    for name, layout in result.get("layouts", {}).items():
        outputs.plot(name, layout=layout, config={"displayModeBar": False})


def _describe_likeness(comparison: Comparison) -> str:
    rates = [kept.pruning_rate for kept in comparison.rows[0].kept]
    header = ["scorer", "seconds", "Spearman", "Kendall", *(f"at {rate:.0%}" for rate in rates)]
    rows = [
        [
            row.scorer,
            _seconds(row.seconds),
            _correlation(row.spearman),
            _correlation(row.kendall),
            *(f"{kept.overlap:.0%}" for kept in row.kept),
        ]
        for row in comparison.rows
    ]
    return (
        f"**Likeness to {comparison.reference}**: seconds spent, rank correlations, and the part "
        "of its kept images that each scorer keeps at a pruning rate\n\n"
        + forms.markdown_table(header, rows)
    )


def _describe_kept(comparison: Comparison) -> str:
    rates = [kept.pruning_rate for kept in comparison.rows[0].kept]
    header = ["scorer", "images scored", *(f"at {rate:.0%}" for rate in rates)]
    rows = [[row.scorer, row.num_scored, *_kept_cells(row)] for row in comparison.rows]
    return (
        "**What is kept** at a pruning rate: part of all instances / number of classes\n\n"
        + forms.markdown_table(header, rows)
    )


def _kept_cells(row: ScorerRow) -> list[str]:
    return [f"{kept.instances:.0%} / {kept.classes}" for kept in row.kept]


def _seconds(seconds: float | None) -> str:
    return (
        "unknown" if seconds is None else f"{seconds:,.0f}" if seconds >= 10 else f"{seconds:.2g}"
    )


def _correlation(value: float) -> str:
    return "-" if value != value else f"{value:.3f}"  # noqa: PLR0124 - NaN
