"""What a person is told at the end: a few lines of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..scores.table import higher_first
from ..selection.composition import rank_class_losses
from ..selection.policies import POLICIES

if TYPE_CHECKING:
    from ..models.class_evaluation import Accuracy
    from ..scores.shape_scores import ShapeScores
    from ..selection.selection import Selection
    from ..skipped import Skipped


def describe_skipped(skipped: Skipped) -> list[str]:
    """One line for each kind of entry and reason, with the first few ids."""
    groups: dict[tuple[str, str], list[object]] = {}
    for item in skipped:
        groups.setdefault((item.kind, item.reason), []).append(item.id)
    lines = []
    for (kind, reason), ids in sorted(groups.items(), key=lambda group: -len(group[1])):
        more = ", ...; all of them: --skipped FILE" if len(ids) > 5 else ""
        shown = ", ".join(map(str, ids[:5])) + more
        lines.append(f"  {len(ids)} {kind}{'s' if len(ids) > 1 else ''}: {reason} (id {shown})")
    return lines


def describe_scores(scores: ShapeScores) -> str:
    """What was scored, and what was not."""
    images = scores.images.num_rows
    scored = int((scores.images.num_instances > 0).sum())
    classes = sum(count > 0 for count in scores.class_totals.num_instances.values())
    what = f"{scores.instances.num_rows} instances of {classes} classes"
    lines = [f"{what} scored in {scored} of {images} images (rasterizer {scores.rasterizer})"]
    if len(scores.degenerate):
        lines.append(f"{len(scores.degenerate)} of them have an outline without area and score 0")
    if len(scores.skipped):
        lines += ["not scored:", *describe_skipped(scores.skipped)]
    return "\n".join(lines)


def _row(name: str, before: int, after: int) -> str:
    percent = f"{after / before:7.1%}" if before else f"{'-':>7}"
    return f"{name:<24}{before:>10}{after:>10}  {percent}"


def describe_accuracy(accuracy: Accuracy) -> str:
    """The top-1 on a test set, and what counts nowhere."""
    lines = [f"top-1 {accuracy.top1:.2%} of {accuracy.images} test images"]
    if len(accuracy.skipped):
        lines += ["not tested:", *describe_skipped(accuracy.skipped)]
    return "\n".join(lines)


def _describe_score(selection: Selection) -> str:
    """What the images were ranked by, and how the budget was filled."""
    of = "" if selection.table is None else f" of {selection.table}"
    way = "" if selection.aggregation is None else f" ({selection.aggregation} over an image)"
    first = "highest" if higher_first(selection.scorer) else "lowest"
    policy = POLICIES[selection.criteria.policy].label.lower()
    return f"by {selection.scorer}{of}{way}, {first} first; policy {policy}"


def describe_selection(selection: Selection, num_losses: int = 5) -> str:
    """What was asked, and what is kept: images, instances, sizes, the classes that lose most."""
    before, after = selection.before, selection.after
    lines = [_describe_score(selection), f"{'':<24}{'before':>10}{'kept':>10}  {'':>7}"]
    lines.append(_row("images", before.images, after.images))
    lines.append(_row("instances", before.instances, after.instances))
    for size, count in before.instances_per_size.items():
        lines.append(_row(f"  {size}", count, after.instances_per_size[size]))
    losses = [loss for loss in rank_class_losses(before, after) if loss.after < loss.before]
    if losses:
        lines.append("classes that lose most")
        lines += [_row(f"  {loss.name}", loss.before, loss.after) for loss in losses[:num_losses]]
    return "\n".join(line.rstrip() for line in lines)
