"""What the App shows: forms, progress, messages. One file an operator; no arithmetic here."""

from .compare_scores import CompareScores
from .compute_model_scores import ComputeModelScores
from .compute_shape_scores import ComputeShapeScores
from .create_pruned_view import CreatePrunedView
from .export_pruned_view import ExportPrunedView
from .manage_runs import ManagePruningRuns
from .pruning_panel import PruningPanel

OPERATORS = [
    ComputeShapeScores,
    ComputeModelScores,
    CreatePrunedView,
    CompareScores,
    ExportPrunedView,
    ManagePruningRuns,
    PruningPanel,
]
