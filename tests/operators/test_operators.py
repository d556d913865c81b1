"""Operators as FiftyOne runs them: forms, the SDK, delegated."""

import asyncio
import re

import fiftyone as fo
import fiftyone.operators as foo
import pytest
from fiftyone.operators.delegated import DelegatedOperationService
from fiftyone.operators.executor import resolve_type

from tests.views.datasets import detection, rectangle

PLUGIN = "@tfdp/instance-pruning"


def uri(name):
    return f"{PLUGIN}/{name}"


def form(dataset, name, selected=(), view=None, **params):
    """The form as the App gets it: property name -> its JSON."""
    request = {
        "dataset_name": dataset.name,
        "target": "inputs",
        "params": params,
        "selected": list(selected),
        "view": [] if view is None else view._serialize(),
    }
    resolved = asyncio.run(resolve_type(foo.OperatorRegistry(), uri(name), request))
    return resolved.to_json()["type"]["properties"]


def errors(properties):
    return [p["error_message"] for p in properties.values() if p["invalid"]]


def shown(properties, name):
    """The text of the notice or markdown whose name begins so."""
    found = next((p for key, p in properties.items() if key.startswith(f"{name}_")), None)
    return found and (found["default"] or found["view"]["label"])


def choices(properties, name):
    return [choice["value"] for choice in properties[name]["view"]["choices"]]


def run(dataset, name, **params):
    ctx = {"dataset": dataset, "params": params}
    return foo.execute_operator(uri(name), ctx).result


def run_delegated(dataset, name, **params):
    ctx = {"dataset": dataset, "params": params}
    foo.execute_operator(uri(name), ctx, request_delegation=True)
    (done,) = DelegatedOperationService().execute_queued_operations(limit=1, log=False)
    assert done.error is None, done.error
    return done.result


@pytest.fixture(params=["at once", "delegated"])
def execute(request):
    return run if request.param == "at once" else run_delegated


def test_the_plugin_is_listed():
    names = {o.uri for o in foo.list_operators(enabled=True) if o.uri.startswith(PLUGIN)}
    expected = ("compute_shape_scores", "create_pruned_view", "export_pruned_view")
    assert {uri(name) for name in (*expected, "manage_pruning_runs")} <= names


# compute_shape_scores


def test_scores_are_computed(shapes, execute):
    shapes.persistent = True
    result = execute(shapes, "compute_shape_scores", label_field="gt")
    shapes.reload()
    assert result["instances"] == 3
    assert result["skipped_text"] == "nothing"
    assert shapes.count("cb_scs") == 2
    assert shapes.list_brain_runs() == ["shape_scores"]


def test_the_form_offers_the_fields_that_hold_masks(shapes):
    shapes.clone_sample_field("gt", "other")
    properties = form(shapes, "compute_shape_scores")
    assert choices(properties, "label_field") == ["gt", "other"]
    assert properties["label_field"]["default"] == "gt"
    assert properties["brain_key"]["default"] == "shape_scores"
    assert shown(properties, "plan") == (
        "Writes scs, si_scs, cb_scs, cb_only on 3 samples, and on their labels in gt"
    )
    assert errors(properties) == []


def test_the_form_is_about_the_selected_samples(shapes):
    properties = form(
        shapes, "compute_shape_scores", [shapes.first().id], view_target="SELECTED_SAMPLES"
    )
    assert "on 1 samples" in shown(properties, "plan")


@pytest.mark.parametrize(
    "params, message",
    [
        ({"label_field": "tags"}, "field 'tags' holds ListField.*masks: gt"),
        ({"label_field": "nowhere"}, "no field 'nowhere'.*masks: gt"),
        ({"brain_key": "two words"}, "letters, digits and underscores"),
        ({"field_prefix": "a b"}, "beginning of a name"),
        ({"totals_from": "first"}, "scored by run 'first' already"),
    ],
    ids=["other type", "missing", "key", "prefix", "totals"],
)
def test_the_form_says_what_is_wrong(shapes, params, message):
    run(shapes, "compute_shape_scores", brain_key="first")
    (found, *_) = errors(form(shapes, "compute_shape_scores", **{"brain_key": "again", **params}))
    assert re.search(message, found)


def test_the_form_says_that_there_are_no_masks(make_dataset):
    dataset = make_dataset([fo.Sample("/images/a.png")])
    (found,) = errors(form(dataset, "compute_shape_scores"))
    assert "no field of these samples holds instance masks" in found


def test_the_form_says_that_a_video_is_no_image(make_dataset):
    dataset = make_dataset([fo.Sample("/images/a.mp4")])
    for name in ("compute_shape_scores", "create_pruned_view", "export_pruned_view"):
        (found,) = errors(form(dataset, name))
        assert "must be image" in found


def test_the_form_warns_of_a_run_that_is_replaced(shapes):
    run(shapes, "compute_shape_scores")
    assert "are replaced" in shown(form(shapes, "compute_shape_scores"), "again")


def test_a_wrong_field_is_an_error_in_the_sdk(shapes):
    with pytest.raises(Exception, match="nowhere"):
        run(shapes, "compute_shape_scores", label_field="nowhere")


# create_pruned_view


@pytest.fixture
def scored(shapes):
    run(shapes, "compute_shape_scores")
    shapes.persistent = True
    return shapes


def test_a_pruned_view_is_created(scored, execute):
    result = execute(scored, "create_pruned_view", pruning_rate=0.5, brain_key="half")
    scored.reload()
    assert (result["kept_images"], result["images"]) == (1, 3)
    assert scored.load_saved_view("half").values("filepath") == ["/images/a.png"]
    assert scored.values("in_half") == [True, False, False]


def test_the_form_shows_what_would_be_kept(scored):
    text = shown(form(scored, "create_pruned_view", pruning_rate=0.5), "preview")
    assert "1 selected, 1 pruned, 1 no score" in text or "1 no score" in text
    assert "| images | 3 | 1 | 33% |" in text
    assert "| instances | 3 | 2 | 67% |" in text
    assert text.index("| cat | 2 | 1 | 50% |") < text.index("| dog | 1 | 1 | 100% |")


def test_the_preview_follows_the_dataset(scored):
    before = shown(form(scored, "create_pruned_view", scorer="count"), "preview")
    sample = scored.last()
    sample.gt.detections.append(detection("bird", rectangle(3, 3)))
    sample.save()
    after = shown(form(scored, "create_pruned_view", scorer="count"), "preview")
    assert "bird" not in before
    assert "bird" in after


def test_the_best_score_is_the_default(scored):
    properties = form(scored, "create_pruned_view")
    assert properties["scorer"]["default"] == "cb_scs"
    assert choices(properties, "scorer")[:3] == ["scs", "si_scs", "cb_scs"]
    assert {"count", "inverse_frequency", "random"} <= set(choices(properties, "scorer"))
    assert choices(properties, "pinned_tags") == ["golden"]


def test_the_form_asks_for_what_goes_with_a_choice(scored):
    scored.set_values("beauty", [1.0, 2.0, 3.0])
    plain = form(scored, "create_pruned_view")
    assert not {"beta", "seed", "keep", "direction"} & set(plain)
    assert "direction" in form(scored, "create_pruned_view", scorer="beauty")
    turned = form(scored, "create_pruned_view", direction="lowest")  # was asked of another field
    assert shown(turned, "preview") == shown(plain, "preview")
    assert {"beta", "seed"} <= set(form(scored, "create_pruned_view", policy="stratified"))
    assert "seed" in form(scored, "create_pruned_view", scorer="random")
    assert "keep" in form(scored, "create_pruned_view", budget="keep")


@pytest.mark.parametrize(
    "params, message",
    [
        ({"pruning_rate": 1.0}, "less than 1"),
        ({"budget": "keep", "keep": 9}, "keep must be 1 to 2"),
        ({"budget": "keep"}, "give one of pruning_rate, keep and threshold"),
        ({"budget": "keep", "keep": 1, "min_per_class": 5}, "min_per_class=1 or less"),
        ({"pinned_tags": ["golden"], "excluded_tags": ["golden"]}, "pinned and excluded"),
        ({"scorer": "beauty"}, "unknown scorer 'beauty'"),
        ({"brain_key": "a b"}, "letters, digits and underscores"),
        ({"brain_key": "shape_scores"}, "is no pruned view"),
        ({"brain_key": "pruned"}, "there is a pruned view 'pruned' already"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_the_form_says_what_could_be_asked_for(scored, params, message):
    run(scored, "create_pruned_view", pruning_rate=0.5)
    params = {"brain_key": "new", "pruning_rate": 0.5, **params}
    if params.get("budget") == "keep":
        del params["pruning_rate"]
    found = errors(form(scored, "create_pruned_view", **params))
    assert any(message in error for error in found), found


# export_pruned_view


def test_a_view_is_exported(shapes, execute, tmp_path):
    shapes.persistent = True
    path = tmp_path / "out.json"
    result = execute(shapes, "export_pruned_view", path=str(path))
    assert (result["images"], result["annotations"]) == (3, 3)
    assert path.is_file()


@pytest.mark.parametrize(
    "params, message",
    [
        ({"path": "{}/taken.json"}, "exists; choose another name"),
        ({"path": "{}/nowhere/out.json"}, "there is no folder"),
        ({"annotations": "{}/nowhere.json"}, "nowhere.json"),
        ({"annotations": "{}/taken.json"}, "taken.json"),
        ({"label_field": "tags"}, "holds no instance masks; those do: gt"),
    ],
    ids=["exists", "no folder", "no original", "broken original", "other type"],
)
def test_the_export_form_says_what_is_wrong(shapes, tmp_path, params, message):
    (tmp_path / "taken.json").write_text("{")
    params = {name: value.format(tmp_path) for name, value in params.items()}
    found = errors(form(shapes, "export_pruned_view", **params))
    assert any(message in error for error in found), found


def test_the_export_form_asks_for_metadata(shapes):
    shapes.set_values("metadata", [None] * 3)
    assert any("compute_metadata" in e for e in errors(form(shapes, "export_pruned_view")))


# manage_pruning_runs


@pytest.fixture
def managed(scored):
    run(scored, "create_pruned_view", pruning_rate=0.5)
    return scored


def test_runs_are_listed_and_described(managed):
    assert run(managed, "manage_pruning_runs")["runs"] == ["pruned", "shape_scores"]
    text = shown(form(managed, "manage_pruning_runs"), "runs")
    assert "| pruned | pruned view |" in text
    assert "| shape_scores | shape scores |" in text
    about = run(managed, "manage_pruning_runs", action="describe", brain_key="pruned")["text"]
    assert "pruning rate: 0.5" in about
    about = run(managed, "manage_pruning_runs", action="describe", brain_key="shape_scores")["text"]
    assert "3 instances" in about


def test_a_run_is_renamed(managed, execute):
    execute(
        managed, "manage_pruning_runs", action="rename", brain_key="pruned", new_brain_key="new"
    )
    managed.reload()
    assert managed.list_brain_runs() == ["new", "shape_scores"]
    taken = form(
        managed,
        "manage_pruning_runs",
        action="rename",
        brain_key="new",
        new_brain_key="shape_scores",
    )
    assert len(errors(taken)) == 1


def test_a_run_is_deleted_with_its_fields(managed, execute):
    warning = shown(
        form(managed, "manage_pruning_runs", action="delete", brain_key="pruned"), "sure"
    )
    assert "in_pruned and the saved view pruned" in warning
    execute(managed, "manage_pruning_runs", action="delete", brain_key="pruned")
    managed.reload()
    assert managed.list_brain_runs() == ["shape_scores"]
    assert managed.list_saved_views() == []
    assert not managed.has_field("in_pruned")


def test_leftover_fields_are_cleaned_up(managed):
    del managed._doc.brain_methods["shape_scores"]
    managed.save()
    assert "cb_scs" in shown(form(managed, "manage_pruning_runs", action="clean_up"), "leftover")
    run(managed, "manage_pruning_runs", action="clean_up")
    assert not managed.has_field("cb_scs")
    assert managed.has_field("in_pruned")


@pytest.mark.parametrize("action", ["describe", "open", "rename", "delete"])
def test_unknown_runs_are_refused(shapes, managed, action):
    params = {"action": action, "brain_key": "nothing", "new_brain_key": "new"}
    assert any(
        "unknown brain_key 'nothing'; choose one of pruned, shape_scores" in e
        for e in errors(form(managed, "manage_pruning_runs", **params))
    )


def test_a_dataset_without_runs(shapes):
    assert shown(form(shapes, "manage_pruning_runs"), "runs") == "This dataset has no runs yet."
    (found,) = errors(form(shapes, "manage_pruning_runs", action="delete"))
    assert "no runs" in found


def test_what_a_killed_process_left_is_said_and_mended(shapes, run_killed):
    shapes.persistent = True
    kill_at = 1
    while not shapes.has_field("in_pruned"):
        assert not run_killed(shapes, 'tfdp.prune_view(dataset, keep=1, scorer="count")', kill_at)
        kill_at += 1
    for name in ("create_pruned_view", "compute_shape_scores"):
        said = shown(form(shapes, name), "unfinished")
        assert "writing of run 'pruned' was interrupted" in said.lower()
    assert "interrupted" in shown(
        form(shapes, "manage_pruning_runs", action="clean_up"), "unfinished"
    )
    result = foo.execute_operator(
        uri("manage_pruning_runs"), {"dataset": shapes, "params": {"action": "clean_up"}}
    )
    told = [
        call.params["message"]
        for call in result.executor._requests
        if "notify" in call.operator_uri
    ]
    assert any("what it had written is undone" in message for message in told)
    assert not shapes.has_field("in_pruned")
    assert shown(form(shapes, "create_pruned_view"), "unfinished") is None
