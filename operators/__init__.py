"""What the App shows: forms, progress, messages. One file an operator; no arithmetic here."""

from .compute_shape_scores import ComputeShapeScores
from .create_pruned_view import CreatePrunedView
from .export_pruned_view import ExportPrunedView
from .manage_runs import ManagePruningRuns

OPERATORS = [
    ComputeShapeScores,
    CreatePrunedView,
    ExportPrunedView,
    ManagePruningRuns,
]
