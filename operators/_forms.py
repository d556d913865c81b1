"""Pieces that the forms share."""

from __future__ import annotations

import time
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import fiftyone.operators as foo
from fiftyone.operators import types

from tfdp.errors import describe_error
from tfdp.values import check_choice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fiftyone.core.collections import SampleCollection
    from fiftyone.core.utils import ProgressBar
    from fiftyone.operators import ExecutionContext

    from tfdp.progress import Progress

ICON = "/assets/icon.svg"
REPORT_EVERY = 0.5  # seconds


def operator_config(name: str, label: str, description: str, **other: Any) -> foo.OperatorConfig:
    """How FiftyOne shows and runs an operator of ours; ``other`` is what one has otherwise."""
    usual = {
        "icon": ICON,
        "dynamic": True,
        "allow_immediate_execution": True,
        "allow_delegated_execution": True,
        "default_choice_to_delegated": False,
        "risk_level": types.RiskLevel.MEDIUM,
    }
    return foo.OperatorConfig(name, label=label, description=description, **(usual | other))


def choose_view(
    ctx: ExecutionContext, inputs: types.Object, action: str
) -> SampleCollection | None:
    """Asks which samples; returns the view of them, or None after an explanation of the trouble."""
    from tfdp.views.database import check_database
    from tfdp.views.labels import check_view
    from tfdp.views.mending import describe_unfinished

    inputs.view_target(
        ctx, action_description=action, allow_selected_samples=True, require_flat=True
    )
    try:
        check_database()
        view = ctx.target_view(require_flat=True)
        check_view(view)
    except (OSError, ValueError) as error:
        refuse(inputs, "view_error", error)
        return None
    unfinished = describe_unfinished(ctx.dataset)
    if unfinished:
        warn(inputs, "unfinished", unfinished)
    return view


def mend(ctx: ExecutionContext) -> None:
    """Undoes or finishes what a killed process has left in the dataset, and tells the App."""
    from tfdp.views.mending import mend_runs

    mended = mend_runs(ctx.dataset)
    if mended and not ctx.delegated:
        ctx.ops.notify(mended, variant="warning")


def list_choices(choices: Iterable[str] | Mapping[str, Any]) -> list[types.Choice]:
    """The choices of a dropdown: texts, or each value with its label or its `Choice`."""
    named = choices if isinstance(choices, Mapping) else {text: text for text in choices}
    return [
        types.Choice(value, label=said)
        if isinstance(said, str)
        else types.Choice(value, label=said.label, description=said.description or None)
        for value, said in named.items()
    ]


def choose(
    inputs: types.Object,
    name: str,
    choices: Iterable[str] | Mapping[str, Any],
    *,
    given: str | None = None,
    **kwargs: Any,
) -> types.Property:
    """Adds a dropdown of ``choices``; another value than these that is ``given`` is refused."""
    dropdown = types.DropdownView(choices=list_choices(choices))
    added = inputs.enum(name, list(choices), view=dropdown, **kwargs)
    if given is not None:
        try:
            check_choice(name, given, choices)
        except ValueError as error:
            added.invalid, added.error_message = True, str(error)
    return added


def refuse(inputs: types.Object, name: str, trouble: str | Exception) -> None:
    """Shows what is wrong, and keeps the form from being sent."""
    message = trouble if isinstance(trouble, str) else describe_error(trouble)
    inputs.view(
        _fresh(name, message),
        types.Error(label=sentence(message)),
        invalid=True,
        error_message=message,
    )


def warn(inputs: types.Object, name: str, message: str) -> None:
    """Shows what to think of; the form can be sent."""
    inputs.view(_fresh(name, message), types.Warning(label=sentence(message)))


def tell(inputs: types.Object, name: str, message: str) -> None:
    """Shows what will be done."""
    inputs.view(_fresh(name, message), types.Notice(label=sentence(message)))


def show_markdown(inputs: types.Object, name: str, markdown: str) -> None:
    """Shows a text or a table."""
    inputs.str(_fresh(name, markdown), default=markdown, required=False, view=types.MarkdownView())


def markdown_table(header: list[str], rows: list[list[Any]]) -> str:
    """A table; the columns after the first are aligned to the right where they hold numbers."""
    sides = [":---"] + ["---:" if isinstance(v, int) else ":---" for v in rows[0][1:]]
    lines = [_table_row(header), _table_row(sides), *(_table_row(row) for row in rows)]
    return "\n".join(lines)


def form(inputs: types.Object, label: str, button: str) -> types.Property:
    """The finished form."""
    return types.Property(inputs, view=types.PromptView(label=label, submit_button_label=button))


def progress_to(ctx: ExecutionContext) -> Progress:
    """Tells the App, and the database of delegated runs, not more often than is of use."""
    told = 0.0

    def show(fraction: float, message: str) -> None:
        nonlocal told
        if time.monotonic() - told > REPORT_EVERY or fraction >= 1:
            told = time.monotonic()
            ctx.set_progress(progress=fraction, label=message)

    return show


def bar_to(ctx: ExecutionContext, label: str) -> Callable[[ProgressBar], None]:
    """The same as a callback in place of FiftyOne's progress bars."""
    show = progress_to(ctx)
    return lambda bar: show(bar.progress, label)


def finish(
    ctx: ExecutionContext,
    message: str,
    view: SampleCollection | None = None,
    name: str | None = None,
) -> None:
    """Tells the App what is new; a delegated run has no App."""
    if ctx.delegated:
        return
    ctx.ops.reload_dataset()
    if name is not None:  # by its stages: the App does not know a new saved view by name yet
        ctx.ops.set_view(view=ctx.dataset.load_saved_view(name))
    elif view is not None:
        ctx.ops.set_view(view=view)
    ctx.ops.notify(message, variant="success")


def sentence(message: str) -> str:
    """A message, beginning with a capital."""
    return message[:1].upper() + message[1:]


def describe_counts(counts: dict[str, int]) -> str:
    """A dict of counts as "12 crowd, 3 no mask", or "nothing"."""
    parts = (f"{count} {what.replace('_', ' ')}" for what, count in counts.items())
    return ", ".join(parts) or "nothing"


def _table_row(values: list[Any]) -> str:
    return "| " + " | ".join(_cell(value) for value in values) + " |"


def _cell(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value).replace("|", "\\|")


def _fresh(name: str, content: str) -> str:
    """A name that changes with the content: the App shows what it first saw under a name."""
    return f"{name}_{zlib.crc32(content.encode()):08x}"
