"""Small COCO files to damage."""

import json

import pytest


def square(x, y, side):
    """A polygon that both rasterizers draw."""
    return [[x, y, x + side, y, x + side, y + side, x, y + side]]


def make_document():
    """Two classes, three images (the third without annotations), a crowd."""
    return {
        "info": {"description": "tést"},
        "images": [
            {"id": 10, "file_name": "a.jpg", "height": 60, "width": 80},
            {"id": 20, "file_name": "b.jpg", "height": 60, "width": 80},
            {"id": 30, "file_name": "c.jpg", "height": 60, "width": 80},
        ],
        "annotations": [
            {
                "id": 1,
                "image_id": 10,
                "category_id": 1,
                "iscrowd": 0,
                "segmentation": square(5, 5, 20),
            },
            {
                "id": 2,
                "image_id": 20,
                "category_id": 2,
                "iscrowd": 0,
                "segmentation": square(1, 1, 30),
            },
            {
                "id": 3,
                "image_id": 20,
                "category_id": 1,
                "iscrowd": 0,
                "segmentation": square(40, 9, 9),
            },
            {
                "id": 4,
                "image_id": 20,
                "category_id": 1,
                "iscrowd": 1,
                "segmentation": {"size": [60, 80], "counts": [4000, 800]},
            },
        ],
        "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
    }


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def document():
    return make_document()


@pytest.fixture
def write(tmp_path):
    """Writes a document, or text or bytes as they are, and gives the path."""

    def write_file(content, name="ann.json"):
        path = tmp_path / name
        if isinstance(content, dict):
            content = json.dumps(content)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write_file
