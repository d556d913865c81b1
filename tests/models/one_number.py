"""A training of no time, whose log many tests damage."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `models`")

from tfdp.models.checkpoints import Checkpoint  # noqa: E402
from tfdp.models.parallel import start_fabric  # noqa: E402
from tfdp.models.recipe import Recipe  # noqa: E402
from tfdp.models.score_log import score_log  # noqa: E402
from tfdp.models.training import train_logged  # noqa: E402
from tfdp.models.training_log import LogRows, pack_rows  # noqa: E402
from tfdp.skipped import Skipped  # noqa: E402

EPOCHS = 4
ROWS = LogRows(
    [1, 2], ["a", "b"], np.array([0, 1]), ["cat", "dog"], np.array([True, True]), Skipped()
)


class OneNumber:
    """w fitted to 1 by (w - 1)², scored by its distance: a training of no time."""

    device = torch.device("cpu")
    checkpoint = Checkpoint("one", ["a"], 64, {})
    examples, groups = range(4), np.zeros(4, int)
    rows, pixels = 2, 1

    def __init__(self):
        self.network = torch.nn.Linear(1, 1, bias=False)
        torch.nn.init.constant_(self.network.weight, 0.25)

    def batches(self, order):
        return iter(order)

    def losses(self, batch):
        return {"loss": (self.network.weight.sum() - 1) ** 2}

    def score(self, part):
        w = self.network.weight.item()
        yield pack_rows(np.full((2, 2, 4), w), np.ones((2, 1), bool), np.full((2, 1), abs(w) / 2))


def train(
    folder, epochs=EPOCHS, seed=0, told=lambda fraction, message: None, stored="target_probability"
):
    recipe = Recipe(epochs, 4, 0.1, 4, 0, seed=seed)
    run = {
        "kind": "classification",
        "epochs": epochs,
        "stored": stored,
        "model": "one",
        "seed": seed,
    }
    targets = np.full((2, 1), 128, np.uint8)
    train_logged(
        lambda rows: OneNumber(),
        recipe,
        folder,
        run,
        2,
        lambda report: (ROWS, targets),
        start_fabric(OneNumber.device, "float32"),
        told,
    )


def scores(folder):
    return {name: s.tolist() for name, s in score_log(folder).instance_scores.items()}
