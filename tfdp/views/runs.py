"""Brain runs: what was computed on a FiftyOne dataset, how, and which fields it filled.

FiftyOne stores the names of these classes (``tfdp.views.runs.ShapeScoringConfig``) and of their
arguments in users' databases, and finds the run and the results by the config's name. None of them
may ever change: a new argument has a default, and what is new has a new name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..scores.balance import ClassTotals
from .run_bases import (
    FieldsRun,
    FieldsRunConfig,
    LabelScoringResults,
    LabelScoringRun,
    RecordResults,
)

if TYPE_CHECKING:
    from collections.abc import Sequence


class ShapeScoringConfig(FieldsRunConfig):
    """Parameters of ``compute_shape_scores``.

    Args:
        label_field: the field whose masks were scored.
        field_prefix: what the fields' names begin with.
        rasterizer: what drew polylines.
        aggregation: how a sample's score came of its instances'.
        totals_from: brain key of the run whose class totals were added to, if any.
        **kwargs: see `FieldsRunConfig`.
    """

    def __init__(
        self,
        label_field: str,
        field_prefix: str = "",
        rasterizer: str = "coco",
        aggregation: str = "sum",
        totals_from: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.label_field = label_field
        self.field_prefix = field_prefix
        self.rasterizer = rasterizer
        self.aggregation = aggregation
        self.totals_from = totals_from

    @property
    def method(self) -> str:
        return "shape_scores"


class ShapeScoring(LabelScoringRun):
    """The run of ``compute_shape_scores``."""


class PruningConfig(FieldsRunConfig):
    """Parameters of ``prune_view``: with the run's view they rebuild the selection.

    Args:
        keep_field: the boolean field, True on the samples that are kept.
        saved_view: name of the saved view of the kept samples.
        saved_stages: its stages; a view of that name that shows anything else is not the run's.
        saved_at: when it was made, likewise; known when it is.
        parameters: keyword arguments of ``prune_view``.
        **kwargs: see `FieldsRunConfig`.
    """

    def __init__(
        self,
        keep_field: str,
        saved_view: str,
        saved_stages: Sequence[str],
        parameters: dict[str, Any],
        saved_at: str = "",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.keep_field = keep_field
        self.saved_view = saved_view
        self.saved_stages = list(saved_stages)
        self.saved_at = saved_at
        self.parameters = parameters

    @property
    def method(self) -> str:
        return "pruned_view"


class Pruning(FieldsRun):
    """The run of ``prune_view``; its saved view goes with it."""


class ShapeScoringResults(LabelScoringResults):
    """What ``compute_shape_scores`` found; ``counts`` has ``degenerate``, too."""

    @property
    def degenerate(self) -> list[str]:
        """Ids of the labels whose mask encloses no area; they score 0."""
        return self.record["degenerate"]

    @property
    def class_totals(self) -> ClassTotals:
        """The totals that CB-SCS was balanced with: give them to score new samples later."""
        return ClassTotals.from_list(self.record["class_totals"])


class PruningResults(RecordResults):
    """What ``prune_view`` kept: ``record`` has the selection's report, without the ids."""

    @property
    def counts(self) -> dict[str, int]:
        """Numbers of images and instances, before and after."""
        before, after = self.record["before"], self.record["after"]
        return {
            "images": before["images"],
            "kept_images": after["images"],
            "instances": before["instances"],
            "kept_instances": after["instances"],
        }


class ModelScoringConfig(FieldsRunConfig):
    """Parameters of ``compute_model_scores``.

    Args:
        label_field: the field whose masks or classes were learned and scored.
        field_prefix: what the fields' names begin with.
        log_folder: where the training log and the checkpoint are.
        parameters: of the training and of the scores, all of them.
        **kwargs: see `FieldsRunConfig`.
    """

    def __init__(
        self,
        label_field: str,
        field_prefix: str,
        log_folder: str,
        parameters: dict[str, Any],
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.label_field = label_field
        self.field_prefix = field_prefix
        self.log_folder = log_folder
        self.parameters = parameters

    @property
    def method(self) -> str:
        return "model_scores"


class ModelScoring(LabelScoringRun):
    """The run of ``compute_model_scores``; its training log stays when it is deleted."""


class ModelScoringResults(LabelScoringResults):
    """What ``compute_model_scores`` found."""

    @property
    def seconds(self) -> dict[str, float]:
        """Wall times of ``training`` and ``scoring``, those before a kill included."""
        return self.record["seconds"]

    @property
    def log_folder(self) -> str:
        """Where the training log is: `tfdp.models.score_log.score_log` scores it again."""
        return self.config.log_folder
