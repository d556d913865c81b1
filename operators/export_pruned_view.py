"""The operator that writes a view as a COCO file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import fiftyone.operators as foo
from fiftyone.operators import types

from tfdp.io.files import check_output
from tfdp.io.view_export import export_coco, match_images
from tfdp.io.view_labels import list_mask_fields

from . import _forms as forms

if TYPE_CHECKING:
    from fiftyone.core.collections import SampleCollection
    from fiftyone.operators import ExecutionContext

_IMAGES = {
    "none": ("No", "annotations alone"),
    "symlink": ("Link", "to where they are: no disk space, same machine"),
    "copy": ("Copy", "into the folder images beside the file"),
}


class ExportPrunedView(foo.Operator):
    """Form and execution of ``tfdp.export_coco``."""

    @property
    def config(self) -> foo.OperatorConfig:
        return foo.OperatorConfig(
            name="export_pruned_view",
            label="Export pruned view",
            description="Write a view as a COCO file: the original's content, or true masks",
            icon=forms.ICON,
            dynamic=True,
            allow_immediate_execution=True,
            allow_delegated_execution=True,
            default_choice_to_delegated=False,
            risk_level=types.RiskLevel.MEDIUM,
        )

    def resolve_run_name(self, ctx: ExecutionContext) -> str:
        return f"Export to {ctx.params.get('path', 'COCO')}"

    def resolve_input(self, ctx: ExecutionContext) -> types.Property:
        inputs = types.Object()
        view = forms.choose_view(ctx, inputs, "Export")
        if view is not None:
            _ask_original(ctx, inputs, view)
            _ask_output(ctx, inputs)
        return forms.form(inputs, "Export pruned view", "Export")

    def execute(self, ctx: ExecutionContext) -> dict[str, Any]:
        view = ctx.target_view(require_flat=True)
        params = ctx.params
        images = params.get("images")
        done = export_coco(
            view,
            _path(params.get("path")),
            label_field=params.get("label_field"),
            annotations=_path(params.get("annotations")),
            images=None if images in (None, "none") else images,
            image_dir=_path(params.get("image_dir")),
            overwrite=params.get("overwrite", False),
            progress=forms.progress_to(ctx, "Writing annotations"),
        )
        if not ctx.delegated:
            ctx.ops.notify(f"Exported {done.num_images} images to {done.path}", variant="success")
        skipped = done.skipped.counts()
        return {
            "path": str(done.path),
            "images": done.num_images,
            "annotations": done.num_annotations,
            "skipped_by_reason": skipped,
            "skipped_text": forms.describe_counts(skipped),
        }

    def resolve_output(self, ctx: ExecutionContext) -> types.Property:
        outputs = types.Object()
        outputs.str("path", label="File")
        outputs.int("images", label="Images")
        if ctx.results.get("annotations") is not None:
            outputs.int("annotations", label="Annotations")
            outputs.str("skipped_text", label="Not written")
        return types.Property(outputs, view=types.View(label="Exported"))


def _path(text: str | None) -> Path | None:
    return Path(text).expanduser() if text else None


def _ask_original(ctx: ExecutionContext, inputs: types.Object, view: SampleCollection) -> None:
    inputs.str(
        "annotations",
        required=False,
        label="Original annotation file",
        description="The COCO file that this dataset was imported from: its exact content is kept. "
        "Without it, masks are written as run lengths",
    )
    original = _path(ctx.params.get("annotations"))
    if original is None:
        _ask_label_field(ctx, inputs, view)
        return
    try:
        match_images(view, original)
    except (OSError, ValueError) as error:
        forms.refuse(inputs, "annotations_error", str(error))
        return
    forms.tell(
        inputs,
        "matched",
        f"all {len(view)} samples are in the file; every annotation of theirs is kept, byte for "
        "byte, whatever labels the view filters out",
    )


def _ask_label_field(ctx: ExecutionContext, inputs: types.Object, view: SampleCollection) -> None:
    fields = {name: name for name in list_mask_fields(view)}
    if not fields:
        forms.refuse(
            inputs,
            "no_masks",
            "no field of these samples holds instance masks; name the original annotation file",
        )
        return
    chosen = forms.choose(
        inputs,
        "label_field",
        fields,
        default=next(iter(fields)),
        required=False,
        label="Label field",
        description="Whose masks to write",
    )
    wanted = ctx.params.get("label_field")
    if wanted is not None and wanted not in fields:
        message = f"field {wanted!r} holds no instance masks; those do: {', '.join(fields)}"
        chosen.invalid, chosen.error_message = True, message
        forms.refuse(inputs, "label_field_error", message)
    without = len(view.match({"metadata.width": None}))
    if without:
        forms.refuse(
            inputs,
            "no_metadata",
            f"{without} samples have no metadata, so that their images' sizes are not known; run "
            "the operator compute_metadata first",
        )


def _ask_output(ctx: ExecutionContext, inputs: types.Object) -> None:
    inputs.str(
        "path",
        required=True,
        label="Output file",
        description="Such as /data/pruned/instances.json, on the machine that FiftyOne runs on",
    )
    forms.choose(inputs, "images", _IMAGES, default="none", required=False, label="Images, too")
    images = ctx.params.get("images") or "none"
    if images != "none" and ctx.params.get("annotations"):
        inputs.str(
            "image_dir",
            required=False,
            label="Folder of the images",
            description="If it is not the folder that all samples are in",
        )
    inputs.bool(
        "overwrite",
        default=False,
        label="Overwrite files that exist",
        view=types.CheckboxView(),
    )
    path = _path(ctx.params.get("path"))
    if path is not None:
        try:
            check_output(path, overwrite=ctx.params.get("overwrite", False))
        except OSError as error:
            forms.refuse(inputs, "path_error", str(error))
