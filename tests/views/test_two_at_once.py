"""Two processes on one dataset: one wins whole, or the second is told; nothing is mixed."""

import fiftyone.core.odm as foo
import pytest
from bson import ObjectId

import tfdp
from tests.views.datasets import detection, rectangle, sample
from tests.views.two_at_once import run_two
from tfdp.views.mending import writing_to


def make_many(make_dataset):
    labels = [detection("cat", rectangle(3, 7)), detection("dog", rectangle(5, 5))]
    made = make_dataset([sample(str(k), labels, u=float(k)) for k in range(400)])
    made.persistent = True
    return made


@pytest.fixture
def dataset(make_dataset):
    return make_many(make_dataset)


def test_pruning_under_one_key(dataset):
    said = run_two(
        dataset,
        'tfdp.prune_view(dataset, keep=100 + 100 * number, scorer="u", progress=False)',
    )
    assert said.count("done") == 1
    assert any("there is a pruned view 'pruned' already" in text for text in said)
    kept = dataset.load_brain_results("pruned").counts["kept_images"]
    assert dataset.count_values("in_pruned")[True] == kept
    assert dataset.list_saved_views() == ["pruned"]
    assert len(dataset.load_saved_view("pruned")) == kept


def test_overwriting_one_key(dataset):
    tfdp.prune_view(dataset, keep=5, scorer="u", progress=False)
    said = run_two(
        dataset,
        'tfdp.prune_view(dataset, keep=100 + 100 * number, scorer="u", overwrite=True, '
        "progress=False)",
    )
    assert said == ["done", "done"]
    dataset.clear_cache()
    kept = dataset.load_brain_results("pruned").counts["kept_images"]
    assert kept in {100, 200}
    assert dataset.count_values("in_pruned")[True] == kept
    assert dataset.list_saved_views() == ["pruned"]


def test_scoring_under_one_key(dataset):
    code = 'tfdp.compute_shape_scores(dataset[200 * number:], "gt", progress=False)'
    assert run_two(dataset, code) == ["done", "done"]
    assert dataset.list_brain_runs() == ["shape_scores"]
    assert dataset.count("gt.detections.cb_scs") == 800


def test_scoring_with_two_prefixes(dataset):
    code = (
        'tfdp.compute_shape_scores(dataset, "gt", brain_key=f"k{number}", '
        'field_prefix=f"k{number}_", progress=False)'
    )
    assert run_two(dataset, code) == ["done", "done"]
    for key in ("k0", "k1"):
        assert dataset.count(f"{key}_cb_scs") == 400
        assert dataset.count(f"gt.detections.{key}_scs") == 800
        assert set(dataset.get_brain_info(key).config.fields) <= set(
            dataset.get_field_schema(flat=True)
        )


def test_the_second_of_two_keys_gets_fields_of_its_own(dataset):
    code = 'tfdp.compute_shape_scores(dataset, "gt", brain_key=f"k{number}", progress=False)'
    assert run_two(dataset, code) == ["done", "done"]
    prefixes = {dataset.get_brain_info(key).config.field_prefix for key in ("k0", "k1")}
    assert "" in prefixes
    assert len(prefixes) == 2


def test_who_was_taken_for_dead_is_told(dataset):
    notes = foo.get_db_conn()["tfdp_changes"]

    def write():
        with writing_to(dataset) as change:
            notes.update_one({"_id": dataset._doc.id}, {"$set": {"work": ObjectId()}})
            change.note(kind="write")

    with pytest.raises(ValueError, match="has taken this one for dead"):
        write()
    assert notes.delete_many({}).deleted_count == 1  # the other's


def test_a_schema_that_another_save_dropped_is_declared_again(dataset, monkeypatch):
    """FiftyOne's sessions save the whole schema that they know."""
    from tfdp.views import run_writing

    show = run_writing.show_fields

    def save_the_old_schema(dataset, *args):
        show(dataset, *args)
        foo.get_db_conn().datasets.update_one(
            {"_id": dataset._doc.id}, {"$pull": {"sample_fields": {"name": "cb_scs"}}}
        )

    monkeypatch.setattr(run_writing, "show_fields", save_the_old_schema)
    tfdp.compute_shape_scores(dataset, "gt", progress=False)
    dataset.reload()
    assert dataset.has_field("cb_scs")
    assert dataset.count("cb_scs") == 400
