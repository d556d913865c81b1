"""The main job in the App, as a person does it: score, look, prune, look.

The screenshots go to ``test-output/screenshots``; the README's are made by these tests.
"""

import fiftyone as fo
import pytest

from demo.draw import draw_dataset

pytestmark = pytest.mark.app


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    drawn = tmp_path_factory.mktemp("drawn")
    draw_dataset(drawn, num_images=120)
    dataset = fo.Dataset("drawn-in-app", persistent=True, overwrite=True)
    dataset.add_dir(
        dataset_type=fo.types.COCODetectionDataset,
        data_path=str(drawn / "images"),
        labels_path=str(drawn / "instances.json"),
        label_types=["segmentations"],
        label_field={"segmentations": "ground_truth", "coco_id": "coco_id"},
        include_id=True,
    )
    yield dataset
    dataset.delete()


@pytest.fixture(scope="module")
def scored(dataset):
    import tfdp

    tfdp.compute_shape_scores(dataset, "ground_truth")
    return dataset


def test_compute_shape_scores_from_the_operator_browser(app, dataset):
    app.open(dataset)
    app.operator("Compute shape scores")
    app.page.get_by_text("Writes scs, si_scs, cb_scs, cb_only on 120 samples").wait_for()
    app.screenshot("compute_shape_scores_form")
    app.press_button("Compute")
    app.page.get_by_text("Instances scored").wait_for()
    app.screenshot("compute_shape_scores_result")
    app.press_button("Close")

    # the sidebar has the scores, with a slider of the samples' values
    app.sidebar_field("cb_scs").wait_for()
    app.open(dataset)  # FiftyOne shows a new sidebar group when the page is loaded
    app.page.locator("[data-cy='sidebar-group-PRUNING']").wait_for()
    app.open_sidebar_field("cb_scs")
    app.page.locator("[data-cy='sidebar'] [data-cy=slider]").first.wait_for()
    app.screenshot("scores_in_sidebar")
    dataset.reload()
    assert dataset.list_brain_runs() == ["shape_scores"]
    assert dataset.count("cb_scs") == 108


def test_create_pruned_view_from_the_operator_browser(app, scored):
    app.open(scored)
    app.operator("Create pruned view")
    app.page.get_by_text("Classes that lose most").wait_for()
    app.page.get_by_text("Classes that lose most").scroll_into_view_if_needed()
    app.screenshot("create_pruned_view_form")
    app.press_button("Create")
    app.page.get_by_text("Samples kept").first.wait_for()
    app.press_button("Close")
    app.page.get_by_text("54 samples", exact=True).wait_for()
    app.screenshot("pruned_view")
    scored.reload()
    assert len(scored.load_saved_view("pruned")) == 54


def test_a_rate_that_cannot_be_is_refused_in_the_form(app, scored):
    app.open(scored)
    app.operator("Create pruned view")
    app.page.get_by_text("Classes that lose most").wait_for()
    app.page.get_by_label("Pruning rate", exact=False).or_(
        app.page.locator("input[value='0.5']")
    ).first.fill("1.5")
    app.page.get_by_text("less than 1, but got 1.5").first.wait_for()
    app.screenshot("refused_rate")


def test_the_panel_shows_what_a_rate_costs(app, scored):
    app.page.set_viewport_size({"width": 1500, "height": 1440})
    app.open(scored)
    app.open_panel("Instance pruning")
    app.page.get_by_text("images are kept, and with them").wait_for()
    app.page.get_by_text("Images by score").wait_for()
    app.page.wait_for_timeout(1500)  # plots fade in
    app.screenshot("pruning_panel")
