"""A FiftyOne of its own in one folder: database, datasets, plugins and settings.

Must be entered before fiftyone is imported. Neither the demo nor the tests ever touch the FiftyOne
of the person who runs them.
"""

from __future__ import annotations

import os
import sys
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def enter_sandbox(folder: Path) -> None:
    """Points FiftyOne at ``folder``, with this clone as its only plugin.

    A database that the environment names (``FIFTYONE_DATABASE_URI``) is used, since there may be no
    mongod beside it, but under a database name of the folder's own.
    """
    if "fiftyone" in sys.modules:
        raise RuntimeError("fiftyone was imported before enter_sandbox(); enter it first")
    folder = folder.resolve()
    plugins = folder / "plugins"
    plugins.mkdir(parents=True, exist_ok=True)
    link = plugins / "tfdp"
    if not link.exists():
        link.symlink_to(ROOT, target_is_directory=True)
    settings = {
        "CONFIG_PATH": folder / "config.json",
        "APP_CONFIG_PATH": folder / "app_config.json",
        "DATABASE_DIR": folder / "database",
        "DATABASE_NAME": f"tfdp-{zlib.crc32(bytes(folder)):08x}",
        "DEFAULT_DATASET_DIR": folder / "datasets",
        "PLUGINS_DIR": plugins,
        "DO_NOT_TRACK": "true",
        "ALLOW_LEGACY_ORCHESTRATORS": "true",
    }
    for name, value in settings.items():
        os.environ[f"FIFTYONE_{name}"] = str(value)
