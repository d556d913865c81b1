"""The FiftyOne plugin @tfdp/instance-pruning: registers its operators, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def _import_tfdp() -> None:
    """Imports the library that lies in this folder, unless another is imported already."""
    import logging

    from fiftyone.core.utils import add_sys_path

    folder = Path(__file__).resolve().parent
    with add_sys_path(str(folder)):
        import tfdp
    here = (folder / "tfdp" / "version.py").read_text()
    if f'"{tfdp.__version__}"' not in here:
        logging.getLogger(__name__).warning(
            "The plugin in %s uses tfdp %s of %s, which is another version than its own; "
            "upgrade or uninstall that one",
            folder,
            tfdp.__version__,
            Path(tfdp.__file__).parent,
        )


def register(plugin: Any) -> None:
    """Called by FiftyOne."""
    _import_tfdp()
    from .operators import OPERATORS

    for operator in OPERATORS:
        plugin.register(operator)
