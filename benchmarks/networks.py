"""How long networks take to learn an image and to score it, in turns.

python -m benchmarks.networks [MODEL ...] [--image-size S ...] [--instances N ...] [--threads T]

Each model learns and scores the same batch of random images, of 4:3, with random boxes that are
filled; what is frozen with published weights is. They take turns, and the fastest of the repeats
counts. Processor seconds an image (of all threads), images/s by the clock, and how many times the
images/s of the first model. Loading images is not in it.
"""

from __future__ import annotations

import argparse
import time

import torch

from tfdp.models.mask_rcnn import blank_mask_rcnn, mask_logits
from tfdp.models.segmentation_task import score_logits
from tfdp.models.training import seeded

CLASSES = 7


def draw_batch(count, instances, size):
    images, targets = [], []
    for _ in range(count):
        images.append(torch.rand(3, size, size * 4 // 3))
        corners = 0.6 * size * torch.rand(instances, 2)
        boxes = torch.cat([corners, corners + size * (0.1 + 0.3 * torch.rand(instances, 2))], dim=1)
        masks = torch.zeros(instances, size, size * 4 // 3, dtype=torch.uint8)
        for mask, (x1, y1, x2, y2) in zip(masks, boxes.int().tolist(), strict=True):
            mask[y1:y2, x1:x2] = 1
        labels = torch.randint(1, CLASSES + 1, (instances,))
        targets.append({"boxes": boxes, "labels": labels, "masks": masks})
    return images, targets


def learn(network, optimizer, images, targets):
    network.train()
    optimizer.zero_grad()
    sum(network(images, targets).values()).backward()
    optimizer.step()


def score(network, _, images, targets):
    labels = torch.cat([target["labels"] for target in targets])
    with torch.inference_mode():
        logits = mask_logits(network, images, [t["boxes"] for t in targets], labels).flatten(1)
        score_logits(logits, logits > 0)


def timed(function, *given):
    processor, clock = time.process_time(), time.perf_counter()
    function(*given)
    return time.process_time() - processor, time.perf_counter() - clock


def prepare(model):
    network = blank_mask_rcnn(model, CLASSES, pretrained=True)
    weights = [weight for weight in network.parameters() if weight.requires_grad]
    return network, torch.optim.SGD(weights, lr=1e-4, momentum=0.9)


def measure(networks, batch, repeats):
    """The least (processor, clock) seconds of each model's learning and scoring."""
    seconds = {(name, work): [] for name in networks for work in (learn, score)}
    for _ in range(repeats + 1):  # the first is the warm-up
        for (name, work), times in seconds.items():
            times.append(timed(work, *networks[name], *batch))
    return {key: [min(column) for column in zip(*t[1:], strict=True)] for key, t in seconds.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", default=["maskrcnn_resnet18_fpn", "maskrcnn_light"])
    parser.add_argument("--image-size", type=int, nargs="+", default=[160])
    parser.add_argument("--instances", type=int, nargs="+", default=[5])
    parser.add_argument("--batch-size", type=int, default=4)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    print(f"torch {torch.__version__}, {arguments.threads} threads", end=", ")
    print(f"batches of {arguments.batch_size}; processor s/image, images/s, times the first's")
    with seeded(0, 0):
        networks = {model: prepare(model) for model in arguments.models}
        for size in arguments.image_size:
            for instances in arguments.instances:
                batch = draw_batch(arguments.batch_size, instances, size)
                best = measure(networks, batch, arguments.repeats)
                for (name, work), (processor, clock) in best.items():
                    first = best[arguments.models[0], work][1]
                    print(
                        f"{name:24} {size:4} px {instances:3} instances {work.__name__:5}"
                        f" {processor / arguments.batch_size:8.4f}"
                        f" {arguments.batch_size / clock:8.2f} {first / clock:6.2f}",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
