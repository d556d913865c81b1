"""torchvision's Mask R-CNN, sized to a dataset, and its mask logits on ground-truth boxes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torchvision.models import ResNet18_Weights, ResNet50_Weights
from torchvision.models.detection import MaskRCNN, maskrcnn_resnet50_fpn_v2
from torchvision.models.detection.backbone_utils import resnet_fpn_backbone
from torchvision.models.detection.mask_rcnn import (
    MaskRCNN_ResNet50_FPN_V2_Weights,
    MaskRCNN_ResNet50_FPN_Weights,
)
from torchvision.models.detection.transform import GeneralizedRCNNTransform
from torchvision.ops import FrozenBatchNorm2d

from .box_precision import keep_boxes_in_float32
from .checkpoints import load_weights
from .start_weights import download_weights, read_start_checkpoint

if TYPE_CHECKING:
    from collections.abc import Sequence

MASK_RCNN_MODELS = ("maskrcnn_resnet50_fpn", "maskrcnn_resnet50_fpn_v2", "maskrcnn_resnet18_fpn")
ROIS_AT_ONCE = 64  # in the mask head: 1.1 MB each
BACKBONE_WEIGHTS = {
    "maskrcnn_resnet50_fpn": ResNet50_Weights.IMAGENET1K_V1,
    "maskrcnn_resnet50_fpn_v2": ResNet50_Weights.IMAGENET1K_V1,
    "maskrcnn_resnet18_fpn": ResNet18_Weights.IMAGENET1K_V1,
}
COCO_WEIGHTS = {
    "maskrcnn_resnet50_fpn": MaskRCNN_ResNet50_FPN_Weights.COCO_V1,
    "maskrcnn_resnet50_fpn_v2": MaskRCNN_ResNet50_FPN_V2_Weights.COCO_V1,
}
HEADS = ("roi_heads.box_predictor.", "roi_heads.mask_predictor.mask_fcn_logits.")


class _Transform(GeneralizedRCNNTransform):  # type: ignore[misc]  # torchvision has no types
    """Normalises and pads; torchvision's resizes, too, and images come at their final size."""

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__(0, 0, list(mean), list(std))

    def resize(
        self, image: torch.Tensor, target: dict[str, torch.Tensor] | None = None
    ) -> tuple[torch.Tensor, dict[str, torch.Tensor] | None]:
        return image, target


def blank_mask_rcnn(model: str, num_classes: int, *, pretrained: bool = False) -> nn.Module:
    """A Mask R-CNN without trained weights, for images that have their final size.

    Its boxes and losses are float32 under autocast, too.

    Args:
        model: one of `MASK_RCNN_MODELS`. The resnet18 one, for quick looks, samples 64 boxes an
            image in training, not 512, and is otherwise the resnet50 one's recipe.
        num_classes: without the background.
        pretrained: trained weights will be loaded: batch norms (but v2's) and the backbone's stem
            and first stage are then kept as they are, as torchvision does.

    Raises:
        ValueError: another model.
    """
    if model not in MASK_RCNN_MODELS:
        raise ValueError(f"expected a model of {', '.join(MASK_RCNN_MODELS)}, got {model!r}")
    if model == "maskrcnn_resnet50_fpn_v2":
        network = maskrcnn_resnet50_fpn_v2(
            weights=None, weights_backbone=None, num_classes=num_classes + 1
        )
    else:
        small = model == "maskrcnn_resnet18_fpn"
        backbone = resnet_fpn_backbone(
            backbone_name="resnet18" if small else "resnet50",
            weights=None,
            norm_layer=FrozenBatchNorm2d if pretrained else nn.BatchNorm2d,
            trainable_layers=5,
        )
        network = MaskRCNN(backbone, num_classes + 1, box_batch_size_per_image=64 if small else 512)
    if pretrained:
        body = network.backbone.body
        for part in (body.conv1, body.bn1, body.layer1):
            part.requires_grad_(requires_grad=False)
    network.transform = _Transform(network.transform.image_mean, network.transform.image_std)
    keep_boxes_in_float32(network)
    return network


def start_classes(model: str, weights: str, labels: Sequence[str], *, train: bool) -> list[str]:
    """The classes of a network that starts from `weights`, background left out.

    A checkpoint brings its own, and so do COCO's weights where they are used untrained; else they
    are the dataset's.

    Args:
        model: one of `MASK_RCNN_MODELS`.
        weights: "none", "imagenet", "coco", or a checkpoint's path.
        labels: the dataset's classes.
        train: whether the network will be trained.

    Raises:
        ValueError: none of the labels is among them, or the checkpoint does not fit.
    """
    checkpoint = read_start_checkpoint(weights, model)
    classes = list(labels)
    if checkpoint is not None and checkpoint.classes:
        classes = checkpoint.classes
    elif weights == "coco" and not train:
        classes = list(_coco_weights(model).meta["categories"][1:])
    if not set(classes) & set(labels):
        raise ValueError(
            f"expected labels among the {len(classes)} classes of {weights}"
            f" ({', '.join(classes[:5])}, ...), found {', '.join(labels[:5]) or 'none'}"
        )
    return classes


def load_start_weights(network: Any, model: str, weights: str) -> None:
    """Load what the network starts from; the heads of other classes stay random.

    Raises:
        ValueError: the weights are not there, or do not fit.
    """
    checkpoint = read_start_checkpoint(weights, model)
    if checkpoint is not None:
        load_weights(network, checkpoint.weights, weights)
    elif weights == "imagenet":
        body = network.backbone.body
        published = download_weights(BACKBONE_WEIGHTS[model])
        body.load_state_dict({k: v for k, v in published.items() if k in body.state_dict()})
    elif weights == "coco":
        _load_coco(network, model)


def mask_logits(
    network: Any,
    images: list[torch.Tensor],
    boxes: list[torch.Tensor],
    labels: torch.Tensor,
) -> torch.Tensor:
    """Mask logits on ground-truth boxes, in eval mode: backbone and mask head, nothing else.

    Args:
        network: a torchvision Mask R-CNN.
        images: (3, h, w) each, in [0, 1], at the network's own size.
        boxes: (n_i, 4) each, x1, y1, x2, y2 px.
        labels: (sum n_i,) int64, 1 = the first class: the channels that are picked.

    Returns:
        (sum n_i, 28, 28) logits z of the label's channel.
    """
    network.eval()
    batch, _ = network.transform(images)
    features = network.backbone(batch.tensors)
    heads = network.roi_heads
    pooled = heads.mask_roi_pool(features, boxes, batch.image_sizes)
    picked = [
        heads.mask_predictor(heads.mask_head(rois))[torch.arange(len(rois)), channel]
        for rois, channel in zip(
            torch.split(pooled, ROIS_AT_ONCE), torch.split(labels, ROIS_AT_ONCE), strict=True
        )
    ]
    return torch.cat(picked)


def _coco_weights(model: str) -> Any:
    if model not in COCO_WEIGHTS:
        raise ValueError(
            f'there are no COCO weights of {model}: expected "none", "imagenet" or a checkpoint,'
            f" or a model of {', '.join(COCO_WEIGHTS)}"
        )
    return COCO_WEIGHTS[model]


def _load_coco(network: nn.Module, model: str) -> None:
    published = _coco_weights(model)
    state = download_weights(published)
    own = network.state_dict()
    if published is MaskRCNN_ResNet50_FPN_Weights.COCO_V1:  # trained with eps = 0 in batch norms
        eps = next(m.eps for m in network.modules() if isinstance(m, FrozenBatchNorm2d))
        state = {k: v - eps if k.endswith("running_var") else v for k, v in state.items()}
    for key in [k for k in state if k.startswith(HEADS) and state[k].shape != own[k].shape]:
        state[key] = own[key]
    load_weights(network, state, f"{published}")
