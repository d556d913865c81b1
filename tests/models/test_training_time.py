"""The estimate of how long a training takes, by hand."""

import pytest

pytest.importorskip("torch", reason="needs the extra `models`")

from tfdp.models.mask_rcnn import SUGGESTED_MODELS
from tfdp.models.training_time import MASK_RCNN_SECONDS, estimate_cpu_seconds


def test_of_a_mask_rcnn():
    fixed, per_megapixel, per_instance = MASK_RCNN_SECONDS["maskrcnn_resnet18_fpn"]
    seconds = estimate_cpu_seconds("maskrcnn_resnet18_fpn", 100, 4, 300, cores=2, instances=5)
    an_image = fixed + per_megapixel * 0.12 + 5 * per_instance  # 300 x 400 px
    assert seconds == pytest.approx(100 * 4 / 2 * an_image)


def test_of_a_classifier():
    seconds = estimate_cpu_seconds("resnet18", 1000, 20, 112, cores=4)
    assert seconds == pytest.approx(1000 * 20 / 4 * 0.11 * 1.814 / 4)  # 1.814 published GFLOPS


def test_of_a_backbone_of_timm_it_goes_by_its_operations():
    def seconds(model):
        return estimate_cpu_seconds(model, 1, 1, 800, cores=1)

    resnet50 = seconds("maskrcnn_resnet50_fpn")
    assert seconds("maskrcnn:resnet50") == pytest.approx(resnet50)
    assert 1.4 * resnet50 < seconds("maskrcnn:resnet101") < 2 * resnet50


def test_all_models_that_a_form_offers_have_one():
    with pytest.raises(ValueError, match="expected the name of a network of timm"):
        estimate_cpu_seconds("maskrcnn:nothing", 1, 1, 100, cores=1)
    assert all(estimate_cpu_seconds(model, 1, 1, 100, cores=1) > 0 for model in SUGGESTED_MODELS)
