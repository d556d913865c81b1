"""Scores of one pixel from its logit: the paper's adapted baselines (TFDP, section 3.2, eq. 3).

A mask head's pixel is a two-class decision with logit z and target t in {0, 1}. Every score below
depends on the two through the margin m = (2t - 1) z alone: q = sigmoid(m) is the probability of the
target, and abs(p - t) = 1 - q. One definition serves numpy arrays and torch tensors, on any device.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:
    from types import ModuleType

Array = TypeVar("Array")  # numpy.ndarray | torch.Tensor


def margin(logits: Array, target: Any) -> Array:
    """Logit of the target, m = (2t - 1) z. Low = harder.

    Args:
        logits: (...) z, of the foreground.
        target: (...) t, bool or {0, 1}.
    """
    result: Array = (2 * target - 1) * logits
    return result


def entropy(margins: Array) -> Array:
    """Binary entropy -p ln p - (1 - p) ln(1 - p), nats, at most ln 2. High = harder.

    It is even in z, so the margin gives the same value as the logit.
    """
    q, other = target_probability(margins), target_probability(-margins)  # type: ignore[operator]
    result: Array = q * _softplus(-margins) + other * _softplus(margins)  # type: ignore[operator]
    return result


def loss(margins: Array) -> Array:
    """Binary cross-entropy -ln q, nats. High = harder. The released code calls it entropy."""
    return _softplus(-margins)  # type: ignore[operator]


def el2n(margins: Array) -> Array:
    """Error norm sqrt(2) abs(p - t) of the two-class softmax of [0, z]. High = harder.

    At most sqrt(2). Source: EL2N, Paul et al. 2021, for two classes.
    """
    result: Array = math.sqrt(2) * target_probability(-margins)  # type: ignore[operator]
    return result


def target_probability(margins: Array) -> Array:
    """Probability q = sigmoid(m) that the model gives the target. Low = harder."""
    return _namespace(margins).exp(-_softplus(-margins))  # type: ignore[operator]


def correct(margins: Any) -> Any:
    """Whether the pixel is on its target's side, m > 0; an undecided pixel (z = 0) is not."""
    return margins > 0


def _softplus(x: Array) -> Array:
    """ln(1 + e^x) without overflow."""
    namespace = _namespace(x)
    return namespace.logaddexp(x, namespace.zeros_like(x))


def _namespace(array: Any) -> ModuleType:
    if isinstance(array, (np.ndarray, np.generic)):
        return np
    import torch

    return torch
