"""The panel that shows what a pruning rate would cost, before anything is pruned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fiftyone.operators as foo
from fiftyone import ViewField
from fiftyone.operators import types

from tfdp.scores.table import SCORERS, list_plain_scorers
from tfdp.selection.comparison import instances_kept
from tfdp.selection.criteria import Criteria
from tfdp.selection.selection import select_images
from tfdp.values import check_choice, check_number, check_text, check_whole
from tfdp.views.candidates import list_score_fields, score_candidates
from tfdp.views.database import check_database
from tfdp.views.fields import is_own, score_of
from tfdp.views.pruning_plan import find_scored_labels

from . import _forms as forms
from . import _plots as plots
from ._contents import remember_contents

if TYPE_CHECKING:
    from fiftyone.operators import ExecutionContext

PLUGIN = "@tfdp/instance-pruning"
DEFAULT_PERCENT = 50
PERCENTS = range(0, 100, 5)
HELP = """
Every bar, line and number is about the current view. **Scores**: what is cut; click a bar to see
its samples. **Cost**: how many of the instances each scorer keeps at each rate; a scorer far above
*random* keeps crowded images first. **Classes**: who pays; click one to see its samples.
"""


class PruningPanel(foo.Panel):
    """Score, rate, and three plots of what would be kept."""

    @property
    def config(self) -> foo.PanelConfig:
        return foo.PanelConfig(
            name="pruning_panel",
            label="Instance pruning",
            icon=forms.ICON,
            category=foo.Categories.CURATE,
            surfaces="grid",
            help_markdown=HELP,
        )

    def on_load(self, ctx: ExecutionContext) -> None:
        self.refresh(ctx)

    def on_change_view(self, ctx: ExecutionContext) -> None:
        self.refresh(ctx)

    def on_change_dataset(self, ctx: ExecutionContext) -> None:
        ctx.panel.state.clear()
        self.refresh(ctx)

    def change_scorer(self, ctx: ExecutionContext) -> None:
        asked = ctx.params.get("value")
        ctx.panel.state.scorer = check_choice("scorer", asked, _scorers(ctx))
        self.refresh(ctx)

    def change_rate(self, ctx: ExecutionContext) -> None:
        ctx.panel.state.percent = _check_percent(ctx.params.get("value"))
        self.draw(ctx)

    def refresh(self, ctx: ExecutionContext) -> None:
        """Everything again: another view, or another scorer."""
        try:
            check_database()
            if ctx.panel.state.scorer not in _scorers(ctx):  # also before anything was chosen
                ctx.panel.state.scorer = _default_scorer(ctx)
                ctx.panel.state.percent = DEFAULT_PERCENT
            held = remember_contents(ctx.view, self._label_field(ctx))
            curves = {
                name: instances_kept(
                    score_candidates(ctx.view, held, name), [p / 100 for p in PERCENTS]
                )
                for name in dict.fromkeys([ctx.panel.state.scorer, *_comparable(ctx)])
            }
        except (OSError, ValueError) as error:
            ctx.panel.state.error = str(error)
            return
        ctx.panel.state.error = None
        ctx.panel.state.curves = curves
        self.draw(ctx)

    def draw(self, ctx: ExecutionContext) -> None:
        """The plots that depend on the rate."""
        percent = _check_percent(ctx.panel.state.percent)
        held = remember_contents(ctx.view, self._label_field(ctx))
        candidates = score_candidates(ctx.view, held, ctx.panel.state.scorer)
        selection = select_images(candidates, Criteria(pruning_rate=percent / 100))
        drawn = {
            "scores": plots.plot_scores(candidates, selection),
            "costs": plots.plot_costs(ctx.panel.state.curves or {}, PERCENTS, percent),
            "classes": plots.plot_classes(selection),
        }
        ctx.panel.state.edges = plots.score_bins(candidates)
        ctx.panel.state.layouts = {name: layout for name, (_, layout) in drawn.items()}
        for name, (traces, _) in drawn.items():
            ctx.panel.set_data(name, traces)
        before, after = selection.before, selection.after
        ctx.panel.state.summary = (
            f"**{after.images:,}** of {before.images:,} images are kept, and with them "
            f"**{after.instances:,}** of {before.instances:,} instances "
            f"({after.instances / max(before.instances, 1):.0%})"
        )

    def show_scores(self, ctx: ExecutionContext) -> None:
        """Shows the samples of the bar that was clicked."""
        edges = ctx.panel.state.edges or []
        bar = check_whole("idx", ctx.params.get("idx"))
        if bar + 1 >= len(edges):
            raise ValueError(f"idx must be one of the {max(len(edges) - 1, 0)} bars, but got {bar}")
        low, high = edges[bar], edges[bar + 1]
        value = ViewField(ctx.panel.state.scorer)
        below = value <= high if high == edges[-1] else value < high
        ctx.ops.set_view(view=ctx.dataset.match((value >= low) & below))

    def show_class(self, ctx: ExecutionContext) -> None:
        """Shows the samples that hold the class that was clicked."""
        name = check_text("y", ctx.params.get("y"))
        field = self._label_field(ctx)
        if field is None:
            raise ValueError("no field of these samples holds labels; there is no class to show")
        ctx.ops.set_view(view=ctx.dataset.filter_labels(field, ViewField("label") == name))

    def create(self, ctx: ExecutionContext) -> None:
        """Opens the form with what was chosen here."""
        ctx.prompt(
            f"{PLUGIN}/create_pruned_view",
            params={
                "scorer": ctx.panel.state.scorer,
                "budget": "pruning_rate",
                "pruning_rate": ctx.panel.state.percent / 100,
            },
        )

    def render(self, ctx: ExecutionContext) -> types.Property:
        panel = types.Object()
        if ctx.panel.state.error:
            panel.view("error", types.Warning(label=ctx.panel.state.error))
            panel.btn(
                "score", label="Compute shape scores", on_click=self.score, variant="contained"
            )
            return _stacked(panel)
        forms.choose(
            panel,
            "scorer",
            _scorers(ctx),
            default=ctx.panel.state.scorer,
            label="Scorer",
            on_change=self.change_scorer,
        )
        panel.int(
            "percent",
            default=DEFAULT_PERCENT,
            min=0,
            max=PERCENTS[-1],
            label="Images to prune, %",
            view=types.SliderView(label_position="top", value_precision=0, view_multiple_of=5),
            on_change=self.change_rate,
        )
        panel.md(ctx.panel.state.summary or "", name="summary")
        panel.btn("create", label="Create pruned view", on_click=self.create, variant="contained")
        layouts = ctx.panel.state.layouts or {}
        for name, on_click in (
            ("scores", self.show_scores),
            ("costs", None),
            ("classes", self.show_class),
        ):
            panel.plot(name, layout=layouts.get(name, {}), on_click=on_click)
        return _stacked(panel)

    def score(self, ctx: ExecutionContext) -> None:
        ctx.prompt(f"{PLUGIN}/compute_shape_scores")

    def _label_field(self, ctx: ExecutionContext) -> str | None:
        return find_scored_labels(ctx.view, ctx.panel.state.scorer)


def _check_percent(value: Any) -> float:
    percent = check_number("percent", value)
    if not 0 <= percent <= PERCENTS[-1]:
        raise ValueError(f"percent must be 0 to {PERCENTS[-1]}, but got {percent:g}")
    return value


def _scorers(ctx: ExecutionContext) -> list[str]:
    return [*list_score_fields(ctx.dataset), *list_plain_scorers()]


def _default_scorer(ctx: ExecutionContext) -> str:
    scorers = _scorers(ctx)
    best = [name for name in scorers if score_of(ctx.dataset, name) == "cb_scs"]
    return (best or scorers)[0]


def _comparable(ctx: ExecutionContext) -> list[str]:
    """The scorers whose cost is drawn beside the chosen one: our own scores, and the plain ones."""
    own = [name for name in list_score_fields(ctx.dataset) if is_own(ctx.dataset, name)]
    plain = [n for n in list_plain_scorers() if "reference" not in SCORERS[n].needs]
    return [*own, *plain]


def _stacked(panel: types.Object) -> types.Property:
    return types.Property(panel, view=types.GridView(orientation="vertical", gap=2, padding=2))
