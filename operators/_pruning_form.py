"""What the form of a pruned view asks, and the parameters that the answers make."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from tfdp.scores.table import SCORERS, higher_first, list_plain_scorers
from tfdp.values import check_flag, check_number, check_text, check_texts, check_whole
from tfdp.views.candidates import list_score_fields
from tfdp.views.fields import score_of
from tfdp.views.fiftyone_internals import root_dataset
from tfdp.views.labels import list_label_fields
from tfdp.views.pruning import PruningParameters, find_scored_labels, is_name_free

from . import _forms as forms
from ._params import one_of

if TYPE_CHECKING:
    import fiftyone as fo
    from fiftyone.core.collections import SampleCollection

DEFAULT_RATE = 0.5

_POLICIES = {
    "top": ("Top", "the best scores: the paper's way"),
    "stratified": ("Stratified", "drawn from all strata of the scores (CCS)"),
    "random": ("Random", "drawn at random, whatever the score"),
}
_BUDGETS = {
    "pruning_rate": ("Pruning rate", "the fraction of the scored samples to remove"),
    "keep": ("Number to keep", "of the scored samples"),
    "threshold": ("Score threshold", "keep the samples that score this or better"),
}
_DIRECTIONS = {"highest": "highest values first", "lowest": "lowest values first"}
_UNANNOTATED = {"prune": "remove them (the paper's way)", "keep": "keep them"}
CHECKS = {
    "scorer": check_text,
    "direction": one_of(_DIRECTIONS),
    "label_field": check_text,
    "budget": one_of(_BUDGETS),
    "pruning_rate": check_number,
    "keep": check_whole,
    "threshold": check_number,
    "policy": one_of(_POLICIES),
    "beta": check_number,
    "seed": check_whole,
    "min_per_class": check_whole,
    "unannotated": one_of(_UNANNOTATED),
    "pinned_tags": check_texts,
    "excluded_tags": check_texts,
    "brain_key": check_text,
    "overwrite": check_flag,
}


def _scorer(asked: dict[str, Any], view: SampleCollection) -> str:
    dataset = root_dataset(view)
    fields = list_score_fields(view)
    best = next((name for name in fields if score_of(dataset, name) == "cb_scs"), None)
    return asked["scorer"] or best or list_plain_scorers()[0]


def chosen_name(asked: dict[str, Any], dataset: fo.Dataset) -> str:
    """The name that was given, or else pruned, pruned_2, ...: the first that is free."""
    names = (f"pruned_{n}" if n > 1 else "pruned" for n in itertools.count(1))
    return asked["brain_key"] or next(name for name in names if is_name_free(dataset, name))


def chosen_parameters(asked: dict[str, Any], view: SampleCollection) -> PruningParameters:
    """What the form asks of ``prune_view``; values of the parts that are not shown don't count."""
    scorer = _scorer(asked, view)
    policy = asked["policy"] or "top"
    budget = asked["budget"] or next(
        (name for name in _BUDGETS if asked[name] is not None), "pruning_rate"
    )
    value = asked[budget]
    if value is None and budget == "pruning_rate":
        value = DEFAULT_RATE
    direction = asked["direction"]
    return PruningParameters(
        **{budget: value},
        scorer=scorer,
        higher_first=None if direction is None else direction == "highest",
        label_field=asked["label_field"] or find_scored_labels(view, scorer),
        policy=policy,
        min_per_class=asked["min_per_class"] or 0,
        unannotated=asked["unannotated"] or "prune",
        pinned_tags=asked["pinned_tags"] or (),
        excluded_tags=asked["excluded_tags"] or (),
        beta=(asked["beta"] or 0.0) if policy == "stratified" else 0.0,
        seed=asked["seed"] or 0,
    )


def ask_scorer(asked: dict[str, Any], inputs: types.Object, view: SampleCollection) -> None:
    dataset = root_dataset(view)
    scorers = {}
    for name in list_score_fields(view):
        known = SCORERS.get(score_of(dataset, name))
        scorers[name] = f"{name} ({known.label})" if known is not None else name
    for name in list_plain_scorers():
        scorers.setdefault(name, (SCORERS[name].label, SCORERS[name].description))
    scorer = _scorer(asked, view)
    forms.choose(
        inputs,
        "scorer",
        scorers,
        default=scorer,
        given=asked["scorer"],
        required=False,
        label="Scorer",
        description="A numeric field of samples, or a plain scorer to compare it with",
    )
    known = score_of(dataset, scorer)
    if known not in SCORERS:
        forms.choose(
            inputs,
            "direction",
            _DIRECTIONS,
            default="highest",
            required=False,
            label="Keep first",
            description="Which end of this field is worth most; tfdp does not know it",
        )
    elif not higher_first(known):
        forms.tell(inputs, "direction_of", "the lowest values of this score are kept first")
    labels = {field.name: field.name for field in list_label_fields(view)}
    if labels:
        forms.choose(
            inputs,
            "label_field",
            labels,
            default=find_scored_labels(view, scorer),
            given=asked["label_field"],
            required=False,
            label="Label field",
            description="Whose instances and classes are counted",
        )


def ask_budget(asked: dict[str, Any], inputs: types.Object) -> None:
    forms.choose(inputs, "budget", _BUDGETS, default="pruning_rate", required=False, label="Budget")
    budget = asked["budget"] or "pruning_rate"
    if budget == "pruning_rate":
        inputs.float(
            "pruning_rate",
            default=DEFAULT_RATE,
            label="Pruning rate",
            description="0.3 removes 30 % of the scored samples",
        )
    elif budget == "keep":
        inputs.int("keep", required=True, label="Samples to keep")
    else:
        inputs.float("threshold", required=True, label="Score threshold")


def ask_policy(asked: dict[str, Any], inputs: types.Object) -> None:
    forms.choose(inputs, "policy", _POLICIES, default="top", required=False, label="Policy")
    policy = asked["policy"] or "top"
    if policy == "stratified":
        inputs.float(
            "beta",
            default=0.0,
            required=False,
            label="Hardest to leave out (beta)",
            description="Fraction of the samples that score best, which may be mislabelled",
        )
    if policy != "top" or "random" in (asked["scorer"] or ""):
        inputs.int("seed", default=0, required=False, label="Seed")


def ask_exceptions(inputs: types.Object, view: SampleCollection) -> None:
    inputs.int(
        "min_per_class",
        default=0,
        required=False,
        label="Instances of each class, at least",
        description="Met first, the rest goes by score; 0 for no floor",
    )
    forms.choose(
        inputs,
        "unannotated",
        _UNANNOTATED,
        default="prune",
        required=False,
        label="Samples without a score",
    )
    tags = view.distinct("tags")
    if tags:
        for name, label in (("pinned_tags", "Always keep"), ("excluded_tags", "Always remove")):
            inputs.list(
                name,
                types.String(),
                required=False,
                label=label,
                description="Samples with one of these tags",
                view=types.DropdownView(
                    multiple=True, choices=[types.Choice(tag, label=tag) for tag in tags]
                ),
            )


def ask_name(asked: dict[str, Any], inputs: types.Object, dataset: fo.Dataset) -> None:
    inputs.str(
        "brain_key",
        default=chosen_name(asked, dataset),
        required=False,
        label="Name",
        description="Of the saved view and of the run that remembers all of this",
    )
