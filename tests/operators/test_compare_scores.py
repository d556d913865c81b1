"""The operator compare_scores, and the library's compare_scores on views: table, plots, files."""

import asyncio
import csv
import json

import fiftyone as fo
import fiftyone.operators as foo
import pytest
from fiftyone.operators.executor import resolve_type

import tfdp
from tests.views.datasets import detection, rectangle, sample
from tfdp.files.comparison_file import write_comparison

URI = "@tfdp/instance-pruning/compare_scores"


def form(dataset, **params):
    request = {"dataset_name": dataset.name, "target": "inputs", "params": params}
    resolved = asyncio.run(resolve_type(foo.OperatorRegistry(), URI, request))
    return resolved.to_json()["type"]["properties"]


def errors(properties):
    return [p["error_message"] for p in properties.values() if p["invalid"]]


def run(dataset, **params):
    return foo.execute_operator(URI, {"dataset": dataset, "params": params}).result


@pytest.fixture
def ten(make_dataset):
    """Sample i holds i + 1 squares, the last of class rare; ``up`` is i, ``down`` is -i."""
    samples = []
    for i in range(10):
        labels = [detection("rare" if j == i else "common", rectangle(4, 4)) for j in range(i + 1)]
        samples.append(sample(f"{i}", labels, up=float(i), down=-i))
    return make_dataset(samples)


def test_values_by_hand(ten):
    comparison = tfdp.compare_scores(ten, "gt", scorers=["up", "down"], reference="up", rates=[0.4])
    up, down = comparison.rows
    assert (down.spearman, down.kendall) == pytest.approx((-1, -1))
    assert (up.kept[0].images, up.kept[0].overlap) == (6, 1)
    assert up.kept[0].instances == pytest.approx((5 + 6 + 7 + 8 + 9 + 10) / 55)
    assert down.kept[0].overlap == pytest.approx(2 / 6)
    assert down.kept[0].instances == pytest.approx((1 + 2 + 3 + 4 + 5 + 6) / 55)
    assert (up.kept[0].classes, up.seconds) == (2, None)


def test_by_default_all_scores_of_tfdp_are_compared_with_cb_scs(ten):
    tfdp.compute_shape_scores(ten, "gt", progress=False)
    comparison = tfdp.compare_scores(ten)
    names = [row.scorer for row in comparison.rows]
    assert comparison.reference == names[0] == "cb_scs"
    assert set(names) == {
        "cb_scs",
        "si_scs",
        "scs",
        "cb_only",
        "count",
        "inverse_frequency",
        "random",
        "instance_matched_random",
    }
    assert all(row.seconds > 0 for row in comparison.rows)


def test_before_any_score_the_plain_scorers_are_compared(ten):
    assert [row.scorer for row in tfdp.compare_scores(ten).rows] == [
        "count",
        "inverse_frequency",
        "random",
    ]


def test_a_field_without_values_in_the_view_is_refused(ten):
    ten.add_sample_field("empty", fo.FloatField)
    with pytest.raises(ValueError, match="none of the 10 images has a score 'empty'"):
        tfdp.compare_scores(ten, scorers=["up", "empty"])
    with pytest.raises(ValueError, match="scorer 'filepath' must be a numeric field"):
        tfdp.compare_scores(ten, scorers=["filepath"])
    with pytest.raises(ValueError, match="nothing to compare"):
        tfdp.compare_scores(ten, scorers=[])


def test_the_operator_shows_two_tables_and_two_plots(ten):
    result = run(ten, label_field="gt", scorers=["up", "down", "count"], reference="up")
    assert "| down | unknown | -1.000 | -1.000 | 75% | 57% | 33% | 0% |" in result["likeness_text"]
    assert "| count | 10 | 95% / 2 |" in result["kept_text"]
    (heat,) = result["overlap_plot"]
    assert (heat["y"], heat["x"]) == (["count", "down"], ["20", "30", "40", "50"])
    assert heat["z"][0] == [100, 100, 100, 100]
    assert [line["name"] for line in result["instances_plot"]] == ["up", "down", "count"]


def test_a_constant_score_has_no_correlation(ten):
    ten.set_values("flat", [1.0] * 10)
    result = run(ten, scorers=["up", "flat"], reference="up")
    assert result["comparison"]["rows"][1]["spearman"] is None
    assert "| flat | unknown | - | - |" in result["likeness_text"]


def test_the_form_offers_numeric_fields_and_plain_scorers(ten):
    tfdp.compute_shape_scores(ten, "gt", progress=False)
    properties = form(ten)
    assert errors(properties) == []
    offered = [choice["value"] for choice in properties["scorers"]["view"]["choices"]]
    assert {"up", "down", "cb_scs", "instance_matched_random"} <= set(offered)
    assert "up" not in properties["scorers"]["default"]
    assert properties["reference"]["default"] == "cb_scs"
    assert properties["label_field"]["default"] == "gt"


def test_trouble_is_shown_in_the_form(ten, tmp_path):
    (tmp_path / "there.csv").write_text("kept")
    assert "no values of nothing" in errors(form(ten, scorers=["up", "nothing"]))[0]
    assert (
        "must end in .json, .csv or .parquet"
        in errors(form(ten, output_path=str(tmp_path / "table.txt")))[0]
    )
    assert "no folder" in errors(form(ten, output_path=str(tmp_path / "nowhere" / "table.csv")))[0]
    properties = form(ten, output_path=str(tmp_path / "there.csv"))
    assert "exists" in errors(properties)[0]
    assert "overwrite" in properties
    assert errors(form(ten, output_path=str(tmp_path / "there.csv"), overwrite=True)) == []


def test_the_table_is_written_as_csv_and_json(ten, tmp_path):
    ten.set_values("flat", [1.0] * 10)
    asked = {"label_field": "gt", "scorers": ["up", "flat"], "reference": "up"}
    for name in ("table.csv", "table.json"):
        assert run(ten, output_path=str(tmp_path / name), **asked)["output_path"] == str(
            tmp_path / name
        )
    with (tmp_path / "table.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["scorer"] for row in rows] == ["up"] * 4 + ["flat"] * 4
    assert (rows[4]["spearman"], rows[4]["seconds"]) == ("", "")
    assert float(rows[3]["pruning_rate"]) == 0.5
    document = json.loads((tmp_path / "table.json").read_text())
    assert document["reference"] == "up"
    assert document["rows"][1]["spearman"] is None
    assert len(document["rows"][1]["kept"]) == 4


def test_an_existing_file_is_replaced_only_when_that_is_asked(ten, tmp_path):
    path = tmp_path / "table.json"
    path.write_text("kept")
    comparison = tfdp.compare_scores(ten, scorers=["up"])
    with pytest.raises(FileExistsError, match="exists"):
        write_comparison(comparison, path)
    assert path.read_text() == "kept"
    write_comparison(comparison, path, overwrite=True)
    assert json.loads(path.read_text())["reference"] == "up"
