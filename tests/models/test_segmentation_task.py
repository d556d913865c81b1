"""The scoring pass: which row of the log holds what of which instance."""

import dataclasses

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `models`")

from tfdp.models.checkpoints import Checkpoint  # noqa: E402
from tfdp.models.data import load_image  # noqa: E402
from tfdp.models.mask_rcnn import blank_mask_rcnn, mask_logits  # noqa: E402
from tfdp.models.segmentation_task import (  # noqa: E402
    PIXELS,
    Example,
    SegmentationTask,
    score_logits,
)
from tfdp.sources.formats import open_sources  # noqa: E402
from tfdp.sources.records import read_records  # noqa: E402

SIDE = 64
USABLE = {0: [1], 1: [], 2: [0, 1], 3: [0]}  # of two instances in each image


@pytest.fixture(scope="module")
def scored(toy):
    """A task, the rows that it logs, and the targets of all rows."""
    records, _ = read_records(open_sources(toy), toy.parent)
    torch.manual_seed(0)
    network = blank_mask_rcnn("maskrcnn_resnet18_fpn", 2)
    targets = np.random.default_rng(0).random((8, PIXELS)) < 0.5
    examples = [
        Example(records[k], usable, torch.tensor([j % 2 + 1 for j in usable]), 2 * k)
        for k, usable in USABLE.items()
        if usable
    ]
    task = SegmentationTask(
        network=network.train(),
        checkpoint=Checkpoint("maskrcnn_resnet18_fpn", ["a", "b"], SIDE, {}),
        examples=examples,
        rows=8,
        targets=lambda rows: targets[rows],
        batch_size=2,
        scales=(SIDE,),
        seed=0,
        device=torch.device("cpu"),
        workers=0,
    )
    with torch.inference_mode():
        rows = np.concatenate([*task.score(range(3))])
    return task, rows, targets


def test_rows_behind_unusable_ones_get_their_own_logits_and_targets(scored):
    task, rows, targets = scored
    assert len(rows) == 8
    assert np.isfinite(rows["means"][:, 0, 0]).tolist() == [
        j in usable for usable in USABLE.values() for j in (0, 1)
    ]
    for example in task.examples:
        image, boxes = load_image(example.record, example.usable, SIDE)
        of_example = [example.first_row + j for j in example.usable]
        with torch.inference_mode():
            logits = mask_logits(task.network, [image / 255], [boxes], example.labels).flatten(1)
        expected = score_logits(logits, torch.from_numpy(targets[of_example]))
        for name in ("means", "correct"):
            np.testing.assert_allclose(rows[of_example][name], expected[name], rtol=1e-4)
        q = rows[of_example]["q"].astype(int)
        np.testing.assert_allclose(q, expected["q"].astype(int), atol=2)


def test_an_image_is_scored_alike_whatever_it_is_with(scored):
    """As in eval mode: neither the batch nor the network's mode before it shows."""
    task, rows, _ = scored
    for batch_size, parts in ((1, [range(3)]), (3, [range(1), range(1, 3)])):
        other = dataclasses.replace(task, batch_size=batch_size)
        other.network.train()
        with torch.inference_mode():
            again = np.concatenate([rows for part in parts for rows in other.score(part)])
        np.testing.assert_allclose(again["means"], rows["means"], rtol=1e-3, atol=1e-5)


def test_rows_of_logits_in_half_precision_are_those_of_the_same_numbers():
    logits = torch.randn(3, PIXELS).bfloat16()
    target = torch.rand(3, PIXELS) < 0.5
    half, whole = score_logits(logits, target), score_logits(logits.float(), target)
    for name in ("means", "correct", "q"):
        np.testing.assert_array_equal(half[name], whole[name])
