"""`tfdp score` on a file of COCO train's size, against the same job by json and cv2.

The file is made from ``data/coco`` of the shared folder, its images and annotations repeated under
new ids. The plain job reads it with `json`, draws every instance in a full frame, and asks cv2 for
its contour, in as many processes as there are processors. Both write a CSV of image scores, by the
rasterizer "opencv"; the scores are compared.

    python -m benchmarks.coco_train_size [--instances 860000] [--growth]
"""

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
from pyarrow import csv

from benchmarks import plain

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("TFDP_SHARED", ROOT.parent / "shared"))
SOURCE = SHARED / "data" / "coco" / "instances.json"


def make_file(path, num_instances):
    """Repeats the source's images and annotations under new ids, as one compact JSON."""
    source = json.loads(SOURCE.read_bytes())
    annotations_of = {image["id"]: [] for image in source["images"]}
    for annotation in source["annotations"]:
        annotations_of[annotation["image_id"]].append(annotation)

    def entries():
        image_id = annotation_id = 0
        while True:
            for image in source["images"]:
                image_id += 1
                annotations = annotations_of[image["id"]]
                ids = range(annotation_id + 1, annotation_id + 1 + len(annotations))
                annotation_id += len(annotations)
                yield (
                    {**image, "id": image_id},
                    [
                        {**annotation, "id": new_id, "image_id": image_id}
                        for annotation, new_id in zip(annotations, ids, strict=True)
                    ],
                )
                if annotation_id >= num_instances:
                    return

    def write_list(file, name, lists):
        file.write(f'"{name}":[')
        separator = ""
        for items in lists:
            for item in items:
                file.write(separator + json.dumps(item, separators=(",", ":")))
                separator = ","
        file.write("],")

    with path.open("w") as file:
        file.write("{")
        write_list(file, "images", ([image] for image, _ in entries()))
        write_list(file, "annotations", (annotations for _, annotations in entries()))
        file.write('"categories":' + json.dumps(source["categories"]) + "}")


def run_plain(path, output):
    """The whole job as one would write it, with the work of scoring shared by all processors."""
    document = json.loads(path.read_bytes())
    images = {image["id"]: image for image in document["images"]}
    annotations = [a for a in document["annotations"] if not a["iscrowd"]]

    def measure(part):
        measured = []
        for annotation in annotations[part]:
            image = images[annotation["image_id"]]
            mask = plain.draw_opencv(annotation["segmentation"], image["height"], image["width"])
            measured.append(plain.measure(mask))
        return measured

    workers = os.cpu_count()
    bounds = np.linspace(0, len(annotations), 8 * workers + 1).astype(int)
    parts = [slice(*both) for both in pairwise(bounds.tolist())]
    global _measure  # noqa: PLW0603 - what the forked processes call
    _measure = measure
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        measured = [row for rows in pool.imap(_call_measure, parts) for row in rows]
    write_plain_scores(annotations, images, np.array(measured), output)


def _call_measure(part):
    return _measure(part)


def write_plain_scores(annotations, images, measured, output):
    area, perimeter = measured.T
    safe = np.where(area > 0, area, 1)
    si_scs = np.where(area > 0, perimeter / (2 * np.sqrt(np.pi * safe)), 0)
    category = np.array([a["category_id"] for a in annotations])
    cb_scs = si_scs / np.maximum(np.bincount(category, si_scs), 1e-300)[category]
    row_of_image = {image_id: row for row, image_id in enumerate(images)}
    image = np.array([row_of_image[a["image_id"]] for a in annotations])
    sums = np.bincount(image, cb_scs, len(images))
    with output.open("w") as file:
        file.write("image_id,cb_scs\n")
        file.writelines(f"{i},{s!r}\n" for i, s in zip(images, sums.tolist(), strict=True))


_RUN = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
spent = resource.getrusage(resource.RUSAGE_CHILDREN)
print(spent.ru_utime + spent.ru_stime, spent.ru_maxrss / 1024)
"""


def measure_run(name, command):
    """Seconds that a command takes; prints the CPU time and the largest process's memory, too."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", _RUN, *map(str, command)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    seconds = time.perf_counter() - start
    cpu, peak = map(float, done.stdout.split())
    print(f"  {name:<28}{seconds:8.2f} s {cpu:8.2f} s CPU {peak:8.0f} MB peak", flush=True)
    return seconds


def compare(path, folder, repeats):
    tfdp_command = [sys.executable, "-c", "from tfdp.cli import main; main()", "score", path]
    tfdp_command += ["--rasterizer", "opencv", "--overwrite", "-o", folder / "ours.csv"]
    plain_command = [sys.executable, "-m", "benchmarks.coco_train_size", "--plain", path]
    plain_command += [folder / "plain.csv"]
    measure_run("tfdp score (first, compiles)", tfdp_command)
    ours = min(measure_run("tfdp score", tfdp_command) for _ in range(repeats))
    plain = min(measure_run("json + cv2, all processors", plain_command) for _ in range(repeats))
    a, b = (csv.read_csv(folder / name) for name in ("ours.csv", "plain.csv"))
    difference = np.abs(np.nan_to_num(a["cb_scs"].to_numpy()) - b["cb_scs"].to_numpy())
    largest = (difference / np.maximum(b["cb_scs"].to_numpy(), 1e-300)).max()
    print(
        f"  ratio {plain / ours:.1f}x; largest relative difference of an image score {largest:.1e}"
    )


def print_growth(folder):
    """Time per instance of reading and scoring, in one process, compiled functions loaded."""
    import tfdp

    tfdp.score_coco(SOURCE, "opencv")
    for num_instances in (10_000, 100_000, 1_000_000):
        path = folder / "growth.json"
        make_file(path, num_instances)
        times = []
        for _ in range(3):
            start = time.perf_counter()
            scores = tfdp.score_coco(path, "opencv")
            times.append(time.perf_counter() - start)
        size = path.stat().st_size / 1e6
        each = min(times) / scores.instances.num_rows * 1e6
        print(f"  {num_instances:>9} instances, {size:6.1f} MB: {each:6.2f} µs each", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--instances", type=int, default=860_000)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--growth", action="store_true", help="print the growth as well")
    parser.add_argument("--plain", nargs=2, type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.plain:
        run_plain(*args.plain)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "instances.json"
        make_file(path, args.instances)
        size = path.stat().st_size / 1e6
        print(f"{args.instances} instances, {size:.0f} MB, {os.cpu_count()} processors")
        compare(path, folder, args.repeats)
        if args.growth:
            print("growth:")
            print_growth(folder)


if __name__ == "__main__":
    main()
