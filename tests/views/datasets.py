"""Makes FiftyOne datasets for tests: drawn by hand, or imported from COCO files."""

import json
from contextlib import contextmanager

import fiftyone as fo
import numpy as np


@contextmanager
def new_datasets():
    """A function that makes a dataset of samples; all that it made are deleted in the end."""
    made = []

    def make(samples):
        dataset = fo.Dataset()
        made.append(dataset)
        dataset.add_samples(samples, progress=False)
        return dataset

    try:
        yield make
    finally:
        for dataset in made:
            if not dataset.deleted:
                dataset.delete()


def rectangle(height, width):
    return np.ones((height, width), bool)


def detection(label, mask, box=(0.1, 0.1, 0.2, 0.2), **attributes):
    return fo.Detection(label=label, bounding_box=list(box), mask=mask, **attributes)


def sample(name, labels, kind=fo.Detections, size=(100, 100), **fields):
    """A sample of an image that need not exist: scores look at masks alone."""
    if size is not None:
        fields["metadata"] = fo.ImageMetadata(width=size[0], height=size[1])
    labels = kind(**{kind.__name__.lower(): labels})
    return fo.Sample(filepath=f"/images/{name}.png", gt=labels, **fields)


def cut_annotations(source, target, num_images):
    """The first images of a COCO file, and what is in them."""
    whole = json.loads(source.read_text())
    whole["images"] = whole["images"][:num_images]
    ids = {image["id"] for image in whole["images"]}
    whole["annotations"] = [a for a in whole["annotations"] if a["image_id"] in ids]
    target.write_text(json.dumps(whole))
    return target


def import_coco(labels_path, images, name=None):
    return fo.Dataset.from_dir(
        dataset_type=fo.types.COCODetectionDataset,
        data_path=str(images),
        labels_path=str(labels_path),
        label_types=["segmentations"],
        label_field={"segmentations": "ground_truth", "coco_id": "coco_id"},
        include_id=True,
        name=name,
        progress=False,
    )
