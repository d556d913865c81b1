"""The steps of benchmarks/gpu.py, each a function from what it is given to its figures.

python -m benchmarks.gpu_steps STEP FOLDER RESULT [--device D] [--quick]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import resource
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import NamedTuple

STEPS = {}
BATCH_MESSAGE = re.compile(r"epoch (\d+)/(\d+), batch (\d+)/(\d+)")


class Step(NamedTuple):
    run: object
    limit: float  # seconds


class Setup(NamedTuple):
    folder: Path  # of the drawn data, and of what a step leaves for later ones
    device: str
    quick: bool

    @property
    def big(self):
        """Model, image size, images, batch size: the usual recipe's."""
        if self.quick:
            return "maskrcnn_light", 64, 8, 2
        return "maskrcnn_resnet50_fpn", 800, 256, 16

    @property
    def workers(self):
        return 1 if self.quick else min(8, os.cpu_count() or 1)

    @property
    def trained(self):
        """The checkpoint of the step `training`; untrained weights where it has left none."""
        path = self.folder / "resnet" / "checkpoint.pt"
        return str(path) if path.exists() else "none"

    def records(self, count):
        from tfdp.sources.formats import open_sources
        from tfdp.sources.records import read_records

        found, _ = read_records(open_sources(self.folder / "instances.json"), self.images)
        return [record for record in found if len(record.instance_ids)][:count]

    @property
    def images(self):
        return self.folder / "images"


def step(limit):
    """Registers a step that may take so many seconds."""

    def register(run):
        STEPS[run.__name__] = Step(run, limit)
        return run

    return register


def peak_memory(device):
    """GB, of the GPU where there is one."""
    import torch

    if device == "cpu":
        return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB, resident"
    used, reserved = torch.cuda.max_memory_allocated(), torch.cuda.max_memory_reserved()
    return f"{used / 2**30:.2f} GiB used, {reserved / 2**30:.2f} GiB reserved"


def train(setup, folder, count, **options):
    """Scores of a training, and (seconds, message) of all that it reported."""
    from tfdp.models.segmentation import train_and_score

    told = []

    def progress(_fraction, message):
        told.append((time.perf_counter(), message))

    asked = {
        "weights": "none",  # gentle, since from such it may diverge
        "learning_rate": 0.005,
        "gradient_clip": 5.0,
        "device": setup.device,
        "workers": setup.workers,
    }
    scores = train_and_score(setup.records(count), folder, progress=progress, **asked | options)
    return scores, told


def images_a_second(told, batch_size):
    """Of the last epoch's training, without its first batch."""
    seen = [(when, BATCH_MESSAGE.match(message)) for when, message in told]
    last = [(when, int(m[3])) for when, m in seen if m is not None and m[1] == m[2]]
    (start, first), (stop, final) = last[0], last[-1]
    return round((final - first) * batch_size / (stop - start), 2)


def time_training(setup, name, model, image_size, count, batch_size):
    started = time.perf_counter()
    scores, told = train(
        setup, setup.folder / name, count,
        model=model, image_size=image_size, batch_size=batch_size, epochs=2,
    )  # fmt: skip
    scored = 2 * len(scores.rows.image_ids)
    return {
        "network": f"{model}, {image_size} px, batches of {batch_size}, {setup.workers} workers",
        "training, images/s": images_a_second(told, batch_size),
        "scoring with the log, images/s": round(scored / scores.seconds["scoring"], 2),
        "peak memory": peak_memory(setup.device),
        "seconds in all": round(time.perf_counter() - started, 1),
    }


@step(60)
def data(setup):
    from benchmarks.drawn_photos import draw_photos

    draw_photos(setup.folder, 16 if setup.quick else 360)
    records = setup.records(None)
    return {"images": len(records), "instances": sum(len(r.instance_ids) for r in records)}


@step(30)
def machine(setup):
    import torch
    import torchvision

    found = {
        "python": platform.python_version(),
        "torch, torchvision": f"{torch.__version__}, {torchvision.__version__}",
        "cores": os.cpu_count(),
        "open files, soft and hard": str(resource.getrlimit(resource.RLIMIT_NOFILE)),
    }
    if setup.device != "cpu":
        gpu = torch.cuda.get_device_properties(0)
        found["GPU"] = f"{gpu.name}, {gpu.total_memory / 2**30:.0f} GiB"
        found["GPUs, CUDA"] = f"{torch.cuda.device_count()}, {torch.version.cuda}"
        found["bfloat16"] = torch.cuda.is_bf16_supported()
    return found


@step(170)
def training(setup):
    return time_training(setup, "resnet", *setup.big)


@step(70)
def light_training(setup):
    _, _, count, batch_size = setup.big
    return time_training(
        setup, "light", "maskrcnn_light", 96 if setup.quick else 320, count, batch_size
    )


def read_scores(setup, name, count, device, precision):
    """Scores of the trained weights as they are."""
    model, image_size, _, _ = setup.big
    scores, _ = train(
        setup, setup.folder / name, count,
        model=model, image_size=image_size, weights=setup.trained, epochs=0,
        device=device, precision=precision,
    )  # fmt: skip
    return scores.instance_scores


def compare_scores(found, expected):
    """Spearman's correlation and the largest difference of each score."""
    import numpy as np
    from scipy.stats import spearmanr

    said = []
    for name, values in expected.items():
        there = np.isfinite(values)
        pair = found[name][there], values[there]
        most = np.abs(pair[0] - pair[1]).max()
        said.append(f"{name} {spearmanr(*pair)[0]:.6f}, {most:.2g}")
    return "; ".join(said)


@step(110)
def agreement(setup):
    import torch

    count = 6 if setup.quick else 40
    expected = read_scores(setup, "cpu", count, "cpu", "float32")
    found = {"instances": len(expected["loss"]), "weights": Path(setup.trained).name}
    for precision in ("float32", "bfloat16"):
        scores = read_scores(setup, precision, count, setup.device, precision)
        found[f"{precision} against the CPU (Spearman, most)"] = compare_scores(scores, expected)
    torch.backends.cudnn.allow_tf32 = False
    strict = read_scores(setup, "strict", count, setup.device, "float32")
    found["float32 without TF32 (Spearman, most)"] = compare_scores(strict, expected)
    return found


@step(60)
def scoring(setup):
    import torch

    from benchmarks import model_scores
    from tfdp.models.checkpoints import read_checkpoint
    from tfdp.models.evaluation import load_network

    checkpoint = read_checkpoint(Path(setup.trained))
    device = torch.device(setup.device)
    network = load_network(checkpoint, setup.trained).to(device)
    examples = model_scores.load(setup.records(None), 4 if setup.quick else 64, setup.big[1])
    found = {}
    for batch_size in (2,) if setup.quick else (4, 16):
        seconds = model_scores.compare(network, examples, batch_size, 2, device)
        plain, own = seconds[model_scores.plain], seconds[model_scores.score]
        found[f"batches of {batch_size}: plain forward, images/s"] = round(1 / plain, 2)
        found[f"batches of {batch_size}: scoring and log, images/s"] = round(1 / own, 2)
        found[f"batches of {batch_size}: as fast"] = f"{plain / own:.2f} x"
    return found | {"peak memory": peak_memory(setup.device)}


@step(80)
def loading(setup):
    """Reading, resizing, joining and sending alone, by the number of processes."""
    import torch

    from tfdp.models.batches import join_examples
    from tfdp.models.loading import consecutive_batches, load_batches
    from tfdp.models.segmentation_task import Example, _load_to_train

    _, image_size, count, batch_size = setup.big
    examples = [
        Example(r, [*range(len(r.instance_ids))], torch.ones(len(r.instance_ids)), 0)
        for r in setup.records(count)
    ]
    order = consecutive_batches(range(len(examples)), batch_size)
    load = partial(_load_to_train, (image_size,), 0)
    found = {}
    for workers in (0, 1) if setup.quick else (0, 2, 4, 8, 16):
        times = [time.perf_counter()]
        pinned = setup.device != "cpu"
        batches = load_batches(load, examples, order, workers, join_examples, pinned=pinned)
        times += [time.perf_counter() for _ in batches]
        speed = batch_size * (len(times) - 2) / (times[-1] - times[1])
        first = times[1] - times[0]
        found[f"{workers} workers"] = f"{speed:.1f} images/s, the first batch after {first:.1f} s"
    return found


@step(90)
def waiting(setup):
    """How long the loop waits for its batches, and how long the GPU computes."""
    import torch

    from tfdp.models import segmentation_task

    waits = []
    load_batches = segmentation_task.load_batches

    def timed(*arguments, **options):
        batches = iter(load_batches(*arguments, **options))
        while True:
            started = time.perf_counter()
            try:
                batch = next(batches)
            except StopIteration:
                return
            waits.append(time.perf_counter() - started)
            yield batch

    segmentation_task.load_batches = timed
    model, image_size, count, batch_size = setup.big
    kind = torch.profiler.ProfilerActivity
    activity = kind.CPU if setup.device == "cpu" else kind.CUDA
    with torch.profiler.profile(activities=[activity]) as profile:
        scores, _ = train(
            setup, setup.folder / "waiting", count // 2,
            model=model, image_size=image_size, batch_size=batch_size, epochs=1, scores=("loss",),
        )  # fmt: skip
    spent = sum(scores.seconds.values())
    rows = profile.key_averages()
    own = "self_cpu_time_total" if setup.device == "cpu" else "self_device_time_total"
    busy = {row.key: getattr(row, own) / 1e6 for row in rows}
    most = sorted(busy, key=busy.get, reverse=True)[:6]
    return {
        "training and scoring, s": round(spent, 2),
        "waiting for batches": f"{sum(waits) / spent:.1%}; without the first two: "
        f"{(sum(waits) - sum(sorted(waits)[-2:])) / spent:.1%}",
        "computing": f"{sum(busy.values()) / spent:.1%}",
        **{f"  {name[:44]}": f"{busy[name] / spent:.1%}" for name in most},
    }


def limited_memory(device):
    """The beginning of a program whose memory is too small."""
    if device == "cpu":
        return (
            "import resource, torch, tfdp.models.segmentation\n"
            "size = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
            "resource.setrlimit(resource.RLIMIT_AS, (size + 2**30,) * 2)\n"
        )
    return (
        "import torch\n"
        "whole = torch.cuda.get_device_properties(0).total_memory\n"
        "torch.cuda.set_per_process_memory_fraction(3 * 2**30 / whole)\n"
    )


@step(60)
def out_of_memory(setup):
    """What tfdp train-score says where 3 GiB of the GPU (1 GiB of a CPU) are all there is."""
    model, _, _, _ = setup.big
    command = [
        "train-score", str(setup.folder / "instances.json"), "--images", str(setup.images),
        "--log", str(setup.folder / "small"), "-o", str(setup.folder / "small.csv"),
        "--model", model, "--weights", "none", "--epochs", "2", "--image-size", "800",
        "--batch-size", "16", "--device", setup.device, "--workers", "0",
    ]  # fmt: skip
    program = f"{limited_memory(setup.device)}from tfdp.cli import main\n"
    program += f"raise SystemExit(main({command!r}))"
    done = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True
    )
    return {"exit status": done.returncode, "said": done.stderr.strip().splitlines()[-1]}


@step(90)
def repeat(setup):
    """Whether runs of one seed are equal, in one process and with loading processes."""
    import numpy as np

    model, image_size, _, _ = setup.big
    runs = {"no": 0, "no again": 0, "some": setup.workers}
    found = {}
    for number, (name, workers) in enumerate(runs.items()):
        scores, _ = train(
            setup, setup.folder / f"repeat{number}", 4 if setup.quick else 48,
            model=model, image_size=image_size // 2 if not setup.quick else image_size,
            batch_size=2 if setup.quick else 8, epochs=2, workers=workers, scores=("loss", "aum"),
        )  # fmt: skip
        found[name] = scores.instance_scores
    return {
        f"{name} workers, against none": "equal"
        if all(
            np.array_equal(found[name][score], found["no"][score], equal_nan=True)
            for score in found["no"]
        )
        else compare_scores(found[name], found["no"])
        for name in [*runs][1:]
    }


@step(60)
def evaluation(setup):
    from tfdp.models.evaluation import evaluate_checkpoint

    started = time.perf_counter()
    scores = evaluate_checkpoint(
        Path(setup.trained),
        setup.folder / "instances.json",
        setup.images,
        batch_size=2 if setup.quick else 8,
        device=setup.device,
        workers=setup.workers,
        progress=lambda *_: None,
    )
    spent = time.perf_counter() - started
    count = len(json.loads((setup.folder / "instances.json").read_text())["images"])
    return {
        "images/s, reading and pycocotools included": round(count / spent, 2),
        "mask AP, box AP": f"{scores['segm']['AP']:.3f}, {scores['bbox']['AP']:.3f}",
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("step", choices=STEPS)
    parser.add_argument("folder", type=Path)
    parser.add_argument("result", type=Path)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    setup = Setup(arguments.folder, arguments.device, arguments.quick)
    arguments.result.write_text(json.dumps(STEPS[arguments.step].run(setup)))


if __name__ == "__main__":
    main()
