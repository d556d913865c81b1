"""Where a network's first weights come from: "none", "imagenet", "coco", or a checkpoint's path."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from .checkpoints import Checkpoint, read_checkpoint
from .options import NAMED_WEIGHTS

if TYPE_CHECKING:
    from .checkpoints import State


def read_start_checkpoint(weights: str, model: str) -> Checkpoint | None:
    """The checkpoint that `weights` names; None where it is a name, not a path.

    Raises:
        ValueError: no such file, or of another model.
    """
    if weights in NAMED_WEIGHTS:
        return None
    if not Path(weights).exists():
        names = ", ".join(NAMED_WEIGHTS)
        raise ValueError(f"expected weights of {names} or a file, found no file {weights!r}")
    checkpoint = read_checkpoint(Path(weights))
    if checkpoint.model not in {"", model}:
        raise ValueError(f"{weights}: expected weights of {model}, found {checkpoint.model}")
    return checkpoint


def download_weights(published: Any) -> State:
    """Published weights, from torch's own cache or the network.

    Args:
        published: a member of one of torchvision's weights enums.

    Raises:
        ValueError: they are not in the cache and could not be downloaded; says what to put where.
    """
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    try:
        state: State = published.get_state_dict(progress=False, check_hash=True)
    except OSError as error:
        raise ValueError(
            f"could not download the weights {published} ({error}): put the file"
            f" {Path(published.url).name}, from {published.url}, into {folder},"
            ' or start from "none" or from a checkpoint of your own'
        ) from error
    return state
