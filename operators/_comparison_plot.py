"""Plotly traces of a comparison of scorers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._plots import GRAY

if TYPE_CHECKING:
    from tfdp.selection.comparison import Comparison

_ROW_HEIGHT = 26  # px


def plot_overlap(comparison: Comparison) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Heat map: what part of the reference's kept images each scorer keeps at each rate."""
    others = comparison.rows[1:][::-1]  # plotly draws from the bottom
    share = [[100 * kept.overlap for kept in row.kept] for row in others]
    trace = {
        "type": "heatmap",
        "x": [f"{100 * kept.pruning_rate:g}" for kept in comparison.rows[0].kept],
        "y": [row.scorer for row in others],
        "z": share,
        "zmin": 0,
        "zmax": 100,
        "colorscale": [[0, "#22313f"], [1, "#ff6d04"]],
        "text": [[f"{value:.0f}" for value in values] for values in share],
        "texttemplate": "%{text}",
        "textfont": {"color": "white"},
        "colorbar": {"title": {"text": "%"}},
        "hovertemplate": "%{y}, %{x} % pruned: %{z:.1f} % of the images that "
        f"{comparison.reference} keeps<extra></extra>",
    }
    layout = _layout(
        f"Images kept by both the scorer and {comparison.reference}, %", "images pruned, %"
    )
    layout["xaxis"]["type"] = "category"
    layout["height"] = 130 + _ROW_HEIGHT * max(len(others), 4)
    return [trace], layout


def plot_instances_kept(comparison: Comparison) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Lines: what part of all instances the images hold that each scorer keeps."""
    traces = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": row.scorer,
            "x": [100 * kept.pruning_rate for kept in row.kept],
            "y": [100 * kept.instances for kept in row.kept],
            "line": {"color": GRAY, "dash": "dot"} if row.scorer == "random" else {},
            "hovertemplate": "%{x:.0f} % of the images pruned: %{y:.1f} % of the instances kept"
            f"<extra>{row.scorer}</extra>",
        }
        for row in comparison.rows
    ]
    layout = _layout("Instances kept", "images pruned, %")
    layout["yaxis"]["title"] = {"text": "instances kept, %"}
    layout |= {"showlegend": True, "legend": {"x": 1.02, "y": 1}}
    layout["height"] = 380
    return traces, layout


def _layout(title: str, x_title: str) -> dict[str, Any]:
    """A layout that leaves colors of paper and text to the App's theme."""
    return {
        "title": {"text": title, "font": {"size": 14}},
        "xaxis": {"title": {"text": x_title}, "automargin": True},
        "yaxis": {"automargin": True},
        "margin": {"t": 48, "r": 16, "b": 48, "l": 56},
    }
