"""How the tests run the program, and read what it wrote."""

import csv
import json
import subprocess
import sys

from tfdp.cli import main


def run(*arguments):
    return main([str(argument) for argument in arguments])


def run_process(*arguments, **options):
    code = "import sys; from tfdp.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def read_csv(path):
    with path.open(newline="") as file:
        return list(csv.reader(file))


def the_line(capsys):
    """The one line on stderr."""
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert captured.err.startswith("tfdp")
    return captured.err


def totals_of(**changes):
    row = {"category": 1, "si_scs": 2.5, "num_instances": 2, **changes}
    return json.dumps({"rasterizer": "coco", "class_totals": [row]})
