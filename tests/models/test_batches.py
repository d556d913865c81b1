"""A batch from the process that loads it to the device, by few tensors."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `models`")

from tfdp.models.batches import (  # noqa: E402
    join_examples,
    split_boxes,
    split_images,
    split_targets,
)
from tfdp.models.checkpoints import Checkpoint  # noqa: E402
from tfdp.models.segmentation_task import Example, SegmentationTask  # noqa: E402
from tfdp.sources.formats import open_sources  # noqa: E402
from tfdp.sources.records import read_records  # noqa: E402

ROOT = Path(__file__).parents[2]
CPU = torch.device("cpu")


def make_example(height, width, count, rng):
    return {
        "image": torch.from_numpy(rng.integers(0, 256, (3, height, width), np.uint8)),
        "boxes": torch.from_numpy(rng.random((count, 4), np.float32)),
        "labels": torch.arange(1, count + 1),
        "masks": torch.from_numpy(rng.integers(0, 2, (count, height, width), np.uint8)),
    }


def test_what_was_joined_is_split_again():
    rng = np.random.default_rng(0)
    examples = [make_example(5, 7, 3, rng), make_example(4, 9, 1, rng), make_example(8, 8, 2, rng)]
    batch = join_examples(examples)
    assert batch.masks.numel() == 14 + 5 + 16  # bits, to whole bytes an image
    images, targets = split_images(batch, CPU), split_targets(batch, CPU)
    for example, image, target in zip(examples, images, targets, strict=True):
        torch.testing.assert_close(image, example["image"] / 255, rtol=0, atol=0)
        for name in ("boxes", "labels", "masks"):
            assert torch.equal(target[name], example[name])
            assert target[name].dtype == example[name].dtype


def test_what_is_scored_has_no_masks():
    examples = [make_example(5, 7, 3, np.random.default_rng(0))]
    del examples[0]["masks"]
    batch = join_examples(examples)
    assert batch.masks.numel() == 0
    assert torch.equal(split_boxes(batch, CPU)[0], examples[0]["boxes"])


def draws_of_one_example(toy, seed, scales, passes):
    (record, *_), _ = read_records(open_sources(toy), toy.parent)
    example = Example(record, [0, 1], torch.tensor([1, 2]), 0)
    task = SegmentationTask(
        None, Checkpoint("", [], 64, {}), [example], 2, None, 1, scales, seed, CPU, 0
    )
    return list(task.batches(np.array([draw]) for draw in range(passes)))


def test_each_pass_mirrors_an_image_or_not_by_seed_and_draw(toy):
    def mirrored(seed):
        batches = draws_of_one_example(toy, seed, [64], 20)
        plain, turned = sorted({batch.boxes.tobytes() for batch in batches})
        of_plain = next(b for b in batches if b.boxes.tobytes() == plain)
        of_turned = next(b for b in batches if b.boxes.tobytes() == turned)
        (image,), (other,) = (split_images(b, CPU) for b in (of_plain, of_turned))
        assert torch.equal(image, other.flip(-1))
        return [batch.boxes.tobytes() == turned for batch in batches]

    assert mirrored(0) == mirrored(0) != mirrored(1)
    assert 4 < sum(mirrored(0)) < 16


def test_each_pass_takes_one_of_the_sizes(toy):
    batches = draws_of_one_example(toy, 0, [32.0, 48.0, 64.0], 30)
    sizes = [tuple(batch.sizes[0]) for batch in batches]
    assert set(sizes) == {(32, 32), (48, 48), (64, 64)}
    for batch, (side, _) in zip(batches, sizes, strict=True):
        assert batch.images.numel() == 3 * side * side
        assert (batch.boxes <= side).all()
    again = draws_of_one_example(toy, 0, [32.0, 48.0, 64.0], 30)
    assert [tuple(batch.sizes[0]) for batch in again] == sizes


FEW_FILES = """
import resource, sys
import numpy as np
import torch
limits = int(sys.argv[1]), int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_NOFILE, limits)
from pathlib import Path
from tests.models.conftest import write_toy_dataset
from tfdp.models.segmentation_task import Example, SegmentationTask
from tfdp.models.checkpoints import Checkpoint
from tfdp.sources.formats import open_sources
from tfdp.sources.records import read_records
path = write_toy_dataset(Path(sys.argv[3]), images=8, side=32)
records, _ = read_records(open_sources(path), path.parent)
examples = [Example(r, [0, 1], torch.tensor([1, 2]), 2 * j) for j, r in enumerate(records)]
task = SegmentationTask(None, Checkpoint("", [], 32, {}), examples, 16, None, 1, [32], 0, torch.device("cpu"), 8)
batches = list(task.batches(np.arange(32) + 32 * j for j in range(8)))  # all are held
print(len(batches), sum(len(batch.counts) for batch in batches))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such limit")
@pytest.mark.parametrize(
    "limits", [(128, 128), (40, 4096)], ids=["few may be open", "more may be, if asked for"]
)
def test_eight_workers_load_batches_of_32_by_few_open_files(tmp_path, limits):
    run = [sys.executable, "-c", FEW_FILES, *map(str, limits), str(tmp_path)]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["8", "256"]
