"""What a classifier sees of an image: by hand, and the same whoever asks for it when."""

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="needs the extra `models`")

from tfdp.models.class_views import Views  # noqa: E402

MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
DRAWS = range(40)


@pytest.fixture
def ramp(tmp_path):
    """256 x 64 px: red says the column, green four times the row."""
    pixels = np.zeros((64, 256, 3), np.uint8)
    pixels[..., 0], pixels[..., 1] = np.arange(256), 4 * np.arange(64)[:, None]
    path = tmp_path / "ramp.png"
    Image.fromarray(pixels).save(path)
    return path


def seen(view):
    """The colors of a view, (h, w, 3) from 0 to 255."""
    return (view.permute(1, 2, 0).numpy() * STD + MEAN) * 255


def test_colors_are_normalized_by_hand(tmp_path):
    Image.new("RGB", (50, 40), (51, 102, 204)).save(tmp_path / "one.png")
    expected = (np.array([0.2, 0.4, 0.8]) - MEAN) / STD
    views = Views(32)
    for view in (views.to_score(tmp_path / "one.png"), views.to_learn(tmp_path / "one.png", 1)):
        assert view.shape == (3, 32, 32)
        np.testing.assert_allclose(view.mean(dim=(1, 2)), expected, atol=1e-6)


def test_all_of_an_image_is_squeezed_into_a_square(ramp):
    colors = seen(Views(64).to_score(ramp))
    np.testing.assert_allclose(colors[:, :, 0].mean(axis=0), 4 * np.arange(64) + 1.5, atol=1.5)
    np.testing.assert_allclose(colors[:, 0, 1], 4 * np.arange(64), atol=1e-3)


def test_the_central_square_is_scored_where_crops_are_learned(ramp):
    colors = seen(Views(64, crops=True).to_score(ramp))
    np.testing.assert_allclose(colors[0, :, 0], np.arange(96, 160), atol=1e-3)
    np.testing.assert_allclose(colors[:, 0, 1], 4 * np.arange(64), atol=1e-3)


def test_half_of_the_draws_are_mirrored(ramp):
    views, plain = Views(64, flips=True), Views(64).to_score(ramp)
    mirrored = [not torch.equal(views.to_learn(ramp, draw), plain) for draw in range(200)]
    assert 70 < sum(mirrored) < 130
    for draw in DRAWS:
        expected = plain.flip(-1) if mirrored[draw] else plain
        assert torch.equal(views.to_learn(ramp, draw), expected)
        assert torch.equal(Views(64).to_learn(ramp, draw), plain)


def test_crops_are_of_8_to_100_percent_and_others_in_each_draw(ramp):
    views = Views(32, crops=True)
    areas, places = [], set()
    for draw in DRAWS:
        colors = seen(views.to_learn(ramp, draw))
        width, height = np.ptp(colors[0, :, 0]) + 1, np.ptp(colors[:, 0, 1]) / 4 + 1
        areas.append(width * height / (256 * 64))
        places.add((round(colors[0, 0, 0]), round(colors[0, 0, 1])))
        assert width / height < 1.5  # 4 / 3, and what resizing blurs
    assert 0.04 < min(areas) < max(areas) <= 0.34  # of 4 : 1, the tallest crop is a third
    assert len(places) > 20


@pytest.mark.parametrize("kind", ["flips", "crops", "auto_augment"])
def test_a_view_is_the_same_in_any_order_and_another_by_another_seed(ramp, kind):
    def look(seed, draws=DRAWS):
        return [Views(32, seed, **{kind: True}).to_learn(ramp, draw) for draw in draws]

    torch.manual_seed(1)
    views, state = look(0), torch.random.get_rng_state()
    assert all(map(torch.equal, views, reversed(look(0, reversed(DRAWS)))))
    assert torch.equal(torch.random.get_rng_state(), state)  # the caller's go on as they were
    assert not all(map(torch.equal, views, look(1)))
    assert len({view.numpy().tobytes() for view in views}) > 1
