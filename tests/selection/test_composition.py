import numpy as np

from tfdp.scores.contents import Contents
from tfdp.selection.composition import compose

# Image 0: a cat of 32² - 1 px and one of 32² px; image 1: a dog of 96² px; image 2: nothing.
CONTENTS = Contents(
    3,
    np.array([0, 0, 1]),
    np.array([0, 0, 1]),
    np.array(["cat", "dog", "eel"], object),
    np.array([32**2 - 1, 32**2, 96**2]),
)


def test_everything():
    everything = compose(CONTENTS)
    assert (everything.images, everything.instances) == (3, 3)
    assert everything.instances_per_class == {"cat": 2, "dog": 1, "eel": 0}
    assert everything.instances_per_size == {"small": 1, "medium": 1, "large": 1}


def test_what_is_kept():
    kept = compose(CONTENTS, np.array([False, True, True]))
    assert (kept.images, kept.instances) == (2, 1)
    assert kept.instances_per_class == {"cat": 0, "dog": 1, "eel": 0}
    assert kept.instances_per_size == {"small": 0, "medium": 0, "large": 1}


def test_sizes_are_left_out_where_the_masks_were_not_looked_at():
    unseen = Contents(3, CONTENTS.image_index, CONTENTS.category_index, CONTENTS.category_names)
    assert compose(unseen).instances_per_size == {}
