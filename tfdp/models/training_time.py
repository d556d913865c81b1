"""How long a training takes on the CPU: an estimate, for a warning before it."""

from __future__ import annotations

from torchvision import models

# Processor seconds an image and epoch, training and scoring: (fixed, for each megapixel that the
# network sees). Measured on one core of an AMD EPYC server, 5 instances an image, at 64, 256 and
# 512 px; resnet50_fpn_v2 at 256 px alone, 1.8 times as long as resnet50_fpn.
MASK_RCNN_SECONDS = {
    "maskrcnn_resnet18_fpn": (0.8, 5.0),
    "maskrcnn_resnet50_fpn": (1.3, 12.0),
    "maskrcnn_resnet50_fpn_v2": (2.4, 22.0),
}
SECONDS_A_GIGAFLOP = 0.11  # the same of classifiers, by the operations that torchvision publishes
PUBLISHED_AT = 224  # px
SCORING_SHARE = 0.15  # of an epoch
ASPECT = 4 / 3


def estimate_cpu_seconds(
    model: str, images: int, epochs: int, image_size: int, cores: int
) -> float:
    """Wall time on the CPU, right within a factor of two or three.

    Args:
        model: a Mask R-CNN or a classifier.
        images: to learn and score.
        epochs: 0 for one scoring pass.
        image_size: px.
        cores: that do nothing else.
    """
    if model in MASK_RCNN_SECONDS:
        fixed, per_megapixel = MASK_RCNN_SECONDS[model]
        an_image = fixed + per_megapixel * ASPECT * image_size**2 / 1e6
    else:
        gigaflops = models.get_model_weights(model).DEFAULT.meta["_ops"]
        an_image = SECONDS_A_GIGAFLOP * gigaflops * (image_size / PUBLISHED_AT) ** 2
    return images * (epochs or SCORING_SHARE) * an_image / cores
