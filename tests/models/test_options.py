"""What can be asked of a training, and what cannot; without torch."""

import pytest

from tfdp.models.options import ClassificationOptions, SegmentationOptions, TrainingOptions
from tfdp.options import options_of


@pytest.mark.parametrize("cls", [SegmentationOptions, ClassificationOptions])
@pytest.mark.parametrize(
    "given, message",
    [
        ({"epochs": -1}, "epochs must be a whole number of 0 to 100000, but got -1"),
        ({"batch_size": 0}, "batch_size must be a whole number of 1 or more"),
        ({"image_size": 31}, "image_size must be a whole number of 32 to 8192"),
        ({"seed": -1}, "seed must be a whole number of 0 or more"),
        ({"learning_rate": 0.0}, "learning_rate must be more than 0, but got 0.0"),
        ({"learning_rate": float("nan")}, "learning_rate must be a finite number"),
        ({"workers": 513}, "workers must be a whole number of 0 to 512"),
        ({"window": 1}, "window must be a whole number of 2 to"),
        ({"epochs": 4, "window": 5}, "got 4 for a window of 5"),
        ({"scores": ["auc"]}, "expected a score of entropy, .* got 'auc'"),
        ({"scores": []}, "expected one score or more"),
        ({"scores": ["aum"], "epochs": 0}, "aum need a training"),
    ],
)
def test_no_training_can_be_like_that(cls, given, message):
    with pytest.raises(ValueError, match=message):
        cls(**given)


def test_masks_and_classes_differ_in_defaults_and_in_little_else():
    masks, classes = options_of(SegmentationOptions), options_of(ClassificationOptions)
    shared = set(options_of(TrainingOptions))
    assert set(masks) - shared == {"region", "pixels", "aggregation", "scales"}
    augmentation = {"flips", "crops", "auto_augment", "label_smoothing"}
    assert set(classes) - shared == {*augmentation, "log_while_training"}
    differing = {name for name in shared if masks[name].default != classes[name].default}
    assert differing == {
        "model", "epochs", "batch_size", "image_size", "learning_rate",
    }  # fmt: skip


def test_a_log_is_of_what_makes_the_training():
    log = ClassificationOptions(workers=3, decay_epochs=(8, 11)).of_log()
    assert {"model", "weights", "epochs", "iterations", "seed", "flips", "crops"} < set(log)
    assert not {"workers", "device", "preset", "scores", "window", "pixels"} & set(log)
    assert log["decay_epochs"] == [8, 11]  # as a JSON file gives it back


def test_all_scores_of_a_run_are_chosen_where_none_is_named():
    assert SegmentationOptions(epochs=0).chosen_scores == ("entropy", "loss", "el2n")
    snapshots_and_sums = ("entropy", "loss", "el2n", "forgetting", "aum")
    assert SegmentationOptions(epochs=1).chosen_scores == snapshots_and_sums  # no window fits
    assert len(SegmentationOptions(epochs=2).chosen_scores) == 7
    assert len(SegmentationOptions().chosen_scores) == 7
    assert SegmentationOptions(scores=["aum"]).chosen_scores == ("aum",)
