"""A preset in the App: choosing it fills the fields."""

import fiftyone as fo
import pytest

from tests.views.datasets import import_coco

pytestmark = pytest.mark.app


@pytest.fixture(scope="module")
def scored(drawn):
    dataset = import_coco(drawn / "instances.json", drawn / "images", name="presets")
    dataset.add_sample_field("aum", fo.FloatField)
    dataset.set_values("aum", [float(number) for number in range(len(dataset))])
    yield dataset
    dataset.delete()


def test_ccs_fills_the_fields(app, scored):
    app.open(scored)
    app.operator("Create pruned view")
    app.page.get_by_text("Classes that lose most").wait_for()
    assert app.page.get_by_role("combobox").filter(has_text="Top").count() == 1
    app.page.get_by_role("combobox").first.click()
    app.page.get_by_role("option", name="CCS").click()
    app.page.get_by_role("combobox").filter(has_text="Stratified").wait_for()
    app.page.locator("input[value='0.1']").wait_for()
    app.screenshot("create_pruned_view_ccs")
    app.page.wait_for_timeout(2000)  # the form takes up what it shows after a moment
    app.press_button("Create")
    app.page.get_by_text("Samples kept").first.wait_for()
    scored.reload()
    asked = scored.get_brain_info("pruned").config.parameters
    assert (asked["preset"], asked["scorer"]) == ("ccs", "aum")
    assert (asked["policy"], asked["beta"]) == ("stratified", 0.1)
    assert not set(scored.load_saved_view("pruned").values("aum")) & {0.0, 1.0, 2.0, 3.0}
