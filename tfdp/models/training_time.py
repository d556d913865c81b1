"""How long a training takes on the CPU: an estimate, for a warning before it."""

from __future__ import annotations

import functools

import torch
from torch.utils.flop_counter import FlopCounterMode
from torchvision import models

from .mask_rcnn import TIMM_PREFIX

# Processor seconds an image and epoch, training and scoring: (fixed, for each megapixel that the
# network sees, for each instance). Measured by `python -m benchmarks.networks` on one core of an
# AMD EPYC server that was busy, at 160 and 320 px, with 5 and 30 instances an image;
# resnet50_fpn_v2 is taken as 1.8 times resnet50_fpn.
MASK_RCNN_SECONDS = {
    "maskrcnn_light": (0.05, 2.8, 0.001),
    "maskrcnn_resnet18_fpn": (0.8, 10.0, 0.016),
    "maskrcnn_resnet50_fpn": (1.2, 17.0, 0.016),
    "maskrcnn_resnet50_fpn_v2": (2.2, 31.0, 0.03),
}
LIKE_TIMM = "maskrcnn_resnet50_fpn"  # what a backbone of timm is put into
SECONDS_A_GIGAFLOP = 0.11  # the same of classifiers, by the operations that torchvision publishes
PUBLISHED_AT = 224  # px
SCORING_SHARE = 0.15  # of an epoch
ASPECT = 4 / 3
USUAL_INSTANCES = 7  # an image, in COCO


@functools.cache
def _count_operations(name: str) -> int:
    """Of a backbone of timm with its FPN, on one image; without any arithmetic."""
    from .timm_backbone import make_timm_backbone  # takes seconds

    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        make_timm_backbone(name, 256, pretrained=False)(torch.zeros(1, 3, 224, 224))
    return counter.get_total_flops()


def _find_seconds(model: str) -> tuple[float, float, float]:
    if not model.startswith(TIMM_PREFIX):
        return MASK_RCNN_SECONDS[model]
    operations = _count_operations(model.removeprefix(TIMM_PREFIX))
    fixed, per_megapixel, per_instance = MASK_RCNN_SECONDS[LIKE_TIMM]
    return fixed, per_megapixel * operations / _count_operations("resnet50"), per_instance


def estimate_cpu_seconds(
    model: str,
    images: int,
    epochs: int,
    image_size: int,
    cores: int,
    instances: float = USUAL_INSTANCES,
) -> float:
    """Wall time on the CPU, right within a factor of two or three.

    On a backbone of timm, it is ResNet-50's, by the number of their operations: a third too
    little for ConvNeXt and EfficientNet as they were measured.

    Args:
        model: a Mask R-CNN or a classifier.
        images: to learn and score.
        epochs: 0 for one scoring pass.
        image_size: px.
        cores: that do nothing else.
        instances: an image, of a Mask R-CNN.

    Raises:
        ValueError: there is no such model.
    """
    if model in MASK_RCNN_SECONDS or model.startswith(TIMM_PREFIX):
        fixed, per_megapixel, per_instance = _find_seconds(model)
        megapixels = ASPECT * image_size**2 / 1e6
        an_image = fixed + per_megapixel * megapixels + per_instance * instances
    else:
        gigaflops = models.get_model_weights(model).DEFAULT.meta["_ops"]
        an_image = SECONDS_A_GIGAFLOP * gigaflops * (image_size / PUBLISHED_AT) ** 2
    return images * (epochs or SCORING_SHARE) * an_image / cores
