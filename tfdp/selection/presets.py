"""Selections by name: options that go together, and whose they are."""

from __future__ import annotations

from ..options import Preset
from ..registry import Registry

SELECTION_PRESETS: Registry[Preset] = Registry("preset")

SELECTION_PRESETS.add(
    Preset(
        "ccs",
        "CCS",
        "coverage-centric selection by AUM: the hardest tenth is left out, the rest drawn from all "
        "strata (Zheng et al. 2023; the share is that of TFDP's released code)",
        {"scorer": "aum", "aggregation": "mean", "policy": "stratified", "beta": 0.1},
    )
)
