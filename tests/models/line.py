"""A line fitted to points, as torchrun starts it in several processes: line.py FOLDER [broken]."""

import sys
from pathlib import Path

import numpy as np
import torch

from tfdp.models.checkpoints import Checkpoint
from tfdp.models.parallel import own_rows, start_fabric
from tfdp.models.recipe import Recipe
from tfdp.models.training import train_logged
from tfdp.models.training_log import LogRows, blank_rows, pack_rows
from tfdp.progress import unseen
from tfdp.skipped import Skipped

POINTS = 7
ROWS = 2 * POINTS + 1  # of which the odd ones are the points'
RECIPE = Recipe(3, 3, 0.05, 3, 1e-2, warm_up_epochs=0)


class Line:
    """(w x + b - x²)², averaged over the points x of a batch; scored by w x + b."""

    device = torch.device("cpu")
    checkpoint = Checkpoint("line", ["a"], 64, {})
    examples, groups, rows, pixels = range(POINTS), np.arange(POINTS) % 2, ROWS, 1

    def __init__(self, broken=False):
        self.network = torch.nn.Linear(1, 1)
        self.network.bored = torch.nn.Parameter(torch.ones(1))  # which no loss depends on
        torch.nn.init.constant_(self.network.weight, 0.25)
        torch.nn.init.constant_(self.network.bias, 0)
        self.broken = broken

    def batches(self, order):
        return (torch.from_numpy(draws % POINTS) for draws in order)

    def losses(self, points):
        if self.broken and 1 in points:
            raise OSError("point 1 cannot be read")
        x = points[:, None] / POINTS
        return {"square": ((self.network(x) - x**2) ** 2).mean()}

    def score(self, part):
        rows = own_rows(part, range(1, ROWS, 2), ROWS)
        scored = blank_rows(len(rows), 1)
        for point in part:
            y = self.network(torch.tensor([point / POINTS])).item()
            scored[2 * point + 1 - rows.start] = pack_rows([[[y] * 4] * 2], [[y > 0]], [[0.5]])[0]
        yield scored[:1]
        yield scored[1:]


def train(folder, broken=False):
    ids = list(range(ROWS))
    rows = LogRows(ids, ids, np.arange(ROWS), ["a"] * ROWS, np.arange(ROWS) % 2 == 1, Skipped())
    run = {"kind": "classification", "epochs": RECIPE.epochs, "model": "line", "stored": "means"}
    targets = np.full((ROWS, 1), 128, np.uint8)
    fabric = start_fabric(Line.device, "float32")
    prepared = (rows, targets)
    task = Line(broken)
    train_logged(lambda _: task, RECIPE, folder, run, ROWS, lambda _: prepared, fabric, unseen)
    return task


if __name__ == "__main__":
    train(Path(sys.argv[1]), broken="broken" in sys.argv)
