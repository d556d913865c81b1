"""Model-based scores and the comparison of scores in the App."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from fiftyone.operators.delegated import DelegatedOperationService

import tfdp
from tests.views.datasets import import_coco
from tfdp.models.packages import find_missing_packages

pytestmark = pytest.mark.app


@pytest.fixture(scope="module")
def scored(drawn):
    dataset = import_coco(drawn / "instances.json", drawn / "images", name="side-by-side")
    tfdp.compute_shape_scores(dataset, "ground_truth", progress=False)
    yield dataset
    dataset.delete()


def test_scores_are_compared(app, scored):
    app.open(scored)
    app.operator("Compare scores")
    app.page.get_by_text("Write the table to a file").wait_for()
    app.screenshot("compare_scores_form")
    app.press_button("Compare")
    app.page.get_by_text("Likeness to cb_scs").wait_for()
    app.page.get_by_role("cell", name="instance_matched_random").first.wait_for()
    app.page.locator(".js-plotly-plot .heatmaplayer image").first.wait_for(state="attached")
    app.page.locator(".js-plotly-plot .scatterlayer .trace").first.wait_for(state="attached")
    app.screenshot("compare_scores_result")
    app.page.locator(".js-plotly-plot").last.scroll_into_view_if_needed()
    app.screenshot("compare_scores_plot")


def test_the_form_of_a_training_says_what_it_will_do(app, scored, require):
    require(not find_missing_packages(), "the packages of the extra `models`")
    app.open(scored)
    app.operator("Compute model scores")
    app.page.get_by_text("Writes entropy, loss, el2n").wait_for()
    app.screenshot("compute_model_scores_form")
    app.page.get_by_text("by a rough estimate").scroll_into_view_if_needed()
    app.screenshot("compute_model_scores_estimate")


def test_a_training_is_scheduled_and_run(app, scored, require):
    require(not find_missing_packages(), "the packages of the extra `models`")
    app.open(scored)
    app.operator("Compute model scores")
    app.page.get_by_text("Writes entropy, loss, el2n").wait_for()
    small = {"maskrcnn_resnet50_fpn": "maskrcnn_resnet18_fpn", "imagenet": "none"}
    for default, text in {**small, "12": "2", "800": "64"}.items():
        app.page.locator(f"input[value='{default}']").fill(text)
    app.page.wait_for_timeout(2000)  # the form takes up what was typed after a moment
    app.press_button("Schedule")
    app.page.get_by_text("Operation successfully scheduled").wait_for()
    app.screenshot("compute_model_scores_scheduled")
    with ThreadPoolExecutor(1) as worker:  # the browser's event loop has this thread
        worker.submit(DelegatedOperationService().execute_queued_operations, limit=1).result()
    scored.reload()
    assert "model_scores" in scored.list_brain_runs()
    assert scored.count("aum") == scored.count("cb_scs")

    app.open(scored)
    app.sidebar_field("dyn_unc").wait_for()
    app.operator("Compare scores")
    app.page.get_by_text("Write the table to a file").wait_for()
    app.press_button("Compare")
    app.page.get_by_role("cell", name="dyn_unc").first.wait_for()
    app.screenshot("compare_scores_with_model_scores")
