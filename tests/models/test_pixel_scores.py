"""Hand values of spec and paper, a second implementation, and the same from torch as from numpy."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfdp.models import pixel_scores

CASES = [
    # name, z, t, entropy, loss, el2n, correct
    ("undecided, on the object", 0.0, 1, math.log(2), math.log(2), math.sqrt(2) / 2, False),
    ("undecided, off the object", 0.0, 0, math.log(2), math.log(2), math.sqrt(2) / 2, False),
    ("confident and right", 8.0, 1, 0.00301821, 0.00033541, 0.00047424, True),
    ("confident and wrong", 8.0, 0, 0.00301821, 8.00033541, 1.41373932, False),
    ("p = 3/4, on the object", math.log(3), 1, 0.56233514, math.log(4 / 3), math.sqrt(2) / 4, True),
    (
        "p = 3/4, off the object",
        math.log(3),
        0,
        0.56233514,
        math.log(4),
        3 * math.sqrt(2) / 4,
        False,
    ),
    ("overflows e^z", 1000.0, 0, 0.0, 1000.0, math.sqrt(2), False),
]


@pytest.mark.parametrize(
    "z, t, entropy, loss, el2n, correct", [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_hand_values(z, t, *, entropy, loss, el2n, correct):
    m = pixel_scores.margin(np.array([z]), np.array([t]))
    assert pixel_scores.entropy(m) == pytest.approx(entropy, rel=1e-4, abs=1e-12)
    assert pixel_scores.loss(m) == pytest.approx(loss, rel=1e-4)
    assert pixel_scores.el2n(m) == pytest.approx(el2n, rel=1e-4)
    assert pixel_scores.correct(m) == correct
    assert m == (2 * t - 1) * z


@given(st.floats(-30, 30), st.booleans())
def test_equals_the_definitions_in_p(z, t):
    p = 1 / (1 + math.exp(-z))
    other = 1 / (1 + math.exp(z))  # 1 - p, without losing it
    m = pixel_scores.margin(np.array(z), np.array(t))
    q = p if t else other
    assert pixel_scores.entropy(m) == pytest.approx(
        -p * math.log(p) - other * math.log(other), abs=1e-9
    )
    assert pixel_scores.loss(m) == pytest.approx(-math.log(q), rel=1e-9)
    two_class = np.array([other, p]) - np.array([1 - t, t])  # softmax of [0, z], less one-hot
    assert pixel_scores.el2n(m) == pytest.approx(np.linalg.norm(two_class), abs=1e-9)
    assert pixel_scores.target_probability(m) == pytest.approx(q)


def test_numpy_and_torch_agree():
    torch = pytest.importorskip("torch", reason="needs the extra `models`")
    rng = np.random.default_rng(0)
    z, t = rng.normal(0, 10, (3, 784)), rng.random((3, 784)) < 0.5
    margins = pixel_scores.margin(z, t)
    for score in (
        pixel_scores.entropy,
        pixel_scores.loss,
        pixel_scores.el2n,
        pixel_scores.target_probability,
    ):
        on_torch = score(pixel_scores.margin(torch.from_numpy(z), torch.from_numpy(t)))
        np.testing.assert_allclose(on_torch.numpy(), score(margins), rtol=1e-12)
