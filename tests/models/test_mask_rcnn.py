"""The network: its heads, its images, and its masks on ground-truth boxes."""

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `models`")

from tfdp.models import mask_rcnn  # noqa: E402
from tfdp.models.training import seeded  # noqa: E402


@pytest.fixture(scope="module")
def network():
    with seeded(0, 0):
        return mask_rcnn.blank_mask_rcnn("maskrcnn_light", 3)


def all_logits(network, images, boxes):
    """(n, classes + 1, 28, 28): torchvision's own forward, made to detect the given boxes alone."""
    batch, _ = network.transform(images)
    features = network.backbone(batch.tensors)
    heads = network.roi_heads
    return heads.mask_predictor(
        heads.mask_head(heads.mask_roi_pool(features, boxes, batch.image_sizes))
    )


def test_mask_logits_are_those_of_the_whole_network(network):
    images = [torch.rand(3, 64, 80), torch.rand(3, 70, 64)]
    boxes = [torch.tensor([[2.0, 3, 40, 50], [30, 5, 79, 60]]), torch.tensor([[0.0, 0, 64, 70]])]
    labels = [torch.tensor([1, 3]), torch.tensor([2])]
    with torch.inference_mode():
        logits = mask_rcnn.mask_logits(network.train(), images, boxes, torch.cat(labels))
        every = all_logits(network, images, boxes)
    assert logits.shape == (3, 28, 28)
    expected = torch.stack([every[0, 1], every[1, 3], every[2, 2]])
    torch.testing.assert_close(logits, expected)
    assert not torch.allclose(every[0, 1], every[0, 0], atol=0.01)  # each channel its own
    assert not network.training


def test_mask_logits_of_many_boxes_stay_in_their_order(network):
    """More than the mask head takes at once, each box and its neighbour's label another."""
    many = mask_rcnn.ROIS_AT_ONCE + 6
    corners = torch.arange(many)[:, None] % torch.tensor([13.0, 7])
    boxes = [torch.cat([corners, corners + 20 + corners.flip(1)], dim=1)]
    labels = torch.arange(many) % 3 + 1
    image = torch.rand(3, 64, 80)
    with torch.inference_mode():
        logits = mask_rcnn.mask_logits(network, [image], boxes, labels)
        every = all_logits(network, [image], boxes)
    expected = torch.stack([every[n, label] for n, label in enumerate(labels)])
    torch.testing.assert_close(logits, expected)


@pytest.mark.parametrize("train", [True, False])
def test_images_and_boxes_are_not_resized_again(network, train):
    boxes = torch.tensor([[0.0, 0, 1, 1]])
    targets = [{"boxes": boxes, "masks": torch.ones(1, *size)} for size in ((40, 300), (1, 107))]
    images = [torch.rand(3, 40, 300), torch.rand(3, 1, 107)]
    batch, moved = network.train(train).transform(images, targets)
    assert batch.image_sizes == [(40, 300), (1, 107)]
    assert batch.tensors.shape == (2, 3, 64, 320)
    assert all(torch.equal(target["boxes"], boxes) for target in moved)
    assert moved[0]["masks"].shape == (1, 40, 300)


@pytest.mark.parametrize("model", mask_rcnn.MASK_RCNN_MODELS)
def test_heads_have_the_datasets_classes(model):
    with torch.device("meta"):
        heads = mask_rcnn.blank_mask_rcnn(model, 5, pretrained=True).roi_heads
    assert heads.box_predictor.cls_score.out_features == 6
    assert heads.mask_predictor.mask_fcn_logits.out_channels == 6


def test_an_unknown_model_is_refused():
    with pytest.raises(ValueError, match=r"expected a model of .* or maskrcnn: and the name"):
        mask_rcnn.blank_mask_rcnn("yolo", 3)
