"""Checkpoints: a network's weights with what is needed to go on, or to use them elsewhere."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch

from .files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

State = dict[str, Any]
SHOWN = 3  # names in a message


@dataclass(frozen=True)
class Checkpoint:
    """A network after some epochs.

    Attributes:
        model: its name; empty where the file does not say (a plain state dict).
        classes: its classes, background left out; empty where the file does not say.
        image_size: px of the shorter side; 0 where the file does not say.
        weights: the network's state dict.
        epoch: number of finished epochs.
        optimizer: the optimizer's state dict.
    """

    model: str
    classes: list[str]
    image_size: int
    weights: State
    epoch: int = 0
    optimizer: State = field(default_factory=dict)


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Replace the file at `path` by a new checkpoint; the old one stays where that fails.

    Raises:
        OSError: it could not be written.
    """
    content = io.BytesIO()  # torch hides a full disk in errors of its own when it writes to a file
    torch.save(vars(checkpoint), content)
    with write_atomically(path) as file:
        file.write(content.getbuffer())


def read_checkpoint(path: Path) -> Checkpoint:
    """A checkpoint of ours, or any file that holds a state dict; no code in it is run.

    Raises:
        ValueError: no such file, or another kind of file.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise ValueError(f"expected a checkpoint at {path}, found no such file") from error
    except Exception as error:
        raise ValueError(f"{path}: expected a torch checkpoint of weights only: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(  # noqa: TRY004 - the file is wrong, not the call
            f"{path}: expected a dict of weights, found {type(content).__name__}"
        )
    if set(vars(Checkpoint("", [], 0, {}))) == set(content):
        return Checkpoint(**content)
    return Checkpoint(model="", classes=[], image_size=0, weights=content.get("model", content))


def load_weights(network: torch.nn.Module, weights: Mapping[str, Any], source: str) -> None:
    """Load a whole state dict.

    Raises:
        ValueError: it is another network's, or of other classes.
    """
    own = network.state_dict()
    missing = [name for name in own if name not in weights]
    unknown = [
        name
        for name in weights
        if name not in own and not name.endswith("num_batches_tracked")  # of unfrozen batch norms
    ]
    shapes = [
        f"{name} {tuple(weights[name].shape)} for {tuple(own[name].shape)}"
        for name in own
        if name in weights and weights[name].shape != own[name].shape
    ]
    problems = {"missing": missing, "unknown": unknown, "of another shape": shapes}
    found = [f"{len(names)} {what} ({_some(names)})" for what, names in problems.items() if names]
    if found:
        raise ValueError(
            f"{source}: expected the weights of this model with these classes, found"
            f" {'; '.join(found)}. Choose the model and the classes that it was trained with"
        )
    network.load_state_dict(weights, strict=False)


def _some(names: list[str]) -> str:
    return ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
