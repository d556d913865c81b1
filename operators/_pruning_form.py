"""What the form of a pruned view asks, and the parameters that the answers make."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from tfdp.options import IDS, Choice, options_of
from tfdp.scores.table import SCORERS, higher_first, list_plain_scorers
from tfdp.selection.criteria import BUDGETS, Criteria
from tfdp.selection.policies import POLICIES
from tfdp.values import check_flag, check_text
from tfdp.views.candidates import list_score_fields
from tfdp.views.fields import score_of
from tfdp.views.fiftyone_internals import root_dataset
from tfdp.views.label_scores import can_aggregate, recorded_aggregation
from tfdp.views.labels import list_label_fields
from tfdp.views.pruning_plan import PruningParameters, find_scored_labels, is_name_free

from . import _forms as forms
from ._options import ask, checks_of
from ._params import one_of
from ._presets import field_of, fill_in, preset_checks

if TYPE_CHECKING:
    import fiftyone as fo
    from fiftyone.core.collections import SampleCollection
    from fiftyone.operators import types

    from ._params import Checks

DEFAULT_RATE = 0.5

_OPTIONS = options_of(PruningParameters)
_BUDGETS = {name: Choice(_OPTIONS[name].label, _OPTIONS[name].help) for name in BUDGETS}
_DIRECTIONS = {"highest": "highest values first", "lowest": "lowest values first"}


def list_checks() -> Checks:
    """What checks the parameters, by their names."""
    return {
        **checks_of(PruningParameters),
        **preset_checks(PruningParameters),
        "direction": one_of(_DIRECTIONS),
        "budget": one_of(_BUDGETS),
        "brain_key": check_text,
        "overwrite": check_flag,
    }


def _scorer(asked: dict[str, Any], view: SampleCollection) -> str:
    dataset = root_dataset(view)
    fields = list_score_fields(view)
    best = next((name for name in fields if score_of(dataset, name) == "cb_scs"), None)
    return asked["scorer"] or best or list_plain_scorers()[0]


def _budget(asked: dict[str, Any]) -> str:
    given = (name for name in BUDGETS if asked[name] is not None)
    return asked["budget"] or next(given, "pruning_rate")


def _policy(asked: dict[str, Any]) -> str:
    return asked["policy"] or _OPTIONS["policy"].default


def _is_direction_known(scorer: str, view: SampleCollection) -> bool:
    return score_of(root_dataset(view), scorer) in SCORERS


def _of_policies() -> set[str]:
    return {name for policy in POLICIES.values() for name in policy.parameters}


def _list_hidden(asked: dict[str, Any], scorer: str, view: SampleCollection) -> set[str]:
    """The options that the form does not show, by what was chosen."""
    shown = {_budget(asked), *POLICIES[_policy(asked)].parameters}
    if can_aggregate(view, scorer):
        shown.add("aggregation")
    return {*BUDGETS, *_of_policies(), "aggregation"} - shown


def read_answers(
    asked: dict[str, Any], view: SampleCollection, *, shown: bool = False
) -> dict[str, Any]:
    """The answers, with the chosen preset's; ``shown`` as in `fill_in`."""
    answers = fill_in(asked, PruningParameters, shown=shown)
    wanted = answers["scorer"]
    if asked["preset"] is not None and wanted is not None and view.get_field(wanted) is None:
        dataset, fields = root_dataset(view), list_score_fields(view)  # under another name, perhaps
        holding = (name for name in fields if score_of(dataset, name) == wanted)
        answers["scorer"] = next(holding, wanted)
    return answers


def chosen_name(asked: dict[str, Any], dataset: fo.Dataset) -> str:
    """The name that was given, or else pruned, pruned_2, ...: the first that is free."""
    names = (f"pruned_{n}" if n > 1 else "pruned" for n in itertools.count(1))
    return asked["brain_key"] or next(name for name in names if is_name_free(dataset, name))


def chosen_parameters(asked: dict[str, Any], view: SampleCollection) -> PruningParameters:
    """What the form asks of ``prune_view``; values of the parts that are not shown don't count."""
    scorer = _scorer(asked, view)
    hidden = _list_hidden(asked, scorer, view)
    usual = {"pruning_rate": DEFAULT_RATE} if "pruning_rate" not in hidden else {}
    if asked["direction"] is not None and not _is_direction_known(scorer, view):
        usual["higher_first"] = asked["direction"] == "highest"
    given = {
        name: asked[name] for name in _OPTIONS if name not in hidden and asked[name] is not None
    }
    chosen = {"scorer": scorer, "label_field": find_scored_labels(view, scorer)} | usual | given
    return PruningParameters(**chosen)


def ask_preset(inputs: types.Object) -> None:
    """Asks for options that go together."""
    ask(inputs, _OPTIONS["preset"])


def _ask(inputs: types.Object, asked: dict[str, Any], name: str, **said: Any) -> None:
    """Adds a field that a preset may fill."""
    ask(inputs, field_of(_OPTIONS[name], asked, PruningParameters), **said)


def _ask_aggregation(
    asked: dict[str, Any], inputs: types.Object, view: SampleCollection, scorer: str
) -> None:
    filled = recorded_aggregation(view, scorer)
    said = {} if filled is None else {"description": f"This field was filled by the {filled}"}
    _ask(inputs, asked, "aggregation", default=asked["aggregation"], **said)


def ask_scorer(asked: dict[str, Any], inputs: types.Object, view: SampleCollection) -> None:
    """Asks for the scorer, its direction where tfdp does not know it, and the labels."""
    dataset = root_dataset(view)
    scorers: dict[str, Any] = {}
    for name in list_score_fields(view):
        known = SCORERS.get(score_of(dataset, name))
        scorers[name] = f"{name} ({known.label})" if known is not None else name
    for name in list_plain_scorers():
        scorers.setdefault(name, SCORERS[name])
    scorer = _scorer(asked, view)
    _ask(inputs, asked, "scorer", choices=scorers, given=asked["scorer"], default=scorer)
    if not _is_direction_known(scorer, view):
        forms.choose(
            inputs,
            "direction",
            _DIRECTIONS,
            default="highest",
            required=False,
            label="Keep first",
            description="Which end of this field is worth most; tfdp does not know it",
        )
    elif not higher_first(score_of(dataset, scorer)):
        forms.tell(inputs, "direction_of", "the lowest values of this score are kept first")
    if can_aggregate(view, scorer):
        _ask_aggregation(asked, inputs, view, scorer)
    labels = [field.name for field in list_label_fields(view)]
    if labels:
        ask(
            inputs,
            _OPTIONS["label_field"],
            choices=labels,
            given=asked["label_field"],
            default=find_scored_labels(view, scorer),
            description="Whose instances and classes are counted",
        )


def ask_budget(asked: dict[str, Any], inputs: types.Object) -> None:
    """Asks how many to keep."""
    budget = _budget(asked)
    forms.choose(inputs, "budget", _BUDGETS, default=budget, required=False, label="Budget")
    if budget == "pruning_rate":
        ask(inputs, _OPTIONS[budget], default=DEFAULT_RATE)
    else:
        ask(inputs, _OPTIONS[budget], required=True)


def ask_policy(asked: dict[str, Any], inputs: types.Object) -> None:
    """Asks how the budget is filled."""
    _ask(inputs, asked, "policy", default=_policy(asked))
    policy = POLICIES[_policy(asked)]
    for name in policy.parameters:
        given = _OPTIONS[name].default if asked[name] is None else asked[name]
        _ask(inputs, asked, name, default=given)
    scorer = SCORERS.get(asked["scorer"])
    if "rng" in policy.needs or (scorer is not None and "rng" in scorer.needs):
        ask(inputs, _OPTIONS["seed"])


def ask_exceptions(inputs: types.Object, view: SampleCollection) -> None:
    """Asks what is kept or removed whatever its score: all of the criteria not asked elsewhere."""
    elsewhere = {*BUDGETS, "policy", "seed", *_of_policies()}
    for option in options_of(Criteria).values():
        if option.name not in elsewhere and option.kind != IDS:
            ask(inputs, option)
    tags = view.distinct("tags")
    if tags:
        for name in ("pinned_tags", "excluded_tags"):
            ask(inputs, _OPTIONS[name], choices=tags)


def ask_name(asked: dict[str, Any], inputs: types.Object, dataset: fo.Dataset) -> None:
    """Asks for the name."""
    inputs.str(
        "brain_key",
        default=chosen_name(asked, dataset),
        required=False,
        label="Name",
        description="Of the saved view and of the run that remembers all of this",
    )
