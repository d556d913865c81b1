"""Scores of an image from a classifier's logits: what `pixel_scores` is for a mask's pixel."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from torch.nn.functional import cross_entropy, log_softmax, one_hot

if TYPE_CHECKING:
    import torch


class ClassScores(NamedTuple):
    """(n,) each; in a training log's names."""

    entropy: torch.Tensor  # of the softmax, nats
    loss: torch.Tensor  # cross-entropy, nats
    el2n: torch.Tensor  # norm of softmax - one-hot (Paul et al. 2021)
    margin: torch.Tensor  # z_y - the largest of the others (Pleiss et al. 2020)
    target_probability: torch.Tensor  # softmax of the image's class


def score_class_logits(logits: torch.Tensor, labels: torch.Tensor) -> ClassScores:
    """Every score of one forward pass.

    Args:
        logits: (n, C) z, of two classes or more.
        labels: (n,) int64 y, the image's class.
    """
    log_p = log_softmax(logits, dim=1)
    p = log_p.exp()
    truth = one_hot(labels, logits.shape[1]).bool()
    others = logits.masked_fill(truth, -float("inf")).amax(dim=1)
    return ClassScores(
        entropy=-(p * log_p).sum(dim=1),
        loss=cross_entropy(logits, labels, reduction="none"),
        el2n=(p - truth.float()).norm(dim=1),
        margin=logits[truth] - others,
        target_probability=p[truth],
    )
