"""Under bfloat16 autocast the boxes stay exact: on the CPU, as on CUDA."""

import copy

import pytest

torch = pytest.importorskip("torch", reason="needs the extra `models`")

from torchvision.ops import box_iou  # noqa: E402

from tfdp.models.data import load_example  # noqa: E402
from tfdp.models.mask_rcnn import blank_mask_rcnn  # noqa: E402
from tfdp.models.training import seeded  # noqa: E402
from tfdp.sources.formats import open_sources  # noqa: E402
from tfdp.sources.records import read_records  # noqa: E402

BOXES = torch.tensor([[301.3, 20.6, 318.9, 41.2], [257.7, 70.1, 266.4, 79.8]])


def autocast():
    return torch.autocast("cpu", torch.bfloat16)


@pytest.fixture(scope="module")
def network():
    with seeded(0, 0):
        return blank_mask_rcnn("maskrcnn_resnet18_fpn", 3).train()


@pytest.fixture
def targets():
    masks = torch.zeros(2, 96, 320, dtype=torch.uint8)
    masks[0, 21:41, 301:319] = masks[1, 70:80, 258:266] = 1
    return [{"boxes": BOXES, "labels": torch.tensor([1, 2]), "masks": masks}]


class Given(torch.nn.Module):
    """Gives what was kept of another layer."""

    def __init__(self, output):
        super().__init__()
        self.output = output

    def forward(self, _):
        return self.output


def test_proposals_are_those_of_float32_arithmetic_on_the_same_head(network):
    batch, _ = network.transform([torch.rand(3, 96, 320)])
    rpn, said = copy.deepcopy(network.rpn).eval(), []
    rpn.head.register_forward_hook(lambda *call: said.append(call[-1]))
    with torch.no_grad(), autocast():
        (proposals,), _ = rpn(batch, network.backbone(batch.tensors))
    with torch.no_grad():
        features = network.backbone(batch.tensors)
        rpn.head = Given([[map_.float() for map_ in maps] for maps in said[0]])
        (expected,), _ = rpn(batch, features)
    assert len(proposals) > 100
    assert proposals.dtype == torch.float32
    torch.testing.assert_close(proposals, expected, rtol=0, atol=0)


def test_ground_truth_boxes_are_sampled_as_they_are(network, targets):
    batch, targets = network.transform([torch.rand(3, 96, 320)], targets)
    with autocast():
        proposals, _ = network.rpn(batch, network.backbone(batch.tensors), targets)
        (sampled,), *_ = network.roi_heads.select_training_samples(proposals, targets)
    assert box_iou(sampled, BOXES).max(0).values.tolist() == [1, 1]


def test_losses_are_float32_and_those_without_autocast_but_for_rounding(network, targets):
    image = torch.rand(3, 96, 320, generator=torch.Generator().manual_seed(0))
    with seeded(0, 1):
        exact = network([image], targets)
    with seeded(0, 1), autocast():
        losses = network([image], targets)
    for loss in losses.values():
        assert loss.dtype == torch.float32
        assert torch.isfinite(loss)
    for name in (
        "loss_objectness",
        "loss_rpn_box_reg",
    ):  # of anchors that are sampled alike in both
        torch.testing.assert_close(losses[name], exact[name], rtol=0.1, atol=0.01)


def test_an_image_with_small_boxes_at_its_right_edge_has_finite_losses(shared):
    """Mirrored, a box of it has no width in bfloat16."""
    folder = shared / "data" / "coco"
    records, _ = read_records(open_sources(folder / "instances.json"), folder / "images")
    record = next(record for record in records if record.image_id == 319492)
    rows = range(len(record.instance_ids))
    example = load_example(record, rows, 200, flip=True)
    example["labels"] = torch.ones(len(rows), dtype=torch.int64)
    with seeded(0, 0):
        network = blank_mask_rcnn("maskrcnn_resnet50_fpn", 1).train()
        with torch.no_grad(), autocast():
            losses = network([example.pop("image").float() / 255], [example])
    assert all(torch.isfinite(loss) for loss in losses.values())
