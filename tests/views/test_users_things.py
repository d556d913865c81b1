"""Nothing of the user's is overwritten or deleted: views, fields, attributes, groups, runs."""

import fiftyone as fo
import fiftyone.core.odm as foo
import pytest
from bson import ObjectId

import tfdp
from tests.views.datasets import detection, rectangle, sample
from tfdp.views.fields import delete_fields
from tfdp.views.run_fields import list_leftover_fields


def score(view, **kwargs):
    return tfdp.compute_shape_scores(view, "gt", progress=False, **kwargs)


def prune(view, **kwargs):
    return tfdp.prune_view(
        view, **{"keep": 1, "scorer": "count", "label_field": "gt", "progress": False, **kwargs}
    )


def test_a_saved_view_with_the_slug_of_the_key_stays(shapes):
    """FiftyOne tells saved views apart by slugs: "Pruned 50" and pruned_50 have the same."""
    shapes.save_view("Pruned 50", shapes.limit(2), description="mine")
    for overwrite in (False, True):
        with pytest.raises(ValueError, match="saved view 'Pruned 50' of another origin"):
            prune(shapes, brain_key="pruned_50", overwrite=overwrite)
    assert shapes.list_saved_views() == ["Pruned 50"]
    assert len(shapes.load_saved_view("Pruned 50")) == 2


def test_a_view_that_the_user_puts_in_the_place_of_ours_stays(shapes):
    prune(shapes)
    shapes.save_view("pruned", shapes.limit(2), overwrite=True)
    with pytest.raises(ValueError, match="saved view 'pruned' of another origin"):
        prune(shapes, overwrite=True)
    shapes.delete_brain_run("pruned")
    assert len(shapes.load_saved_view("pruned")) == 2
    assert not shapes.has_field("in_pruned")


def test_a_view_that_the_user_renamed_stays(shapes):
    prune(shapes)
    shapes.update_saved_view_info("pruned", {"name": "my best"})
    shapes.delete_brain_run("pruned")
    assert shapes.list_saved_views() == ["my best"]


def test_attributes_that_the_schema_does_not_list_stay(make_dataset):
    labels = [detection("cat", rectangle(4, 4), scs=f"mine {k}") for k in range(2)]
    dataset = make_dataset([sample("a", labels[:1]), sample("b", labels[1:])])
    assert not dataset.has_field("gt.detections.scs")
    with pytest.raises(ValueError, match=r"'gt\.detections\.scs' of another origin"):
        score(dataset[:1], field_prefix="")
    results = score(dataset[:1])
    assert results.config.field_prefix == "shape_scores_"
    assert [d.scs for s in dataset for d in s.gt.detections] == ["mine 0", "mine 1"]
    dataset.delete_brain_run("shape_scores")
    assert [d.scs for s in dataset for d in s.gt.detections] == ["mine 0", "mine 1"]


def test_copies_of_our_fields_are_the_users(shapes):
    score(shapes)
    shapes.clone_sample_field("cb_scs", "my_copy")
    shapes.clone_sample_field("gt.detections.scs", "gt.detections.my_copy")
    shapes.rename_sample_field("si_scs", "my_own")
    assert list_leftover_fields(shapes) == []
    shapes.clone_sample_field("cb_scs", "my_cb_scs")
    with pytest.raises(ValueError, match="'my_cb_scs' of another origin"):
        score(shapes, field_prefix="my_", brain_key="again")
    shapes.delete_brain_run("shape_scores")
    assert delete_fields(shapes, ["my_copy", "my_own"]) == []
    assert shapes.count("my_copy") == shapes.count("my_own") == 2
    assert shapes.count("gt.detections.my_copy") == 3
    assert list_leftover_fields(shapes) == []


def test_a_copy_under_our_name_is_the_users(shapes):
    score(shapes)
    shapes.clone_sample_field("cb_scs", "mine")
    shapes.delete_brain_run("shape_scores")
    shapes.rename_sample_field("mine", "cb_scs")
    shapes.set_values("cb_scs", [77.0, 77.0, 77.0])
    assert list_leftover_fields(shapes) == []
    assert score(shapes).config.field_prefix == "shape_scores_"
    shapes.delete_brain_run("shape_scores")
    assert shapes.values("cb_scs") == [77.0, 77.0, 77.0]


def test_a_view_like_ours_that_the_user_saved_stays(shapes):
    view = prune(shapes)
    shapes.delete_saved_view("pruned")
    shapes.save_view("pruned", view, description="mine", color="#ff0000")
    shapes.delete_brain_run("pruned")
    assert shapes.list_saved_views() == ["pruned"]


def test_our_view_that_the_user_described_is_ours(shapes):
    prune(shapes)
    shapes.update_saved_view_info("pruned", {"description": "the best", "color": "#ff0000"})
    assert len(prune(shapes, keep=2, overwrite=True)) == 2
    shapes.delete_brain_run("pruned")
    assert shapes.list_saved_views() == []


def test_views_stay_in_their_order(shapes):
    prune(shapes)
    shapes.save_view("mine", shapes.limit(1))
    prune(shapes, keep=2, overwrite=True)
    assert shapes.list_saved_views() == ["pruned", "mine"]
    shapes.reload()
    assert [view.name for view in shapes._doc.get_saved_views()] == ["pruned", "mine"]


def test_a_renamed_run_keeps_its_field_and_its_view(shapes):
    prune(shapes)
    shapes.rename_brain_run("pruned", "mine")
    for overwrite in (False, True):
        with pytest.raises(ValueError, match="'in_pruned' belongs to run 'mine'"):
            prune(shapes, keep=2, overwrite=overwrite)
    assert shapes.count_values("in_pruned")[True] == 1
    shapes.delete_brain_run("mine")
    assert not shapes.has_field("in_pruned")
    assert shapes.list_saved_views() == []


def test_a_renamed_run_keeps_its_scores(shapes):
    score(shapes)
    before = shapes.values("cb_scs")
    shapes.rename_brain_run("shape_scores", "mine")
    assert score(shapes[:1]).config.field_prefix == "shape_scores_"
    assert shapes.values("cb_scs") == before


@pytest.fixture
def dangling(shapes):
    """A dataset that lists another plugin's run whose document is gone."""
    stored = foo.get_db_conn().datasets
    stored.update_one({"_id": shapes._doc.id}, {"$set": {"brain_methods.theirs": ObjectId()}})
    shapes.reload()
    return shapes


def test_a_run_without_a_record_is_passed_over_and_named(dangling, caplog):
    score(dangling)
    prune(dangling)
    tfdp.compare_scores(dangling, "gt")
    dangling.delete_brain_run("pruned")
    assert caplog.text.count("brain runs without a record (theirs)") == 1
    assert "theirs" in dangling._doc.brain_methods


def test_the_users_sidebar_stays(shapes):
    groups = fo.DatasetAppConfig.default_sidebar_groups(shapes)
    groups.append(fo.SidebarGroupDocument(name="pruning"))
    groups.append(fo.SidebarGroupDocument(name="pruning (tfdp)"))
    groups.append(fo.SidebarGroupDocument(name="mine", paths=["uniqueness"], expanded=False))
    shapes.app_config.sidebar_groups = groups
    shapes.save()
    score(shapes)
    names = {g.name: g.paths for g in shapes.app_config.sidebar_groups}
    assert names["pruning"] == []
    assert names["pruning (tfdp)"] == []
    assert names["pruning (tfdp 2)"] == ["scs", "si_scs", "cb_scs", "cb_only"]
    shapes.delete_brain_run("shape_scores")
    assert shapes.app_config.sidebar_groups == groups


def test_our_group_goes_with_the_last_of_our_fields(shapes):
    score(shapes)
    prune(shapes)
    shapes.delete_brain_run("shape_scores")
    assert ["in_pruned"] in [g.paths for g in shapes.app_config.sidebar_groups]
    shapes.delete_brain_run("pruned")
    assert shapes.app_config.sidebar_groups is None


def test_what_the_user_has_not_saved_yet_stays(shapes):
    shapes.info["mine"] = 1
    score(shapes)
    assert shapes.info["mine"] == 1


def test_a_clone_deletes_its_own_runs_alone(shapes):
    score(shapes)
    prune(shapes)
    clone = shapes.clone()
    try:
        clone.delete_brain_run("pruned")
        clone.delete_brain_run("shape_scores")
        assert clone.list_saved_views() == []
        assert not clone.has_field("cb_scs")
    finally:
        clone.delete()
    shapes.reload()
    assert len(shapes.load_saved_view("pruned")) == 1
    assert shapes.count("cb_scs") == 2


def test_as_many_pruned_views_as_anybody_wants(shapes):
    """MongoDB allows 64 indexes; a field of a pruned view needs none."""
    for number in range(64 - len(shapes.list_indexes())):
        shapes._sample_collection.create_index(f"theirs_{number}")
    for number in range(3):
        prune(shapes, brain_key=f"p{number}")
    assert len(shapes.list_indexes()) == 64
    assert len(shapes.list_saved_views()) == len(shapes.list_brain_runs()) == 3


def test_scores_do_without_an_index_where_there_is_no_room(shapes, caplog):
    for number in range(64 - len(shapes.list_indexes()) - 2):
        shapes._sample_collection.create_index(f"theirs_{number}")
    score(shapes)
    assert len(shapes.list_indexes()) == 64
    assert "MongoDB allows 64 indexes" in caplog.text
    assert "si_scs" not in shapes.list_indexes() or "cb_scs" not in shapes.list_indexes()
    best = [v for v in shapes.sort_by("cb_scs", reverse=True).values("cb_scs") if v is not None]
    assert best == sorted(best, reverse=True)
    shapes.delete_brain_run("shape_scores")
    assert len(shapes.list_indexes()) == 62


def test_a_field_that_the_user_put_in_the_place_of_ours_stays(shapes):
    score(shapes)
    shapes.delete_sample_field("gt.detections.scs")
    for sample_ in shapes.iter_samples(autosave=True):
        for label in sample_.gt.detections:
            label["scs"] = "mine"
    assert score(shapes).config.field_prefix == "shape_scores_"
    assert [d["scs"] for s in shapes for d in s.gt.detections] == ["mine"] * 3


def test_another_runs_scores_stay(shapes):
    score(shapes[:1], brain_key="a")
    score(shapes[1:], brain_key="b")
    before = shapes.values("cb_scs")
    assert score(shapes, brain_key="a").config.field_prefix == "a_"
    assert shapes.values("cb_scs") == before


def test_of_samples_in_two_views_nothing_is_cleared(shapes):
    score(shapes[:2], brain_key="a")
    for name in ("scs", "si_scs", "cb_scs", "cb_only"):  # so that b takes the same fields
        shapes.set_values(name, [None] * 3)
    score(shapes[1:], brain_key="b")
    kept = shapes.values("cb_scs")
    shapes.delete_brain_run("a")
    assert shapes.values("cb_scs") == kept


def test_a_field_that_the_user_moved_in_the_sidebar_stays_there(shapes):
    score(shapes)
    groups = shapes.app_config.sidebar_groups
    for group in groups:
        group.paths = [path for path in group.paths if path != "cb_scs"]
    groups.append(fo.SidebarGroupDocument(name="mine", paths=["cb_scs"]))
    shapes.save()
    score(shapes)
    shapes.reload()
    assert ["cb_scs"] in [g.paths for g in shapes.app_config.sidebar_groups if g.name == "mine"]


def test_a_clone_of_a_view_has_fields_of_its_own(shapes):
    """FiftyOne copies the fields then, and no runs."""
    score(shapes)
    clone = shapes.view().clone()
    try:
        assert list_leftover_fields(clone) == []
        assert score(clone).config.field_prefix == "shape_scores_"
    finally:
        clone.delete()


def test_marks_of_others_are_no_trouble(shapes):
    shapes.add_sample_field("theirs", fo.FloatField, info={"tfdp": "yes"})
    score(shapes)
    assert list_leftover_fields(shapes) == []


def test_a_saved_view_without_a_record_is_passed_over(shapes):
    stored = foo.get_db_conn().datasets
    stored.update_one({"_id": shapes._doc.id}, {"$push": {"saved_views": ObjectId()}})
    shapes.reload()
    assert len(prune(shapes)) == 1
    assert len(prune(shapes, keep=2, overwrite=True)) == 2
    shapes.delete_brain_run("pruned")


def test_samples_that_go_meanwhile_are_passed_over(shapes):
    gone = shapes.first().id

    def delete(bar):
        if gone in shapes.values("id"):
            shapes.delete_samples(gone)

    prune(shapes, progress=delete)
    assert shapes.list_brain_runs() == ["pruned"]
