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

_DYN_UNC = {  # configs, main_and_produce.py and get_coreset.py of BAAI-DCAI/Dataset-Pruning
    "weights": "none",
    "image_size": 224,
    "flips": True,
    "crops": True,
    "auto_augment": True,
    "log_while_training": True,
    "window": 10,
    "windows": "released",
}
_DYN_UNC_ADAMW = _DYN_UNC | {
    "epochs": 300,
    "optimizer": "adamw",
    "weight_decay": 0.05,
    "schedule": "cosine",
    "warm_up_epochs": 20.0,
    "label_smoothing": 0.1,
}
CLASSIFICATION_PRESETS.add(
    Preset(
        "dyn_unc",
        "Dyn-Unc, Swin-T",
        "as published (He et al. 2023), by the authors' configuration for ImageNet-1K",
        _DYN_UNC_ADAMW
        | {
            "model": "swin_t",
            "batch_size": 1024,
            "learning_rate": 0.001 * 256 / 1024,
            "gradient_clip": 5.0,
        },
    )
)
CLASSIFICATION_PRESETS.add(
    Preset(
        "dyn_unc_convnext",
        "Dyn-Unc, ConvNeXt-T",
        "by the authors' configuration for ImageNet-1K",
        _DYN_UNC_ADAMW
        | {"model": "convnext_tiny", "batch_size": 2048, "learning_rate": 0.008 * 256 / 2048},
    )
)
CLASSIFICATION_PRESETS.add(
    Preset(
        "dyn_unc_resnet50",
        "Dyn-Unc, ResNet-50",
        "by the authors' configuration for ImageNet-1K",
        _DYN_UNC
        | {
            "model": "resnet50",
            "epochs": 90,
            "batch_size": 2048,
            "learning_rate": 0.8 * 256 / 2048,
            "decay_epochs": (30.0, 60.0),
            "warm_up_epochs": 0.0,
        },
    )
)
