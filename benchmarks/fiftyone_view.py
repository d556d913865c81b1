"""Scores of a FiftyOne view: `compute_shape_scores` against the plain way, in one run.

    python -m benchmarks.fiftyone_view [folder with instances.json and images/] [--instances N]

The plain way is what one writes with FiftyOne's documented calls: iterate over the samples, paste
each mask in its frame, find its contours, save; and a second pass, since CB-SCS needs the totals of
the classes. ``--instances N`` fills a dataset of N masks, copies of the folder's under new ids, and
measures time an instance and peak memory; the plain way is then run on the folder alone.
"""

from __future__ import annotations

import argparse
import atexit
import os
import resource
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from demo.sandbox import ROOT, enter_sandbox

ROUNDS = 5  # the median of ours is printed
FOLDER = Path(os.environ.get("TFDP_SHARED", ROOT.parent / "shared")) / "data" / "coco"


def labels_of(sample):
    return sample.ground_truth.detections if sample.ground_truth else []


def score_plainly(dataset):
    """SCS, SI-SCS and CB-SCS by iteration, full frames and OpenCV."""
    import cv2
    import numpy as np

    totals = {}
    for sample in dataset.iter_samples(autosave=True):
        width, height = sample.metadata.width, sample.metadata.height
        for label in labels_of(sample):
            if label.mask is None or label.iscrowd:
                continue
            frame = np.zeros((height, width), np.uint8)
            x, y = (round(v * s) for v, s in zip(label.bounding_box, (width, height)))  # noqa: B905
            rows, columns = label.mask.shape
            x, y = min(x, width - columns), min(y, height - rows)
            frame[y : y + rows, x : x + columns] = label.mask
            contours, _ = cv2.findContours(frame, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
            largest = max(contours, key=cv2.contourArea, default=None)
            area = 0 if largest is None else cv2.contourArea(largest)
            perimeter = 0 if largest is None else cv2.arcLength(largest, closed=True)
            label["scs"] = perimeter / area if area else 0.0
            label["si_scs"] = perimeter / (2 * np.sqrt(np.pi * area)) if area else 0.0
            totals[label.label] = totals.get(label.label, 0) + label.si_scs
    for sample in dataset.iter_samples(autosave=True):
        scored = [x for x in labels_of(sample) if x.has_field("si_scs")]
        for label in scored:
            total = totals[label.label]
            label["cb_scs"] = label.si_scs / total if total else 0.0
        for name in ("scs", "si_scs", "cb_scs"):
            sample[name] = sum(x[name] for x in scored) if scored else None


def import_folder(folder):
    import fiftyone as fo

    return fo.Dataset.from_dir(
        dataset_type=fo.types.COCODetectionDataset,
        data_path=str(folder / "images"),
        labels_path=str(folder / "instances.json"),
        label_types=["segmentations"],
        label_field="ground_truth",
        progress=False,
    )


def repeat(dataset, num_instances):
    """A dataset of ``num_instances`` masks or a few more: copies of the samples under new ids."""
    import fiftyone as fo
    from bson import ObjectId

    from tfdp.views.fiftyone_internals import dataset_id, sample_collection

    grown = fo.Dataset()
    grown.add_samples([sample.copy() for sample in dataset.limit(1)], progress=False)
    collection = sample_collection(grown)
    collection.delete_many({})
    done, round_number = 0, 0
    while done < num_instances:
        samples = list(sample_collection(dataset).find())
        for sample in samples:
            sample["_id"] = ObjectId()
            sample["_dataset_id"] = dataset_id(grown)
            sample["filepath"] += f".{round_number}"
            labels = (sample.get("ground_truth") or {}).get("detections", [])
            for label in labels:
                label["_id"] = ObjectId()
            done += len(labels)
        collection.insert_many(samples)
        round_number += 1
    return grown


def timed(function, *args, **kwargs):
    start = time.perf_counter()
    result = function(*args, **kwargs)
    return time.perf_counter() - start, result


def compare(dataset):
    import numpy as np

    import tfdp

    plain = dataset.clone()
    slow, _ = timed(score_plainly, plain)
    warm_up = dataset.limit(5).clone()
    tfdp.compute_shape_scores(warm_up, "ground_truth", progress=False)
    runs = []
    for _ in range(ROUNDS):
        ours = dataset.clone()  # never scored before
        runs.append(timed(tfdp.compute_shape_scores, ours, "ground_truth", progress=False))
    fast = statistics.median(seconds for seconds, _ in runs)
    results = runs[-1][1]
    n = results.counts["instances"]
    for name in ("scs", "si_scs", "cb_scs"):
        a, b = (np.array(d.values(name), float) for d in (plain, ours))
        np.testing.assert_allclose(a, b, rtol=1e-5)
        a, b = (
            np.array(
                [v for row in d.values(f"ground_truth.detections.{name}") for v in row or []], float
            )
            for d in (plain, ours)
        )
        np.testing.assert_allclose(a, b, rtol=1e-5)
    again, _ = timed(tfdp.compute_shape_scores, ours, "ground_truth", progress=False)
    print(f"{n} instances in {len(dataset)} samples; equal scores (1e-5, cv2 adds float32)")
    print(f"plain way              {slow:8.2f} s  {slow / n * 1e6:8.1f} µs an instance")
    print(f"compute_shape_scores   {fast:8.2f} s  {fast / n * 1e6:8.1f} µs an instance")
    print(f"the same again         {again:8.2f} s  {again / n * 1e6:8.1f} µs an instance")
    print(f"ratio                  {slow / fast:8.1f} x")


def measure_growth(dataset, num_instances):
    import tfdp

    grown = repeat(dataset, num_instances)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    seconds, results = timed(tfdp.compute_shape_scores, grown, "ground_truth", progress=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    n = results.counts["instances"]
    print(
        f"{n} instances in {len(grown)} samples: {seconds:.1f} s, {seconds / n * 1e6:.1f} µs each"
    )
    print(f"peak memory {peak:.0f} MB, of which {before:.0f} MB before")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    parser.add_argument("--instances", type=int)
    arguments = parser.parse_args()
    sandbox = Path(tempfile.mkdtemp(prefix="tfdp-benchmark-"))
    atexit.register(shutil.rmtree, sandbox, ignore_errors=True)  # after FiftyOne's own clean-up
    enter_sandbox(sandbox)
    dataset = import_folder(arguments.folder)
    compare(dataset)
    if arguments.instances:
        measure_growth(dataset, arguments.instances)


if __name__ == "__main__":
    main()
