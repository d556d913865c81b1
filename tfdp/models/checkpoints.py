"""Checkpoints: a network's weights with what is needed to go on, or to use them elsewhere."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch

from ..files.regular_files import check_regular_file
from .files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

State = dict[str, Any]
COUNTS = ("image_size", "epoch")
SHOWN = 3  # names in a message
MESSAGE = 120  # characters of torch's own message


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


def _load(path: Path) -> Any:
    """What is in a file of torch's; no code in it is run."""
    try:
        check_regular_file(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what is an error, or else no matter
            return torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise ValueError(f"expected a checkpoint at {path}, found no such file") from error
    except Exception as error:
        found = str(error).strip().partition("\n")[0][:MESSAGE]
        raise ValueError(
            f"{path}: expected a torch checkpoint of weights only: {found or 'it is cut off'}"
        ) from error


def _is_checkpoint(content: dict[str, Any]) -> bool:
    classes = content["classes"]
    return (
        isinstance(content["model"], str)
        and isinstance(classes, list)
        and all(isinstance(name, str) for name in classes)
        and len(set(classes)) == len(classes)
        and all(type(content[name]) is int and content[name] >= 0 for name in COUNTS)
        and isinstance(content["optimizer"], dict)
    )


def read_checkpoint(path: Path) -> Checkpoint:
    """A checkpoint of ours, or any file that holds a state dict; no code in it is run.

    Raises:
        ValueError: no such file, or another kind of file.
    """
    content = _load(path)
    if not isinstance(content, dict):
        raise ValueError(  # noqa: TRY004 - the file is wrong, not the call
            f"{path}: expected a dict of weights, found {type(content).__name__}"
        )
    if set(content) != set(vars(Checkpoint("", [], 0, {}))):
        content = {"model": "", "classes": [], "image_size": 0, "weights": _state(content)}
    elif not _is_checkpoint(content):
        raise ValueError(f"{path}: expected a checkpoint, found one with values of odd types")
    weights = content["weights"]
    if not isinstance(weights, dict) or not all(isinstance(name, str) for name in weights):
        raise ValueError(f"{path}: expected a dict of names and weights, found other things")
    odd = [name for name, value in weights.items() if not _is_plain(value)]
    if odd:
        raise ValueError(f"{path}: expected tensors of real numbers, found others: {_some(odd)}")
    return Checkpoint(**content)


def _state(content: dict[str, Any]) -> Any:
    """The state dict in a file of someone else's: what it has as `model`, or all of it."""
    return content.get("model", content)


def _is_plain(value: Any) -> bool:
    return (
        isinstance(value, torch.Tensor)
        and value.layout == torch.strided
        and not (value.is_quantized or value.is_complex())
    )


def load_weights(network: torch.nn.Module, weights: Mapping[str, Any], source: str) -> None:
    """Load a whole state dict.

    Raises:
        ValueError: it is another network's, or of other classes, or has values that are not finite.
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
    fitting = [n for n in own if n in weights and weights[n].shape == own[n].shape]
    endless = [name for name in fitting if not torch.isfinite(weights[name].float()).all()]
    problems = {
        "missing": missing,
        "unknown": unknown,
        "of another shape": shapes,
        "not finite": endless,
    }
    found = [f"{len(names)} {what} ({_some(names)})" for what, names in problems.items() if names]
    if found:
        raise ValueError(
            f"{source}: expected the weights of this model with these classes, found"
            f" {'; '.join(found)}. Choose the model and the classes that it was trained with"
        )
    network.load_state_dict(weights, strict=False)


def _some(names: list[str]) -> str:
    return ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
