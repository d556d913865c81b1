"""Plotly traces of a selection: what is cut, what it costs, and which classes pay."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from tfdp.selection.composition import rank_class_losses

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tfdp.selection.selection import Candidates, Selection

KEPT_COLOR, PRUNED_COLOR, GRAY = "#ff6d04", "#6e7783", "#9aa0a6"
NUM_BINS = 40
HEIGHT = 280  # px
MAX_CLASSES = 20


def _layout(title: str, x_title: str, y_title: str, **more: Any) -> dict[str, Any]:
    """A layout that leaves colors of paper and text to the App's theme."""
    return {
        "title": {"text": title, "font": {"size": 14}},
        "xaxis": {"title": {"text": x_title}, "automargin": True},
        "yaxis": {"title": {"text": y_title}, "automargin": True},
        "legend": {"orientation": "h", "y": 1.12, "x": 1, "xanchor": "right"},
        "margin": {"t": 56, "r": 16, "b": 48, "l": 56},
        "bargap": 0.04,
        "showlegend": True,
        "height": HEIGHT,
        **more,
    }


def score_bins(candidates: Candidates) -> list[float]:
    """Edges of the histogram's bins, from the lowest to the highest score."""
    scores = candidates.scores[candidates.scored]
    return np.histogram_bin_edges(scores, NUM_BINS).tolist()


def plot_scores(
    candidates: Candidates, selection: Selection
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Histogram of the image scores, kept on top of pruned."""
    edges = score_bins(candidates)
    middles = [(low + high) / 2 for low, high in itertools.pairwise(edges)]
    traces = []
    for name, rows, color in (
        ("kept", selection.keep, KEPT_COLOR),
        ("pruned", ~selection.keep, PRUNED_COLOR),
    ):
        counts, _ = np.histogram(candidates.scores[candidates.scored & rows], edges)
        traces.append(
            {
                "type": "bar",
                "name": name,
                "x": middles,
                "y": counts.tolist(),
                "marker": {"color": color},
                "hovertemplate": f"score %{{x:.4g}}<br>%{{y}} images {name}<extra></extra>",
            }
        )
    layout = _layout("Images by score", candidates.scorer, "images", barmode="stack")
    return traces, layout


def plot_costs(
    costs: dict[str, Sequence[float]], percents: Sequence[int], chosen: float
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Fraction of the instances that is kept at each pruning rate, one line a scorer.

    Args:
        costs: scorer -> fraction of the instances kept at each of ``percents``.
        percents: pruning rates, %.
        chosen: the one that is chosen, drawn as a vertical line.
    """
    traces = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": name,
            "x": list(percents),
            "y": [100 * kept for kept in kept_at_rates],
            "line": {"color": GRAY, "dash": "dot"} if name == "random" else {},
            "hovertemplate": "%{x:.0f} % of the images pruned<br>%{y:.1f} % of the instances "
            f"kept<extra>{name}</extra>",
        }
        for name, kept_at_rates in costs.items()
    ]
    line = {"type": "line", "x0": chosen, "x1": chosen, "y0": 0, "y1": 100}
    layout = _layout(
        "What a pruning rate costs",
        "images pruned, %",
        "instances kept, %",
        shapes=[{**line, "line": {"color": KEPT_COLOR, "width": 1}}],
    )
    layout["yaxis"]["range"] = [0, 103]
    # the curves fall from the top left to the bottom right: the other corner is free
    layout["legend"] = {"x": 0.02, "y": 0.02, "xanchor": "left", "yanchor": "bottom"}
    layout["legend"] |= {"bgcolor": "rgba(0, 0, 0, 0)"}
    return traces, layout


def plot_classes(selection: Selection) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Fraction of each class's instances that is kept, for the classes that lose most."""
    classes = rank_class_losses(selection.before, selection.after)
    shown = classes[:MAX_CLASSES][::-1]
    trace = {
        "type": "bar",
        "orientation": "h",
        "y": [loss.name for loss in shown],
        "x": [100 * loss.after / loss.before for loss in shown],
        "text": [f"{loss.after:,} of {loss.before:,}" for loss in shown],
        "marker": {"color": KEPT_COLOR},
        "hovertemplate": "%{y}: %{text} instances kept<extra></extra>",
    }
    title = "Instances kept of each class" + (
        f", the {MAX_CLASSES} that lose most" if len(classes) > MAX_CLASSES else ""
    )
    layout = _layout(title, "instances kept, %", "")
    layout["xaxis"]["range"] = [0, 103]
    layout["showlegend"] = False
    return [trace], layout
