"""The operator that lists, describes, opens, renames and deletes the runs of this plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fiftyone.operators as foo
from fiftyone.operators import types

from tfdp.options import Choice
from tfdp.values import check_text, shown
from tfdp.views.database import check_database, database_errors
from tfdp.views.field_names import check_key
from tfdp.views.mending import describe_unfinished
from tfdp.views.run_deleting import clean_up, delete_run
from tfdp.views.run_fields import list_leftover_fields, own_configs
from tfdp.views.saved_views import find_view_of_run

from . import _forms as forms
from ._params import one_of, read_form, read_parameters

if TYPE_CHECKING:
    import fiftyone as fo
    from fiftyone.operators import ExecutionContext

_ACTIONS = {
    "list": Choice("List", "all runs of this plugin on the dataset"),
    "describe": Choice("Describe", "what a run was asked, and what it did"),
    "open": Choice("Open the view", "that a run scored, or that it kept"),
    "rename": Choice("Rename", "a run; its fields and views keep their names"),
    "delete": Choice("Delete", "a run with its fields, and its saved view"),
    "clean_up": Choice("Clean up", "fields of runs that were killed, or deleted without them"),
}

_CHECKS = {
    "action": one_of(_ACTIONS),
    "brain_key": check_text,
    "new_brain_key": check_text,
}


class ManagePruningRuns(foo.Operator):
    """Form and execution of what can be done with a run."""

    @property
    def config(self) -> foo.OperatorConfig:
        return forms.operator_config(
            "manage_pruning_runs",
            "Manage pruning runs",
            "List, describe, open, rename or delete shape scores and pruned views",
            risk_level=types.RiskLevel.HIGH,
            view_target=False,
        )

    def resolve_run_name(self, ctx: ExecutionContext) -> str:
        return f"{ctx.params.get('action', 'list')} {ctx.params.get('brain_key', '')}".strip()

    def resolve_input(self, ctx: ExecutionContext) -> types.Property:
        inputs = types.Object()
        asked = read_form(ctx, inputs, _CHECKS)
        try:
            check_database()
            _ask(asked, inputs, ctx.dataset)
        except OSError as error:
            forms.refuse(inputs, "database_error", error)
        action = asked["action"] or "list"
        return forms.form(inputs, "Manage pruning runs", _ACTIONS[action].label)

    @database_errors()
    def execute(self, ctx: ExecutionContext) -> dict[str, Any]:
        asked = read_parameters(ctx, _CHECKS)
        action = asked["action"] or "list"
        dataset = ctx.dataset
        if action in {"delete", "clean_up"}:
            forms.mend(ctx)
        if action == "list":
            return {
                "runs": list(own_configs(dataset)),
                "text": _table(dataset, own_configs(dataset)),
            }
        if action == "clean_up":
            gone = clean_up(dataset)
            forms.finish(ctx, f"Deleted {len(gone)} fields")
            return {"deleted_fields": gone, "text": f"Deleted fields: {', '.join(gone) or 'none'}"}
        key = _existing_key(asked, dataset)
        if action == "rename":
            new_key = _new_key(asked, dataset)
            dataset.rename_brain_run(key, new_key)
            forms.finish(ctx, f"Renamed {key} to {new_key}")
            return {"brain_key": new_key, "text": f"Renamed {key} to {new_key}"}
        if action == "delete":
            gone = delete_run(dataset, key)
            forms.finish(ctx, f"Deleted {key} and {len(gone)} fields")
            text = f"Deleted run {key} and its fields: {', '.join(gone) or 'none'}"
            return {"brain_key": key, "deleted_fields": gone, "text": text}
        if action == "open":
            _open(ctx, key)
        return {"brain_key": key, "text": _describe(dataset, key, own_configs(dataset)[key])}

    def resolve_output(self, ctx: ExecutionContext) -> types.Property:
        outputs = types.Object()
        outputs.str("text", view=types.MarkdownView())
        return types.Property(outputs, view=types.View(label="Pruning runs"))


def _existing_key(asked: dict[str, Any], dataset: fo.Dataset) -> str:
    key = asked["brain_key"]
    known = own_configs(dataset)
    if key not in known:
        raise ValueError(f"there is no run {shown(key)}; the runs are {', '.join(known) or 'none'}")
    return key


def _new_key(asked: dict[str, Any], dataset: fo.Dataset) -> str:
    new_key = asked["new_brain_key"]
    check_key(new_key, "new_brain_key")
    if new_key in dataset.list_brain_runs():
        raise ValueError(f"there is a run {new_key!r} already; give another new_brain_key")
    return new_key


def _open(ctx: ExecutionContext, key: str) -> None:
    config = own_configs(ctx.dataset)[key]
    saved = find_view_of_run(ctx.dataset, vars(config))
    if saved is not None:
        forms.finish(ctx, f"Opened {saved.name}", name=saved.name)
    else:
        forms.finish(ctx, f"Opened the view of {key}", view=ctx.dataset.load_brain_view(key).view())


def _ask(asked: dict[str, Any], inputs: types.Object, dataset: fo.Dataset) -> None:
    configs = own_configs(dataset)
    action = asked["action"] or "list"
    forms.choose(inputs, "action", _ACTIONS, default="list", required=False, label="Action")
    if action == "list":
        forms.show_markdown(inputs, "runs", _table(dataset, configs))
    elif action == "clean_up":
        _ask_clean_up(inputs, dataset)
    elif configs:
        _ask_run(asked, inputs, dataset, configs)
    else:
        forms.refuse(
            inputs, "no_runs", "this dataset has no runs; compute shape scores to make one"
        )


def _ask_run(
    asked: dict[str, Any], inputs: types.Object, dataset: fo.Dataset, configs: dict[str, Any]
) -> None:
    keys = {key: Choice(key, _kind(config)) for key, config in configs.items()}
    first = next(iter(keys))
    key = asked["brain_key"] or first
    forms.choose(inputs, "brain_key", keys, default=first, given=key, required=True, label="Run")
    if key not in configs:
        return
    try:
        if asked["action"] == "rename":
            inputs.str("new_brain_key", required=True, label="New name")
            if asked["new_brain_key"] is not None:
                _new_key(asked, dataset)
        elif asked["action"] == "delete":
            forms.warn(inputs, "sure", _describe_deletion(dataset, key))
        else:
            forms.show_markdown(inputs, "about", _describe(dataset, key, configs[key]))
    except ValueError as error:
        forms.refuse(inputs, "run_error", error)


def _ask_clean_up(inputs: types.Object, dataset: fo.Dataset) -> None:
    leftover, unfinished = list_leftover_fields(dataset), describe_unfinished(dataset)
    if unfinished:
        forms.warn(inputs, "unfinished", unfinished)
    elif leftover:
        forms.warn(inputs, "leftover", f"deletes {', '.join(leftover)}, which no run lists")
    else:
        forms.refuse(inputs, "no_leftover", "there is nothing to clean up")


def _kind(config: Any) -> str:
    return config.method.replace("_", " ")


def _table(dataset: fo.Dataset, configs: dict[str, Any]) -> str:
    if not configs:
        return "This dataset has no runs yet."
    rows = [
        [
            key,
            _kind(config),
            f"{dataset.get_brain_info(key).timestamp:%Y-%m-%d %H:%M}",
            ", ".join(config.fields[:3]),
        ]
        for key, config in configs.items()
    ]
    return forms.markdown_table(["run", "what", "when (UTC)", "fields"], rows)


def _describe(dataset: fo.Dataset, key: str, config: Any) -> str:
    info = dataset.get_brain_info(key)
    lines = [
        f"**{key}**: {_kind(config)}, {info.timestamp:%Y-%m-%d %H:%M} UTC",
        f"tfdp {config.tfdp_version}, {len(dataset.load_brain_view(key))} samples",
        "",
        f"fields: {', '.join(config.fields)}",
    ]
    asked = getattr(config, "parameters", None) or {
        name: getattr(config, name)
        for name in ("label_field", "rasterizer", "aggregation", "totals_from")
        if getattr(config, name, None) is not None
    }
    asked = {name: value for name, value in asked.items() if value not in (None, [], ())}
    lines += ["", *(f"- {name.replace('_', ' ')}: {value}" for name, value in asked.items())]
    results = dataset.load_brain_results(key)
    counts = getattr(results, "counts", None)
    if counts:
        lines += ["", forms.describe_counts(counts)]
    skipped = getattr(results, "skipped", None)
    if skipped:
        number = {reason: len(ids) for reason, ids in skipped.items()}
        lines += ["", f"not scored: {forms.describe_counts(number)}"]
    return "\n".join(lines)


def _describe_deletion(dataset: fo.Dataset, key: str) -> str:
    config = own_configs(dataset)[key]
    text = f"deletes run {key}, with the fields {', '.join(config.fields)}"
    if find_view_of_run(dataset, vars(config)) is not None:
        text += f" and the saved view {config.saved_view}"
    return text + "; of fields that another run filled, too, only this run's own values"
