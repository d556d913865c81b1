"""The one table of scores: their names, what they say, and which end of them is kept first.

A score has one name everywhere: on labels, on samples, as a column of a file, as a scorer.
"""

from __future__ import annotations

from typing import NamedTuple


class ScoreField(NamedTuple):
    """One score.

    Attributes:
        name: field, column and scorer name.
        label: what people call it.
        description: what it measures, unit and source, for a sidebar.
        higher_first: whether the highest scores are kept first (False: the lowest).
    """

    name: str
    label: str
    description: str
    higher_first: bool = True


SHAPE_FIELDS = (
    ScoreField(
        "scs",
        "SCS",
        "Shape complexity: perimeter / area of the mask's largest outline, 1/px (TFDP, eq. 8); "
        "on a sample the sum over its instances. High where outlines are complex or small.",
    ),
    ScoreField(
        "si_scs",
        "SI-SCS",
        "Scale-invariant shape complexity: SCS over that of a circle of equal area (TFDP, eq. 11); "
        "on a sample the sum over its instances. About 1 for a disc, higher = more complex.",
    ),
    ScoreField(
        "cb_scs",
        "CB-SCS",
        "Class-balanced shape complexity: the instance's share of its class's SI-SCS (TFDP, "
        "eq. 13); on a sample the sum over its instances (eq. 14). Highest are kept first.",
    ),
)

MODEL_FIELDS = (
    ScoreField(
        "entropy", "Entropy", "Mean entropy of the mask's pixel probabilities (TFDP, eq. 3)."
    ),
    ScoreField("loss", "Loss", "Mean binary cross-entropy of the mask's pixels."),
    ScoreField("el2n", "EL2N", "Mean L2 norm of the pixel errors, at half of the training."),
    ScoreField("forgetting", "Forgetting", "Mean number of times that a pixel was forgotten."),
    ScoreField(
        "aum",
        "AUM",
        "Mean margin of the pixels over the epochs; low = hard or mislabelled = kept first.",
        higher_first=False,
    ),
    ScoreField("dyn_unc", "Dyn-Unc", "Mean spread of the target probability over sliding windows."),
    ScoreField("dual", "DUAL", "Spread times difficulty over sliding windows (DUAL, 2025)."),
)

SCORE_FIELDS = {field.name: field for field in SHAPE_FIELDS + MODEL_FIELDS}


def higher_first(name: str) -> bool:
    """Whether the highest values of a score are kept first; true of a score we do not know."""
    return name not in SCORE_FIELDS or SCORE_FIELDS[name].higher_first
