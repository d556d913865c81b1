"""The optimizers that a recipe can ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from .recipe import Recipe


def make_optimizer(recipe: Recipe, network: torch.nn.Module) -> torch.optim.Optimizer:
    """The optimizer of a network's weights that are to be learned.

    SGD decays all of them, as torchvision's recipes do; AdamW only matrices and kernels, not norms
    and biases, as those of transformers do.
    """
    learned = [p for p in network.parameters() if p.requires_grad]
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(
            learned, recipe.learning_rate, recipe.momentum, weight_decay=recipe.weight_decay
        )
    kernels = [p for p in learned if p.ndim > 1]
    others = [p for p in learned if p.ndim <= 1]
    groups: list[dict[str, Any]] = [
        {"params": kernels},
        {"params": others, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, recipe.learning_rate, weight_decay=recipe.weight_decay)


def take_step(optimizer: torch.optim.Optimizer, rate: float, clip: float | None) -> None:
    """A step by the gradients that are there, cut to the norm `clip` together; spends them."""
    if clip is not None:
        torch.nn.utils.clip_grad_norm_(
            [p for group in optimizer.param_groups for p in group["params"]], clip
        )
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.step()
    optimizer.zero_grad()
