"""Dyn-Unc's presets against the authors' configurations, as their repository has them."""

import pytest

from tfdp.models.options import ClassificationOptions
from tfdp.models.presets import CLASSIFICATION_PRESETS

# TRAIN.BASE_LR is for the whole batch of all GPUs, DATA.BATCH_SIZE_TRAIN of each of 8
PUBLISHED = {
    "dyn_unc": {  # configs/swin-tiny-1k.yaml
        "model": "swin_t", "epochs": 300, "batch": 1024, "rate": 0.001, "optimizer": "adamw", "schedule": "cosine",
        "warm_up_epochs": 20, "weight_decay": 0.05, "gradient_clip": 5, "label_smoothing": 0.1,
    },
    "dyn_unc_convnext": {  # configs/convnext-tiny-1k.yaml
        "model": "convnext_tiny", "epochs": 300, "batch": 2048, "rate": 0.008, "optimizer": "adamw", "schedule": "cosine",
        "warm_up_epochs": 20, "weight_decay": 0.05, "gradient_clip": None, "label_smoothing": 0.1,
    },
    "dyn_unc_resnet50": {  # configs/resnet50-1k-90.yaml
        "model": "resnet50", "epochs": 90, "batch": 2048, "rate": 0.8, "optimizer": "sgd", "schedule": "step",
        "decay_epochs": (30, 60), "warm_up_epochs": 0, "weight_decay": 1e-4, "gradient_clip": None, "label_smoothing": 0,
    },
}  # fmt: skip
OF_ALL = {  # data/build_produce.py, main_and_produce.py, get_coreset.py
    "weights": "none", "image_size": 224, "flips": True, "crops": True, "auto_augment": True,
    "log_while_training": True, "window": 10, "windows": "released",
}  # fmt: skip


@pytest.mark.parametrize("name", CLASSIFICATION_PRESETS)
def test_a_preset_is_the_authors_configuration(name):
    asked = ClassificationOptions.given(preset=name)
    published = PUBLISHED[name] | OF_ALL
    assert asked.batch_size == published.pop("batch")
    assert asked.learning_rate * asked.batch_size / 256 == pytest.approx(published.pop("rate"))
    assert {option: getattr(asked, option) for option in published} == published


def test_what_is_given_goes_before_the_preset():
    asked = ClassificationOptions.given(preset="dyn_unc", model="resnet18", epochs=30)
    assert (asked.model, asked.epochs, asked.optimizer) == ("resnet18", 30, "adamw")
