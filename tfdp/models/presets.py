"""Recipes by name: options of a training that go together, and whose they are."""

from __future__ import annotations

from ..options import Preset
from ..registry import Registry

SEGMENTATION_PRESETS: Registry[Preset] = Registry("preset")
CLASSIFICATION_PRESETS: Registry[Preset] = Registry("preset")

SEGMENTATION_PRESETS.add(
    Preset(
        "1x",
        "1x, of COCO",
        "12 epochs, a tenth after 8 and 11, batches of 16: the TFDP paper's for COCO, and the 1x "
        "of Detectron2 and MMDetection",
        {
            "weights": "imagenet",
            "epochs": 12,
            "batch_size": 16,
            "image_size": 800,
            "optimizer": "sgd",
            "learning_rate": 0.02,
            "schedule": "step",
            "weight_decay": 1e-4,
        },
    )
)
SEGMENTATION_PRESETS.add(
    Preset(
        "cityscapes",
        "Cityscapes",
        "8 epochs, a tenth after 7, from COCO's weights: the TFDP paper's; batches of 8 and images "
        "800 to 1024 px high, as in Mask R-CNN's appendix, Detectron2 and MMDetection (which goes "
        "through the images 8 times an epoch: ask for 23800 iterations)",
        {
            "weights": "coco",
            "epochs": 8,
            "batch_size": 8,
            # The longer side, 2048 px, may be 1333/800 of the image size: so these are 800 to 1024.
            "image_size": 1229,
            "scales": (960.0, 998.0, 1037.0, 1075.0, 1114.0, 1152.0, 1190.0, 1229.0),
            "optimizer": "sgd",
            "learning_rate": 0.02,
            "schedule": "step",
            "decay_epochs": (7.0,),
            "weight_decay": 1e-4,
        },
    )
)
SEGMENTATION_PRESETS.add(
    Preset(
        "voc",
        "Pascal VOC",
        "12 epochs, a tenth after 9, batches of 16 at half of COCO's learning rate, 600 px: not "
        "the TFDP paper's, but what MMDetection has for boxes of VOC",
        {
            "weights": "imagenet",
            "epochs": 12,
            "batch_size": 16,
            "image_size": 600,
            "optimizer": "sgd",
            "learning_rate": 0.01,
            "schedule": "step",
            "decay_epochs": (9.0,),
            "weight_decay": 1e-4,
        },
    )
)
