"""Reading, resizing and checking: what is used, and what is reported instead."""

import json
import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="needs the extra `models`")

from torchvision.models.detection.roi_heads import project_masks_on_boxes  # noqa: E402

from tfdp.geometry.masks import mask_runs_from_bitmaps  # noqa: E402
from tfdp.geometry.run_lengths import mask_runs_to_rle  # noqa: E402
from tfdp.models import data  # noqa: E402
from tfdp.models.batches import join_examples, split_images  # noqa: E402
from tfdp.sources.formats import open_sources  # noqa: E402
from tfdp.sources.records import ImageRecord, read_records  # noqa: E402


def rle(mask):
    return mask_runs_to_rle(mask_runs_from_bitmaps([mask]))[0]


def make_record(path, mask, box=None, label="a", *, save=True):
    mask = np.asarray(mask, bool)
    if save:
        Image.fromarray(np.zeros((*mask.shape, 3), np.uint8)).save(path)
    boxes = np.array([box or [0, 0, *mask.shape[::-1]]], float)
    return ImageRecord("i", path, *mask.shape, ["x"], [label], boxes, [rle(mask)])


@pytest.mark.parametrize(
    "box", [[3.2, 4.9, 20.3, 11.7], [0, 0, 60, 40], [59, 39, 1, 1], [10, 10, 0.5, 30]]
)
def test_target_equals_torchvisions_projection_of_the_whole_mask(box):
    mask = np.random.default_rng(0).random((40, 60)) < 0.5
    xyxy = np.array([box[0], box[1], box[0] + box[2], box[1] + box[3]])
    boxes = torch.tensor(xyxy[None], dtype=torch.float32)
    expected = (
        project_masks_on_boxes(torch.from_numpy(mask)[None], boxes, torch.tensor([0]), 28) >= 0.5
    )
    assert (data.mask_target(mask, xyxy) == expected.flatten().numpy()).mean() >= 783 / 784


@pytest.mark.parametrize(
    "height, width, expected",
    [(480, 640, (256, 341)), (1, 1, (256, 256)), (20, 20_000, (1, 427)), (512, 512, (256, 256)), (100, 1000, (43, 427))],
    ids=["landscape", "one pixel", "20,000 px wide", "square", "longest side counts"],
)  # fmt: skip
def test_network_size(height, width, expected):
    assert data.network_size(height, width, 256) == expected


@pytest.mark.parametrize(
    "shape",
    [(1, 1), (20, 20_000), (20_000, 20)],
    ids=["one pixel", "20,000 px wide", "20,000 px high"],
)
def test_extreme_sizes_can_be_used(tmp_path, shape):
    record = make_record(tmp_path / "a.png", np.ones(shape))
    checked = data.check_record(record)
    assert checked.problem is None
    assert checked.instance_problems == [None]
    assert np.unpackbits(checked.targets).all()
    example = data.load_example(record, [0], 64, flip=True)
    assert max(example["image"].shape) <= 107
    assert example["masks"].all()


def test_the_target_of_a_tiny_mask_in_a_large_image(tmp_path):
    mask = np.zeros((600, 800))
    mask[300:303, 400:402] = 1  # less than a cell of the finest feature map at 256 px
    checked = data.check_record(make_record(tmp_path / "a.png", mask, [400, 300, 2, 3]))
    assert checked.instance_problems == [None]
    assert np.unpackbits(checked.targets).mean() == pytest.approx(
        (1.5 / 2) * (2.5 / 3), abs=0.03
    )  # roi_align's half pixel


ONES = np.ones((8, 9))
INSTANCES = [
    ("no class", dict(label=None), "no_class"),
    ("a class that the model lacks", dict(label="b"), "class_unknown_to_model"),
    ("empty mask", dict(mask=np.zeros((8, 9))), "empty_mask"),
    ("box outside the image", dict(box=[9, 0, 5, 5]), "box_without_area"),
    ("box without width", dict(box=[3, 3, 0, 4]), "box_without_area"),
    ("box of NaN", dict(box=[float("nan"), 3, 2, 4]), "box_without_area"),
]


@pytest.mark.parametrize(
    "changes, reason", [c[1:] for c in INSTANCES], ids=[c[0] for c in INSTANCES]
)
def test_unusable_instances(tmp_path, changes, reason):
    record = make_record(tmp_path / "a.png", changes.pop("mask", ONES), **changes)
    checked = data.check_record(record, classes=["a"])
    assert (checked.problem, checked.instance_problems) == (None, [reason])


@pytest.mark.parametrize(
    "counts, reason",
    [
        (None, "no_mask"),
        (b"", "wrong_total"),
        (rle(np.ones((50, 50))), "wrong_total"),
        (b"\xff\xfe", "garbage"),
    ],
    ids=["none", "no runs", "another image's", "not run lengths"],
)
def test_unusable_masks(tmp_path, counts, reason):
    record = make_record(tmp_path / "a.png", ONES)
    assert data.check_record(
        record.__class__(**{**vars(record), "masks": [counts]})
    ).instance_problems == [reason]


def broken_image(path, kind):
    if kind == "not an image":
        path.write_bytes(b"hello")
    elif kind == "cut off":
        Image.fromarray(np.random.default_rng(0).integers(0, 255, (8, 9, 3)).astype(np.uint8)).save(
            path
        )
        path.write_bytes(path.read_bytes()[:120])
    elif kind == "of another size":
        Image.new("RGB", (8, 9)).save(path)
    elif kind == "20,000 x 20,000 px":
        Image.new("1", (20_000, 20_000)).save(path)
    elif kind == "a folder":
        path.mkdir()
    elif kind == "a pipe":
        os.mkfifo(path)
    elif kind == "its text is a bomb":
        text = zlib.compress(bytes(2**27))
        Image.new("RGB", (9, 8)).save(path)
        content = path.read_bytes()
        chunk = b"zTXt" + b"a\0\0" + text
        chunk = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
        path.write_bytes(content[:33] + chunk + content[33:])
    elif kind == "cut TIFF":
        Image.new("RGB", (9, 8)).save(path, "TIFF", compression="tiff_lzw")
        path.write_bytes(path.read_bytes()[:-40])


@pytest.mark.parametrize(
    "kind, reason",
    [("missing", "missing_file"), ("not an image", "unreadable_image"), ("cut off", "unreadable_image"), ("of another size", "wrong_image_size"), ("20,000 x 20,000 px", "image_too_large"),
     ("a folder", "unreadable_image"), ("a pipe", "unreadable_image"), ("its text is a bomb", "unreadable_image"), ("cut TIFF", "unreadable_image")],
)  # fmt: skip
def test_unusable_images(tmp_path, kind, reason):
    broken_image(tmp_path / "a.png", kind)
    checked = data.check_record(make_record(tmp_path / "a.png", ONES, save=False))
    assert checked.problem is not None
    assert checked.problem[0] == reason
    assert checked.problem[1]


@pytest.mark.parametrize("name", ["", "a\0.png", "a" * 5000, "../nowhere/a.png"])
def test_names_that_no_image_has(tmp_path, name):
    checked = data.check_record(make_record(tmp_path / name, ONES, save=False))
    assert checked.problem is not None
    assert checked.problem[0] in {"unreadable_image", "missing_file"}


def test_a_mask_without_a_pixel_is_the_reason_why_its_own_box_has_no_area(tmp_path):
    record = make_record(tmp_path / "a.png", np.zeros((8, 9)), [0, 0, 0, 0])
    assert data.check_record(record).instance_problems == ["empty_mask"]


def test_a_flip_mirrors_image_boxes_and_masks(tmp_path):
    mask = np.zeros((64, 96))
    mask[10:20, 5:30] = 1
    record = make_record(tmp_path / "a.png", mask, [5, 10, 25, 10])
    plain = data.load_example(record, [0], 64, flip=False)
    flipped = data.load_example(record, [0], 64, flip=True)
    assert plain["boxes"].tolist() == [[5, 10, 30, 20]]
    assert flipped["boxes"].tolist() == [[66, 10, 91, 20]]
    assert torch.equal(flipped["masks"], plain["masks"].flip(-1))
    assert flipped["masks"][0, 10:20, 66:91].all()


def save_noise(path, height, width):
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(path)
    return pixels


def test_width_and_height_have_each_their_own_scale(tmp_path):
    mask = np.zeros((3, 1000))
    mask[1:2, 100:300] = 1
    record = make_record(tmp_path / "a.png", mask, [100, 1, 200, 1])
    _, boxes = data.load_image(record, [0], 64)  # as 1 x 107 px
    assert boxes.tolist() == [pytest.approx([10.7, 1 / 3, 32.1, 2 / 3], rel=1e-5)]
    example = data.load_example(record, [0], 64, flip=True)
    assert example["image"].shape == (3, 1, 107)
    assert example["boxes"].tolist() == [pytest.approx([74.9, 1 / 3, 96.3, 2 / 3], rel=1e-5)]
    assert example["masks"][0, 0].nonzero().flatten().tolist() == [*range(75, 96)]


@pytest.mark.parametrize("flip", [False, True])
def test_masks_are_sampled_at_the_nearest_pixel(tmp_path, flip):
    mask = np.random.default_rng(1).random((51, 91)) < 0.5
    save_noise(tmp_path / "a.png", 51, 91)
    record = make_record(tmp_path / "a.png", mask, save=False)
    found = data.load_example(record, [0], 32, flip=flip)["masks"][0].numpy()
    assert found.shape == (30, 53)
    rows, columns = ((np.arange(n) + 0.5) * side / n for n, side in ((30, 51), (53, 91)))
    expected = mask[np.floor(rows).astype(int)[:, None], np.floor(columns).astype(int)]
    assert np.array_equal(found[:, ::-1] if flip else found, expected)


@pytest.mark.parametrize("flip", [False, True])
def test_the_network_gets_values_from_0_to_1(tmp_path, flip):
    pixels = save_noise(tmp_path / "a.png", 40, 60)
    record = make_record(tmp_path / "a.png", np.ones((40, 60)), save=False)
    example = data.load_example(record, [0], 40, flip=flip)
    (image,) = split_images(
        join_examples([example | {"labels": torch.ones(1)}]), torch.device("cpu")
    )
    expected = torch.from_numpy(pixels / 255).permute(2, 0, 1).float()
    assert torch.equal(image.flip(-1) if flip else image, expected)


def test_only_the_asked_instances_are_loaded_in_their_order(tmp_path):
    masks = [np.zeros((40, 60), bool) for _ in range(3)]
    boxes = [[0, 0, 10, 5], [20, 10, 30, 20], [50, 30, 8, 9]]
    for mask, (x, y, w, h) in zip(masks, boxes, strict=True):
        mask[y : y + h, x : x + w] = True
    save_noise(tmp_path / "a.png", 40, 60)
    record = ImageRecord("i", tmp_path / "a.png", 40, 60, [*"xyz"], ["a"] * 3,
                         np.array(boxes, float), [rle(mask) for mask in masks])  # fmt: skip
    example = data.load_example(record, [2, 0], 40, flip=False)
    assert example["boxes"].tolist() == [[50, 30, 58, 39], [0, 0, 10, 5]]
    assert np.array_equal(example["masks"].numpy(), np.stack([masks[2], masks[0]]))


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "1", "CMYK"])
def test_every_colour_mode_gives_three_channels(tmp_path, mode):
    Image.new(mode, (9, 8)).save(tmp_path / "a.tiff")
    assert data.image_tensor(data.read_image(tmp_path / "a.tiff", (18, 16))).shape == (3, 16, 18)


def coco(tmp_path, *annotations, **changes):
    document = {
        "images": [{"id": 7, "file_name": "a.png", "height": 8, "width": 9}],
        "categories": [{"id": 3, "name": "cat"}],
        "annotations": [
            {"id": j, "image_id": 7, "category_id": 3, "bbox": [0, 0, 4, 4], **a}
            for j, a in enumerate(annotations)
        ],
    }
    path = tmp_path / "a.json"
    path.write_text(json.dumps(document | changes))
    return path


SQUARE = [[0, 0, 4, 0, 4, 4, 0, 4]]


def test_coco_masks_of_every_form_are_read_alike(tmp_path):
    mask = np.zeros((8, 9), bool)
    mask[:4, :4] = True
    uncompressed = {"size": [8, 9], "counts": [0, 4, 4, 4, 4, 4, 4, 4, 44]}
    forms = SQUARE, uncompressed, {"size": [8, 9], "counts": rle(mask).decode()}
    path = coco(tmp_path, *({"segmentation": form} for form in forms))
    records, skipped = read_records(open_sources(path), tmp_path)
    assert len(skipped) == 0
    assert records[0].labels == ["cat"] * 3
    assert [data.decode_mask(records[0], j).tolist() for j in range(3)] == [mask.tolist()] * 3
