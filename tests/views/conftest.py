"""Datasets of the FiftyOne tests."""

import pytest

from tests.views.datasets import (
    cut_annotations,
    detection,
    import_coco,
    new_datasets,
    rectangle,
    sample,
)
from tests.views.killing import serve_calls

NUM_REAL = 40


@pytest.fixture
def make_dataset():
    """Makes datasets that go with the test."""
    with new_datasets() as make:
        yield make


@pytest.fixture
def shapes(make_dataset):
    """Three samples: a with a 3x7 and a 5x5, b with a 4x4, c with nothing."""
    return make_dataset(
        [
            sample("a", [detection("cat", rectangle(3, 7)), detection("dog", rectangle(5, 5))]),
            sample("b", [detection("cat", rectangle(4, 4))], tags=["golden"]),
            sample("c", []),
        ]
    )


@pytest.fixture(scope="session")
def coco_file(shared, tmp_path_factory):
    """The first `NUM_REAL` images of the real COCO file."""
    folder = tmp_path_factory.mktemp("coco")
    return cut_annotations(
        shared / "data" / "coco" / "instances.json", folder / "instances.json", NUM_REAL
    )


@pytest.fixture(scope="session")
def coco_images(shared):
    return shared / "data" / "coco" / "images"


@pytest.fixture(scope="session")
def imported(coco_file, coco_images):
    dataset = import_coco(coco_file, coco_images)
    yield dataset
    dataset.delete()


@pytest.fixture
def coco(imported):
    """The real dataset, to change at will."""
    dataset = imported.clone()
    yield dataset
    dataset.delete()


@pytest.fixture(scope="module")
def run_killed():
    """Runs code on a dataset, killed before its k-th write; says whether it came to its end."""
    with serve_calls() as run:
        yield run
