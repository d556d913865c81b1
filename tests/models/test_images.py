"""Images that EXIF turns: what reaches the network lies under its masks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

torch = pytest.importorskip("torch", reason="needs the extra `models`")

from tests.models.photos import (  # noqa: E402
    HEIGHT,
    STORED,
    WIDTH,
    cityscapes_labels,
    coco_labels,
    mask_of_photo,
    pixels_of,
    save_photo,
    store_photo,
    voc_labels,
    yolo_labels,
)
from tfdp.models import data  # noqa: E402
from tfdp.models.class_views import Views  # noqa: E402
from tfdp.models.images import image_problem, read_image  # noqa: E402
from tfdp.sources.formats import open_sources  # noqa: E402
from tfdp.sources.records import read_records  # noqa: E402

ORIENTATIONS = pytest.mark.parametrize("orientation", STORED)


def read_one(labels, folder):
    records, skipped = read_records(open_sources(labels), folder)
    assert len(skipped) == 0
    (record,) = records
    return record


def assert_bright_under_the_mask(record, image_size=HEIGHT):
    """In the file's own pixels (as they are seen at HEIGHT), or resized."""
    checked = data.check_record(record)
    assert (checked.problem, checked.instance_problems) == (None, [None])
    for flip in (False, True):
        example = data.load_example(record, [0], image_size, flip=flip)
        bright = example["image"].float().mean(0) > 127
        assert (bright == example["masks"][0].bool()).float().mean() > 0.99
        x1, y1, x2, y2 = example["boxes"][0].round().int().tolist()
        assert bright[y1:y2, x1:x2].float().mean() > 0.95
        assert bright.sum() <= 1.1 * (x2 - x1) * (y2 - y1)


@ORIENTATIONS
@pytest.mark.parametrize("ending", ["jpg", "png", "webp"])
@pytest.mark.parametrize("image_size", [HEIGHT, 20], ids=["its own size", "smaller"])
def test_a_size_as_it_is_shown_means_the_turned_image(tmp_path, orientation, ending, image_size):
    save_photo(tmp_path / f"a.{ending}", orientation)
    record = read_one(*coco_labels(tmp_path, f"a.{ending}", mask_of_photo()))
    assert_bright_under_the_mask(record, image_size)


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
@pytest.mark.parametrize("ending", ["jpg", "png"])
def test_a_size_as_it_is_stored_means_the_pixels_as_they_are(tmp_path, orientation, ending):
    store_photo(tmp_path / f"a.{ending}", orientation, pixels_of(mask_of_photo()))
    assert_bright_under_the_mask(read_one(*coco_labels(tmp_path, f"a.{ending}", mask_of_photo())))


@ORIENTATIONS
def test_a_square_image_is_turned_as_it_is_shown(tmp_path, orientation):
    mask = mask_of_photo(64, 64)
    save_photo(tmp_path / "a.png", orientation, pixels_of(mask))
    assert_bright_under_the_mask(read_one(*coco_labels(tmp_path, "a.png", mask)), 64)


@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_folders_whose_label_images_say_the_size(tmp_path, orientation):
    save_photo(tmp_path / "voc" / "JPEGImages" / "a.jpg", orientation)
    city = tmp_path / "city" / "leftImg8bit" / "train" / "bonn"
    save_photo(city / "bonn_000000_000019_leftImg8bit.png", orientation)
    assert_bright_under_the_mask(read_one(*voc_labels(tmp_path / "voc", mask_of_photo())))
    assert_bright_under_the_mask(read_one(*cityscapes_labels(tmp_path / "city", mask_of_photo())))


@pytest.mark.parametrize("orientation", [1, 3, 6])
@pytest.mark.parametrize("ending", ["jpg", "png", "webp"])
def test_yolo_labels_are_of_the_image_as_it_is_shown(tmp_path, orientation, ending):
    save_photo(tmp_path / "images" / f"a.{ending}", orientation)
    assert_bright_under_the_mask(read_one(*yolo_labels(tmp_path)))


@ORIENTATIONS
def test_a_classifier_sees_the_image_as_it_is_shown(tmp_path, orientation):
    plain = save_photo(tmp_path / "plain.png", 1)
    turned = save_photo(tmp_path / "turned.png", orientation)
    views = Views(32)
    assert torch.equal(views.to_score(turned), views.to_score(plain))
    assert torch.equal(views.to_learn(turned, 0), views.to_learn(plain, 0))


@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    orientation=st.sampled_from([*STORED]),
    seed=st.integers(0, 9),
)
@settings(max_examples=60, deadline=None)
def test_every_turn_of_every_size(tmp_path_factory, height, width, orientation, seed):
    shown = np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)
    path = save_photo(tmp_path_factory.mktemp("a") / "a.png", orientation, shown)
    assert np.array_equal(read_image(path), shown)
    assert np.array_equal(read_image(path, expected=(width, height)), shown)
    if orientation > 4 and height != width:
        stored = STORED[orientation](shown)
        assert np.array_equal(read_image(path, expected=(height, width)), stored)


def test_a_jpeg_that_is_turned_is_decoded_at_a_reduced_scale_like_any_other(tmp_path):
    shown = np.random.default_rng(0).integers(0, 256, (400, 1600, 3)).astype(np.uint8)
    turned = read_image(save_photo(tmp_path / "turned.jpg", 6, shown), (200, 50))
    stored = np.ascontiguousarray(STORED[6](shown))
    Image.fromarray(stored).save(tmp_path / "stored.jpg")
    plain = np.asarray(read_image(tmp_path / "stored.jpg", (50, 200)))
    assert np.abs(STORED[6](np.asarray(turned)).astype(int) - plain).max() <= 1


@pytest.mark.parametrize(
    "orientation, said",
    [
        (1, r"expected \(50, 80\) px, found \(80, 48\)$"),
        (3, r"found \(80, 48\), and \(80, 48\) turned by its EXIF orientation 3"),
        (6, r"found \(48, 80\), and \(80, 48\) turned by its EXIF orientation 6"),
    ],
)
def test_another_size_is_refused_and_both_are_said(tmp_path, orientation, said):
    save_photo(tmp_path / "a.png", orientation)
    record = read_one(*coco_labels(tmp_path, "a.png", mask_of_photo(80, 50)))
    problem = data.check_record(record).problem
    assert problem is not None
    assert problem[0] == "wrong_image_size"
    with pytest.raises(ValueError, match=said):
        data.load_image(record, [0], 32)


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_an_orientation_that_is_none_turns_nothing(tmp_path, value):
    exif = Image.Exif()
    exif[0x0112] = value
    Image.new("RGB", (9, 5)).save(tmp_path / "a.jpg", exif=exif)
    assert read_image(tmp_path / "a.jpg").size == (9, 5)


def test_damaged_exif_turns_nothing(tmp_path):
    save_photo(tmp_path / "a.webp", 6)
    content = (tmp_path / "a.webp").read_bytes()
    start = content.index(b"EXIF") + 8
    (tmp_path / "a.webp").write_bytes(content[:start] + b"garbage!" + content[start + 8 :])
    assert read_image(tmp_path / "a.webp").size == (HEIGHT, WIDTH)


@pytest.mark.parametrize("ending", ["png", "tiff"])
def test_grey_values_of_16_bits_keep_their_upper_8(tmp_path, ending):
    path = tmp_path / f"a.{ending}"
    Image.fromarray(np.array([[0, 255, 256, 0x1234, 0xFFFF]], np.uint16)).save(path)
    assert np.asarray(read_image(path))[0].tolist() == [[v] * 3 for v in (0, 0, 1, 0x12, 255)]


@pytest.mark.parametrize("kind, found", [(np.int32, "32 bits"), (np.float32, "decimal numbers")])
def test_values_that_can_be_of_any_range_are_refused(tmp_path, kind, found):
    Image.fromarray(np.ones((2, 3), kind)).save(tmp_path / "a.tiff")
    reason, detail = image_problem(tmp_path / "a.tiff")
    assert reason == "unreadable_image"
    assert found in detail
