"""What a Mask R-CNN starts from, and which classes it then has."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from torchvision.models import ResNet18_Weights, ResNet50_Weights
from torchvision.models.detection.mask_rcnn import (
    MaskRCNN_ResNet50_FPN_V2_Weights,
    MaskRCNN_ResNet50_FPN_Weights,
)
from torchvision.ops import FrozenBatchNorm2d

from .checkpoints import load_weights
from .mask_rcnn import find_timm_backbone
from .start_weights import download_weights, read_start_checkpoint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .checkpoints import State

logger = logging.getLogger(__name__)

BACKBONE_WEIGHTS = {
    "maskrcnn_resnet50_fpn": ResNet50_Weights.IMAGENET1K_V1,
    "maskrcnn_resnet50_fpn_v2": ResNet50_Weights.IMAGENET1K_V1,
    "maskrcnn_resnet18_fpn": ResNet18_Weights.IMAGENET1K_V1,
}
COCO_WEIGHTS = {
    "maskrcnn_resnet50_fpn": MaskRCNN_ResNet50_FPN_Weights.COCO_V1,
    "maskrcnn_resnet50_fpn_v2": MaskRCNN_ResNet50_FPN_V2_Weights.COCO_V1,
}
BODY = "backbone.body."  # before the names of the weights that a backbone has without its FPN
HEADS = {  # layers with outputs for each class, and how many
    "roi_heads.box_predictor.cls_score": 1,
    "roi_heads.box_predictor.bbox_pred": 4,
    "roi_heads.mask_predictor.mask_fcn_logits": 1,
}


def start_classes(model: str, weights: str, labels: Sequence[str], *, train: bool) -> list[str]:
    """The classes of a network that starts from `weights`, background left out.

    Where it is trained, they are the dataset's; untrained, those that the weights know.

    Args:
        model: as `blank_mask_rcnn` takes it.
        weights: "none", "imagenet", "coco", or a file's path.
        labels: the dataset's classes.
        train: whether the network will be trained.

    Raises:
        ValueError: none of the labels is among them, or the file does not fit.
    """
    known = _known_classes(model, weights)
    classes = list(labels) if train or not known else known
    if not set(classes) & set(labels):
        raise ValueError(
            f"expected labels among the {len(classes)} classes of {weights}"
            f" ({', '.join(classes[:5])}, ...), found {', '.join(labels[:5]) or 'none'}"
        )
    return classes


def load_start_weights(network: Any, model: str, weights: str, classes: Sequence[str]) -> None:
    """Load what the network starts from; heads of classes that the weights lack stay random.

    Args:
        network: as `blank_mask_rcnn` made it.
        model: its name.
        weights: "none", "imagenet", "coco", or a file's path.
        classes: the network's, background left out.

    Raises:
        ValueError: the weights are not there, or do not fit.
    """
    backbone = find_timm_backbone(model)
    checkpoint = read_start_checkpoint(weights, model)
    if checkpoint is None and weights == "imagenet":
        _load_body(network, _download_body(model, backbone), weights)
    elif checkpoint is None and weights == "coco":
        known = _known_classes(model, weights)
        _load_whole(network, _download_coco(network, model), weights, known, classes)
    elif checkpoint is not None and backbone and _is_of_backbone(checkpoint.weights):
        from .timm_backbone import adapt_backbone  # takes seconds

        _load_body(network, adapt_backbone(backbone, checkpoint.weights, weights), weights)
    elif checkpoint is not None:
        known = checkpoint.classes or list(classes)
        _load_whole(network, checkpoint.weights, weights, known, classes)


def _is_of_backbone(state: State) -> bool:
    return not any(name.startswith("backbone.") for name in state)


def _known_classes(model: str, weights: str) -> list[str]:
    """The classes that the weights can tell; empty where they say none."""
    checkpoint = read_start_checkpoint(weights, model)
    if checkpoint is not None:
        return checkpoint.classes
    return list(_coco_weights(model).meta["categories"][1:]) if weights == "coco" else []


def _coco_weights(model: str) -> Any:
    if model not in COCO_WEIGHTS:
        raise ValueError(
            f'there are no COCO weights of {model}: expected "none", "imagenet" or a checkpoint,'
            f" or a model of {', '.join(COCO_WEIGHTS)}"
        )
    return COCO_WEIGHTS[model]


def _download_body(model: str, backbone: str | None) -> State:
    if backbone is None:
        published = download_weights(BACKBONE_WEIGHTS[model])
        return {name: value for name, value in published.items() if not name.startswith("fc.")}
    from .timm_backbone import download_backbone  # takes seconds

    return download_backbone(backbone)


def _download_coco(network: Any, model: str) -> State:
    published = _coco_weights(model)
    state = download_weights(published)
    if published is MaskRCNN_ResNet50_FPN_Weights.COCO_V1:  # trained with eps = 0 in batch norms
        eps = next(m.eps for m in network.modules() if isinstance(m, FrozenBatchNorm2d))
        state = {k: v - eps if k.endswith("running_var") else v for k, v in state.items()}
    return state


def _load_body(network: Any, state: State, source: str) -> None:
    own = network.state_dict()
    rest = {name: value for name, value in own.items() if not name.startswith(BODY)}
    load_weights(network, rest | {f"{BODY}{name}": v for name, v in state.items()}, source)


def _load_whole(
    network: Any, state: State, source: str, known: Sequence[str], classes: Sequence[str]
) -> None:
    if list(known) != list(classes):
        state = map_heads(state, network.state_dict(), known, classes)
        taken = [name for name in classes if name in known]
        logger.warning(
            "%s: the heads of %d of %d classes are taken over, by their names (%s)",
            source,
            len(taken),
            len(classes),
            ", ".join(taken) or "none",
        )
    load_weights(network, state, source)


def map_heads(state: State, own: State, known: Sequence[str], classes: Sequence[str]) -> State:
    """Weights of known classes in the places of the classes of the same names.

    Args:
        state: of a Mask R-CNN with the known classes.
        own: of one with the classes; what is not known stays as it is here.
        known: the classes of `state`, without the background, which is taken over.
        classes: those of `own`.
    """
    here = [0, *(n + 1 for n, name in enumerate(classes) if name in known)]
    there = [0, *(known.index(name) + 1 for name in classes if name in known)]
    mapped = dict(state)
    for layer, width in HEADS.items():
        for name in (f"{layer}.weight", f"{layer}.bias"):
            values = own[name].clone().unflatten(0, (-1, width))
            values[here] = state[name].unflatten(0, (-1, width))[there].to(values)
            mapped[name] = values.flatten(0, 1)
    return mapped
