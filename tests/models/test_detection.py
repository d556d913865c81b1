"""What a network finds, in the frame of the annotations, as COCO's results."""

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco_mask

torch = pytest.importorskip("torch", reason="needs the extra `models`")

from tfdp.models import detection  # noqa: E402
from tfdp.models.images import image_tensor  # noqa: E402
from tfdp.models.mask_rcnn import blank_mask_rcnn  # noqa: E402
from tfdp.models.training import seeded  # noqa: E402
from tfdp.sources.records import ImageRecord  # noqa: E402

CPU = torch.device("cpu")


def record_of(image_id, height, width, path=None):
    return ImageRecord(image_id, path, height, width, [], [], np.zeros((0, 4)), [])


def test_results_are_at_the_images_own_size_under_the_files_ids():
    output = {
        "boxes": torch.tensor([[10.0, 10, 30, 40], [1, 1, 9, 9], [20, 0, 80, 50]]),
        "labels": torch.tensor([1, 2, 3]),
        "scores": torch.tensor([0.75, 0.5, 0.25]),
        "masks": torch.ones(3, 1, 28, 28),
    }
    record = record_of("b", 100, 240)
    first, last = detection._results(output, torch.zeros(3, 50, 80), record, [7, None, 9])
    assert first["bbox"] == [30, 20, 60, 60]  # 3 px across and 2 down for one of the network's
    assert last["bbox"] == [60, 0, 180, 100]
    assert (first["image_id"], first["category_id"], first["score"]) == ("b", 7, 0.75)
    assert (last["image_id"], last["category_id"], last["score"]) == ("b", 9, 0.25)
    assert coco_mask.toBbox(last["segmentation"]) == pytest.approx([60, 0, 180, 100], abs=4)
    found = coco_mask.toBbox(first["segmentation"])  # of torchvision, with inclusive corners
    assert found == pytest.approx([30, 20, 60, 60], abs=2)
    assert coco_mask.area(first["segmentation"]) > 0.98 * found[2] * found[3]


@pytest.fixture(scope="module")
def network():
    with seeded(0, 0):
        return blank_mask_rcnn("maskrcnn_resnet18_fpn", 3).eval()


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Records of four images of the network's own size; the second has no file."""
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    records = []
    for number, (height, width) in enumerate([(64, 96), (64, 64), (64, 96), (64, 70)]):
        path = folder / f"{number}.png"
        if number != 1:
            Image.fromarray(rng.integers(0, 256, (height, width, 3)).astype(np.uint8)).save(path)
        records.append(record_of(100 - number, height, width, path))
    return records


def test_equal_to_torchvisions_forward_with_its_full_size_masks(network, photos):
    found = [
        *detection.detect(network, photos, [10, 20, None], 64, batch_size=2, workers=0, device=CPU)
    ]
    assert found[1] is None
    for record, results in zip(
        [photos[k] for k in (0, 2, 3)], [found[k] for k in (0, 2, 3)], strict=True
    ):
        with torch.inference_mode():
            (plain,) = network([image_tensor(Image.open(record.path)) / 255])
        kept = plain["labels"] < 3
        assert len(results) == kept.sum() > 10
        assert {result["image_id"] for result in results} == {record.image_id}
        assert [r["category_id"] for r in results] == (plain["labels"][kept] * 10).tolist()
        assert [r["score"] for r in results] == pytest.approx(
            plain["scores"][kept].tolist(), rel=1e-4
        )
        bitmaps = plain["masks"][kept, 0].numpy() > 0.5
        masks = np.stack([coco_mask.decode(r["segmentation"]) for r in results])
        assert np.mean(masks != bitmaps) < 1e-4
        x1, y1, x2, y2 = plain["boxes"][kept].T
        expected = torch.stack([x1, y1, x2 - x1, y2 - y1], 1)
        np.testing.assert_allclose([r["bbox"] for r in results], expected, atol=1e-3)
