"""The scoring pass against the model's plain forward: ratio, images/s, peak memory.

python -m benchmarks.model_scores ANN.json IMAGES [--model M] [--image-size S] [--images N]

Both see the same decoded images, already in memory, in the same batches; they take turns, and the
fastest of the repeats counts. Scoring includes the scores themselves and the rows of the log,
written to a file. The weights are random, so that the plain forward finds hardly anything to run
its mask head on: with trained weights it has more to do, and scoring has not.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

import torch

from tfdp.models.data import load_image
from tfdp.models.epoch_files import EpochLayout, write_epoch
from tfdp.models.mask_rcnn import blank_mask_rcnn, mask_logits
from tfdp.models.segmentation_task import PIXELS, score_logits
from tfdp.models.training import find_device, seeded
from tfdp.sources.formats import open_sources
from tfdp.sources.records import read_records


def load(records, images, image_size):
    """Images (3, h, w) in [0, 1] with their boxes, of the first records that have any."""
    records = [r for r in records if len(r.instance_ids)][:images]
    loaded = [load_image(r, range(len(r.instance_ids)), image_size) for r in records]
    return [(image.float() / 255, boxes) for image, boxes in loaded]


def batches(examples, size, device):
    for start in range(0, len(examples), size):
        images, boxes = zip(*examples[start : start + size], strict=True)
        yield [i.to(device) for i in images], [b.to(device) for b in boxes]


def plain(network, examples, batch_size, device):
    for images, _ in batches(examples, batch_size, device):
        network(images)


def score(network, examples, batch_size, device):
    def parts():
        for images, boxes in batches(examples, batch_size, device):
            labels = torch.ones(sum(map(len, boxes)), dtype=torch.int64, device=device)
            logits = mask_logits(network, images, boxes, labels).flatten(1)
            yield score_logits(logits, logits > 0)

    rows = sum(len(boxes) for _, boxes in examples)
    with tempfile.TemporaryDirectory() as folder:
        write_epoch(Path(folder) / "epoch", EpochLayout(rows, PIXELS), parts())


def compare(network, examples, batch_size, repeats, device):
    """Seconds an image of `plain` and of `score`."""
    seconds = {plain: [], score: []}
    with torch.inference_mode():
        for _ in range(repeats + 1):  # the first is the warm-up
            for function, times in seconds.items():
                started = time.perf_counter()
                function(network, examples, batch_size, device)
                if device.type == "cuda":
                    torch.cuda.synchronize()
                times.append(time.perf_counter() - started)
    return {function: min(times[1:]) / len(examples) for function, times in seconds.items()}


def peak_memory(device):
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("annotations", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="maskrcnn_resnet18_fpn")
    parser.add_argument("--image-size", type=int, default=256)
    parser.add_argument("--images", type=int, default=16)
    parser.add_argument("--batch-size", type=int, default=2)
    parser.add_argument("--classes", type=int, default=80)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--device")
    arguments = parser.parse_args()
    device = find_device(arguments.device)
    records, _ = read_records(open_sources(arguments.annotations), arguments.folder)
    examples = load(records, arguments.images, arguments.image_size)
    with seeded(0, 0):
        network = blank_mask_rcnn(arguments.model, arguments.classes)
    network = network.to(device).eval()
    best = compare(network, examples, arguments.batch_size, arguments.repeats, device)
    instances = sum(len(boxes) for _, boxes in examples)
    print(f"{arguments.model}, {arguments.image_size} px, {device}, torch {torch.__version__},")
    print(f"{len(examples)} images, {instances} instances, batches of {arguments.batch_size}")
    print(f"plain forward   {best[plain]:8.4f} s/image  {1 / best[plain]:8.2f} images/s")
    print(f"scoring + log   {best[score]:8.4f} s/image  {1 / best[score]:8.2f} images/s")
    print(f"ratio           {best[plain] / best[score]:8.2f} x")
    print(f"peak memory     {peak_memory(device):8.0f} MiB")


if __name__ == "__main__":
    main()
