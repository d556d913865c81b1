"""Scores, prunes and exports a dataset, prints what that did, and opens the App on it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tabulate import tabulate

from .draw import draw_dataset
from .sandbox import ROOT, enter_sandbox, find_free_port

if TYPE_CHECKING:
    import fiftyone as fo

NAME = "tfdp-demo"
LABEL_FIELD = "ground_truth"
RATE = 0.5


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument(
        "--coco", type=Path, help="your COCO annotation file, instead of drawn data"
    )
    parser.add_argument("--images", type=Path, help="the folder of its images")
    parser.add_argument(
        "--output", type=Path, default=ROOT / "demo-output", help="where all of it goes"
    )
    parser.add_argument("--no-app", action="store_true", help="do not open the App")
    arguments = parser.parse_args()
    if (arguments.coco is None) != (arguments.images is None):
        parser.error("COCO=annotations.json and IMAGES=folder go together")
    return arguments


def _import_coco(annotations: Path, images: Path) -> fo.Dataset:
    import fiftyone as fo

    dataset = fo.Dataset(NAME, persistent=True, overwrite=True)
    dataset.add_dir(
        dataset_type=fo.types.COCODetectionDataset,
        data_path=str(images),
        labels_path=str(annotations),
        label_types=["segmentations"],
        label_field={"segmentations": LABEL_FIELD, "coco_id": "coco_id"},
        include_id=True,
    )
    return dataset


def _print_composition(record: dict[str, Any]) -> None:
    before, after = record["before"], record["after"]
    names = sorted(
        before["instances_per_class"], key=lambda name: -before["instances_per_class"][name]
    )
    shown = [name for name in names if before["instances_per_class"][name]][:20]
    rows = [("images", before["images"], after["images"])]
    rows.append(("instances", before["instances"], after["instances"]))
    rows += [
        (f"  {name}", before["instances_per_class"][name], after["instances_per_class"][name])
        for name in shown
    ]
    table = [(name, n, kept, f"{kept / n:.0%}") for name, n, kept in rows]
    print(tabulate(table, headers=("", "all", "kept", "")))


def _count(skipped: dict[str, list[str]]) -> str:
    return ", ".join(f"{len(ids)} {reason}" for reason, ids in skipped.items()) or "none"


def _open_app(view: fo.DatasetView) -> None:
    """Opens the App for this machine alone, and waits until it is ended.

    FiftyOne would let everyone in where it thinks that it is in a container, and would show another
    App that has the port already.
    """
    import fiftyone as fo

    port = find_free_port(fo.config.default_app_port)
    session = fo.launch_app(view, address="127.0.0.1", port=port)
    print(f"\nThe App is at http://127.0.0.1:{port}; Ctrl-C ends it.", flush=True)
    session.wait(-1)


def main() -> None:
    arguments = _parse_arguments()
    output = arguments.output
    enter_sandbox(output / "fiftyone")
    import tfdp

    annotations, images = arguments.coco, arguments.images
    if annotations is None:
        annotations = draw_dataset(output / "drawn")
        images = annotations.parent / "images"
    dataset = _import_coco(annotations, images)
    print(f"\nScoring {len(dataset)} images of {annotations}")
    scored = tfdp.compute_shape_scores(dataset, LABEL_FIELD)
    print(f"{scored.counts['instances']} instances scored; not scored: {_count(scored.skipped)}")

    print(f"\nPruning {RATE:.0%} of the images by CB-SCS")
    view = tfdp.prune_view(dataset, RATE, brain_key="pruned_50")
    _print_composition(dataset.load_brain_results("pruned_50").record)

    pruned = output / "pruned.json"
    tfdp.export_coco(view, pruned, label_field=LABEL_FIELD, annotations=annotations, overwrite=True)
    print(f"\nThe kept images' annotations, as they were: {pruned}")
    if not arguments.no_app:
        print("\nOpening the App. Press ` in it and type 'pruned' for the operators.")
        _open_app(dataset.view().sort_by("cb_scs", reverse=True))


if __name__ == "__main__":
    main()
