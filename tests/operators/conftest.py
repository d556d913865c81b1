"""The datasets of the FiftyOne tests serve here, too."""

from tests.views.conftest import (  # noqa: F401 - fixtures
    coco,
    coco_file,
    coco_images,
    imported,
    make_dataset,
    run_killed,
    shapes,
)
