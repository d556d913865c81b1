"""What only a machine with a GPU can say, step by step: figures as a table and as JSON.

benchmarks/gpu.sh [-o FILE] [--only STEP ...] [--minutes M] [--device cpu --quick]

Needs the extra `models`, and neither data nor a network: it draws 360 photos of 640 x 480 px. Each
step is a process of its own with a limit of time; one that fails says why, and the others go on.
With --device cpu --quick all of it runs on a CPU with tiny images, to see that it does.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.gpu_steps import STEPS

SHOWN_LINES = 12  # of what a failed step said
CPU_PATIENCE = 4


def run_step(name, limit, folder, arguments):
    """What a step found, or the last lines of what it said."""
    result = folder / f"{name}.json"
    command = [sys.executable, "-m", "benchmarks.gpu_steps", name, str(folder), str(result)]
    command += ["--device", arguments.device] + ["--quick"] * arguments.quick
    log = folder / f"{name}.log"
    started = time.perf_counter()
    with log.open("w") as output:
        try:
            done = subprocess.run(
                command,
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=limit,
            )
            failure = f"exit status {done.returncode}" if done.returncode else None
        except subprocess.TimeoutExpired:
            failure = f"stopped after {limit:.0f} s"
    found = {"seconds": round(time.perf_counter() - started, 1)}
    if failure is None:
        return found | {"figures": json.loads(result.read_text())}
    said = log.read_text(errors="replace").splitlines()[-SHOWN_LINES:]
    return found | {"error": failure, "said": said}


def show(name, found):
    print(f"\n{name} ({found['seconds']} s)")
    if "error" in found:
        print(f"  FAILED: {found['error']}", *found.get("said", []), sep="\n    ")
    for figure, value in found.get("figures", {}).items():
        print(f"  {figure:<48} {value}")
    sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--quick", action="store_true", help="few tiny images, small network")
    parser.add_argument("--only", nargs="+", choices=STEPS, metavar="STEP", help=", ".join(STEPS))
    parser.add_argument("--minutes", type=float, default=11.5, help="for all steps together")
    parser.add_argument("-o", "--output", type=Path, default=Path("gpu_figures.json"))
    arguments = parser.parse_args()
    end = time.monotonic() + 60 * arguments.minutes
    results = {"command": sys.argv[1:], "steps": {}}
    with tempfile.TemporaryDirectory() as folder:
        for name, step in STEPS.items():
            if arguments.only and name not in {"data", "training", *arguments.only}:
                continue  # the others need what those two make
            patience = CPU_PATIENCE if arguments.device == "cpu" else 1
            limit = min(patience * step.limit, end - time.monotonic())
            if limit > 1:
                found = run_step(name, limit, Path(folder), arguments)
            else:
                found = {"seconds": 0, "error": "no time was left"}
            show(name, found)
            results["steps"][name] = found
            arguments.output.write_text(json.dumps(results, indent=1))
    print(f"\nwritten to {arguments.output}")


if __name__ == "__main__":
    main()
