"""Mask R-CNN on torchvision's and timm's backbones, and its mask logits on ground-truth boxes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torchvision.models.detection import MaskRCNN, maskrcnn_resnet50_fpn_v2
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import resnet_fpn_backbone
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor
from torchvision.models.detection.transform import GeneralizedRCNNTransform
from torchvision.ops import FrozenBatchNorm2d

from .box_precision import keep_boxes_in_float32

if TYPE_CHECKING:
    from collections.abc import Sequence

MASK_RCNN_MODELS = (
    "maskrcnn_resnet50_fpn",
    "maskrcnn_resnet50_fpn_v2",
    "maskrcnn_resnet18_fpn",
    "maskrcnn_light",
)
TIMM_PREFIX = "maskrcnn:"  # before the name of a backbone of timm
SUGGESTED_MODELS = (
    *MASK_RCNN_MODELS,
    *(
        f"{TIMM_PREFIX}{backbone}"
        for backbone in (
            "resnet101",
            "resnext101_32x8d",
            "convnext_tiny",
            "swin_tiny_patch4_window7_224",
            "efficientnet_lite0",
        )
    ),
)  # of the many that there are, for a form
LIGHT_BACKBONE = "tf_efficientnet_lite0"
LIGHT_CHANNELS = 64  # of the FPN and the mask head
LIGHT_BOX_CHANNELS = 256
LIGHT_ANCHORS = (16, 32, 64, 128, 256)  # px: half of the usual, for small images
LIGHT_NUMBERS = {
    "rpn_pre_nms_top_n_train": 500,
    "rpn_pre_nms_top_n_test": 500,
    "rpn_post_nms_top_n_train": 200,
    "rpn_post_nms_top_n_test": 200,
    "box_batch_size_per_image": 64,
}
ASPECT_RATIOS = (0.5, 1.0, 2.0)
BOX_SIDE = 7  # cells of a box in the box head
ROIS_AT_ONCE = 64  # in the mask head: 1.1 MB each


class _Transform(GeneralizedRCNNTransform):  # type: ignore[misc]  # torchvision has no types
    """Normalises and pads; torchvision's resizes, too, and images come at their final size."""

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__(0, 0, list(mean), list(std))

    def resize(
        self, image: torch.Tensor, target: dict[str, torch.Tensor] | None = None
    ) -> tuple[torch.Tensor, dict[str, torch.Tensor] | None]:
        return image, target


def find_timm_backbone(model: str) -> str | None:
    """The name of the model's backbone in timm; None where it is torchvision's.

    Raises:
        ValueError: there is no such model.
    """
    if model == "maskrcnn_light":
        return LIGHT_BACKBONE
    if model.startswith(TIMM_PREFIX):
        return model.removeprefix(TIMM_PREFIX)
    if model not in MASK_RCNN_MODELS:
        raise ValueError(
            f"expected a model of {', '.join(MASK_RCNN_MODELS)}, or {TIMM_PREFIX} and the name of a"
            f" backbone of timm, got {model!r}"
        )
    return None


def _on_resnet(model: str, outputs: int, *, pretrained: bool) -> Any:
    if model == "maskrcnn_resnet50_fpn_v2":
        network = maskrcnn_resnet50_fpn_v2(weights=None, weights_backbone=None, num_classes=outputs)
    else:
        small = model == "maskrcnn_resnet18_fpn"
        backbone = resnet_fpn_backbone(
            backbone_name="resnet18" if small else "resnet50",
            weights=None,
            norm_layer=FrozenBatchNorm2d if pretrained else nn.BatchNorm2d,
            trainable_layers=5,
        )
        network = MaskRCNN(backbone, outputs, box_batch_size_per_image=64 if small else 512)
    if pretrained:
        body = network.backbone.body
        for part in (body.conv1, body.bn1, body.layer1):
            part.requires_grad_(requires_grad=False)
    return network


def _light(backbone: Any, outputs: int, **normalisation: Any) -> Any:
    channels = LIGHT_CHANNELS
    return MaskRCNN(
        backbone,
        rpn_anchor_generator=AnchorGenerator(
            tuple((size,) for size in LIGHT_ANCHORS), (ASPECT_RATIOS,) * len(LIGHT_ANCHORS)
        ),
        box_head=TwoMLPHead(channels * BOX_SIDE**2, LIGHT_BOX_CHANNELS),
        box_predictor=FastRCNNPredictor(LIGHT_BOX_CHANNELS, outputs),
        mask_head=MaskRCNNHeads(channels, (channels, channels), 1),
        mask_predictor=MaskRCNNPredictor(channels, channels, outputs),
        **LIGHT_NUMBERS,
        **normalisation,
    )


def _on_timm(model: str, name: str, outputs: int, *, pretrained: bool) -> Any:
    from .timm_backbone import make_timm_backbone, read_normalisation  # takes seconds

    light = model == "maskrcnn_light"
    backbone = make_timm_backbone(name, LIGHT_CHANNELS if light else 256, pretrained=pretrained)
    mean, std = read_normalisation(name)
    make = _light if light else MaskRCNN
    return make(backbone, outputs, image_mean=mean, image_std=std)


def blank_mask_rcnn(model: str, num_classes: int, *, pretrained: bool = False) -> nn.Module:
    """A Mask R-CNN without trained weights, for images that have their final size.

    Its boxes and losses are float32 under autocast, too.

    Args:
        model: one of `MASK_RCNN_MODELS`, or "maskrcnn:" and the name of a backbone of timm. The
            resnet18 one samples 64 boxes an image in training, not 512, and is otherwise the
            resnet50 one's recipe. The light one, which a CPU can train, has narrow heads.
        num_classes: without the background.
        pretrained: trained weights will be loaded: batch norms (but v2's) and the backbone's stem
            and first stage are then kept as they are, as torchvision does; of backbones without
            batch norms, all learns.

    Raises:
        ValueError: there is no such model.
    """
    backbone = find_timm_backbone(model)
    outputs = num_classes + 1
    if backbone is None:
        network = _on_resnet(model, outputs, pretrained=pretrained)
    else:
        network = _on_timm(model, backbone, outputs, pretrained=pretrained)
    network.transform = _Transform(network.transform.image_mean, network.transform.image_std)
    keep_boxes_in_float32(network)
    return network


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
