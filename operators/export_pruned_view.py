"""The operator that writes a view as a COCO file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fiftyone.operators as foo
from fiftyone.operators import types

from tfdp.files.outputs import check_ending, check_output
from tfdp.options import Choice
from tfdp.values import check_flag, check_text
from tfdp.views.database import database_errors
from tfdp.views.export import export_coco, match_images
from tfdp.views.labels import list_mask_fields

from . import _forms as forms
from ._params import check_folder, check_path, one_of, read_form, read_parameters

if TYPE_CHECKING:
    from fiftyone.core.collections import SampleCollection
    from fiftyone.operators import ExecutionContext

_IMAGES = {
    "none": Choice("No", "annotations alone"),
    "symlink": Choice("Link", "to where they are: no disk space, same machine"),
    "copy": Choice("Copy", "into the folder images beside the file"),
}
_CHECKS = {
    "annotations": check_path,
    "label_field": check_text,
    "path": check_path,
    "images": one_of(_IMAGES),
    "image_dir": check_folder,
    "overwrite": check_flag,
}


class ExportPrunedView(foo.Operator):
    """Form and execution of ``tfdp.export_coco``."""

    @property
    def config(self) -> foo.OperatorConfig:
        return forms.operator_config(
            "export_pruned_view",
            "Export pruned view",
            "Write a view as a COCO file: the original's content, or true masks",
        )

    def resolve_run_name(self, ctx: ExecutionContext) -> str:
        return f"Export to {ctx.params.get('path', 'COCO')}"

    def resolve_input(self, ctx: ExecutionContext) -> types.Property:
        inputs = types.Object()
        asked = read_form(ctx, inputs, _CHECKS)
        view = forms.choose_view(ctx, inputs, "Export")
        if view is not None:
            _ask_original(asked, inputs, view)
            _ask_output(asked, inputs)
        return forms.form(inputs, "Export pruned view", "Export")

    @database_errors()
    def execute(self, ctx: ExecutionContext) -> dict[str, Any]:
        asked = read_parameters(ctx, _CHECKS)
        view = ctx.target_view(require_flat=True)
        if asked["path"] is None:
            raise ValueError("path must be the file to write, but none was given")
        done = export_coco(
            view,
            asked["path"],
            label_field=asked["label_field"],
            annotations=asked["annotations"],
            images=None if asked["images"] == "none" else asked["images"],
            image_dir=asked["image_dir"],
            overwrite=bool(asked["overwrite"]),
            progress=forms.bar_to(ctx, "Writing annotations"),
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
        if (ctx.results or {}).get("annotations") is not None:  # none where it failed
            outputs.int("annotations", label="Annotations")
            outputs.str("skipped_text", label="Not written")
        return types.Property(outputs, view=types.View(label="Exported"))


def _ask_original(asked: dict[str, Any], inputs: types.Object, view: SampleCollection) -> None:
    inputs.str(
        "annotations",
        required=False,
        label="Original annotation file",
        description="The COCO file that this dataset was imported from: its exact content is kept. "
        "Without it, masks are written as run lengths",
    )
    original = asked["annotations"]
    if original is None:
        _ask_label_field(asked, inputs, view)
        return
    try:
        match_images(view, original)
    except (OSError, ValueError) as error:
        forms.refuse(inputs, "annotations_error", error)
        return
    forms.tell(
        inputs,
        "matched",
        f"all {len(view)} samples are in the file; every annotation of theirs is kept, byte for "
        "byte, whatever labels the view filters out",
    )


def _ask_label_field(asked: dict[str, Any], inputs: types.Object, view: SampleCollection) -> None:
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
    wanted = asked["label_field"]
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


def _ask_output(asked: dict[str, Any], inputs: types.Object) -> None:
    inputs.str(
        "path",
        required=True,
        label="Output file",
        description="Such as /data/pruned/instances.json, on the machine that FiftyOne runs on",
    )
    forms.choose(inputs, "images", _IMAGES, default="none", required=False, label="Images, too")
    if asked["images"] not in (None, "none") and asked["annotations"] is not None:
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
    if asked["path"] is not None:
        try:
            check_ending(asked["path"], [".json"])
            check_output(asked["path"], overwrite=bool(asked["overwrite"]))
        except (OSError, ValueError) as error:
            forms.refuse(inputs, "path_error", error)
