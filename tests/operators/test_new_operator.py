"""An operator is added in three places: its module, the list of operators, and fiftyone.yml."""

import json
import os
import shutil
import subprocess
import sys

from demo.sandbox import ROOT

PLUGIN = "@tfdp/instance-pruning"
MODULE = """
import fiftyone.operators as foo


class CountSamples(foo.Operator):
    @property
    def config(self):
        return foo.OperatorConfig(name="count_samples", label="Count samples")

    def execute(self, ctx):
        return {"samples": len(ctx.dataset)}
"""
USE = f"""
import json, sys
import fiftyone as fo
import fiftyone.operators as foo

dataset = fo.load_dataset(sys.argv[1])
result = foo.execute_operator("{PLUGIN}/count_samples", {{"dataset": dataset}}).result
names = [operator.name for operator in foo.list_operators(builtin=False)]
print(json.dumps([result, names]))
"""


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def add_operator(folder):
    (folder / "operators" / "count_samples.py").write_text(MODULE)
    listed = folder / "operators" / "__init__.py"
    edit(
        listed,
        "\nOPERATORS = [",
        "\nfrom .count_samples import CountSamples\n\nOPERATORS = [\n    CountSamples,",
    )
    edit(folder / "fiftyone.yml", "operators:\n", "operators:\n  - count_samples\n")


def test_an_operator_in_three_places(shapes, tmp_path):
    plugin = tmp_path / "plugins" / "tfdp"
    plugin.mkdir(parents=True)
    for name in ("fiftyone.yml", "__init__.py"):
        shutil.copy(ROOT / name, plugin)
    shutil.copytree(ROOT / "operators", plugin / "operators")
    (plugin / "tfdp").symlink_to(ROOT / "tfdp")
    add_operator(plugin)
    environment = os.environ | {"FIFTYONE_PLUGINS_DIR": str(plugin.parent)}
    command = [sys.executable, "-c", USE, shapes.name]
    done = subprocess.run(
        command, env=environment, cwd=tmp_path, check=True, capture_output=True, text=True
    )
    result, names = json.loads(done.stdout.splitlines()[-1])
    assert result == {"samples": 3}
    assert {"count_samples", "compute_shape_scores", "create_pruned_view"} <= set(names)
