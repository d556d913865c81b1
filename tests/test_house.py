"""The rules of CONTRIBUTING.md that a program can hold the repository against."""

import ast
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml

import tfdp
from demo.sandbox import ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PAGES = ["README.md", "CONTRIBUTING.md", *(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md"))]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS = PROJECT["project"]["optional-dependencies"]
TOOLS = {"import-linter", "mypy", "pytest-xdist", "ruff", "pyarrow-stubs", "types-psutil"}
LONGEST_FILE, LONGEST_FUNCTION = 250, 50  # lines, a function's without its docstring
REQUIREMENTS = (ROOT / "requirements.txt").read_text().split()


def sources(*folders):
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


CODE = sources("tfdp", "operators")


def named(path):
    return path.relative_to(ROOT).as_posix()


def test_packages_import_one_way():
    lint = [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache"]
    done = subprocess.run(
        lint, check=False, cwd=ROOT, capture_output=True, text=True, env={"PYTHONPATH": str(ROOT)}
    )
    assert done.returncode == 0, done.stdout


def test_all_packages_are_installed():
    folders = {path.parent.relative_to(ROOT) for path in sources("tfdp")}
    assert set(PROJECT["tool"]["setuptools"]["packages"]) == {".".join(f.parts) for f in folders}


def test_no_file_is_long():
    lengths = {named(path): len(path.read_text().splitlines()) for path in CODE}
    assert {name: n for name, n in lengths.items() if n > LONGEST_FILE} == {}


def length_without_docstring(function):
    documented = 0
    if ast.get_docstring(function) is not None:
        documented = function.body[0].end_lineno - function.body[0].lineno + 1
    return function.end_lineno - function.lineno + 1 - documented


def test_no_function_is_long():
    long = [
        f"{named(path)}: {node.name}"
        for path in CODE
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and length_without_docstring(node) > LONGEST_FUNCTION
    ]
    assert long == []


FOLDERS = r"\.ci|assets|benchmarks|demo|docs|operators|scripts|tests|tfdp"


def paths_in(page):
    """What a page names that looks like a path of the repository."""
    text = (ROOT / page).read_text()
    named = re.findall(rf"(?<![\w/.@~-])((?:{FOLDERS})/[\w./*-]*[\w*/])", text)
    files = re.findall(r"(?<![\w/.@~-])[\w-]+\.(?:yml|toml)\b", text)
    return {*named, *files, *re.findall(r"\]\(([^)#:]+)\)", text)}


@pytest.mark.parametrize("page", PAGES)
def test_paths_in_the_pages_are_there(page):
    folder = (ROOT / page).parent
    gone = [
        path
        for path in paths_in(page)
        if not list(ROOT.glob(path.rstrip("/"))) and not (folder / path).exists()
    ]
    assert gone == []


@pytest.mark.parametrize("page", PAGES)
def test_modules_in_the_pages_are_there(page):
    names = set(re.findall(r"`(tfdp(?:\.[a-z_]+)+)", (ROOT / page).read_text()))
    public = {f"tfdp.{name}" for name in tfdp.__all__}
    missing = [n for n in names - public if not list(ROOT.glob(n.replace(".", "/") + "*"))]
    assert missing == []


def test_the_version_is_one():
    assert yaml.safe_load((ROOT / "fiftyone.yml").read_text())["version"] == tfdp.__version__


def test_the_fiftyone_that_is_asked_for_is_one():
    asked = yaml.safe_load((ROOT / "fiftyone.yml").read_text())["fiftyone"]["version"]
    assert f"fiftyone{asked}" in EXTRAS["fiftyone"]


def imported_packages(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.split(".")[0]


def distribution_name(requirement):
    return re.split(r"[<>=\[; ]", requirement)[0].lower()


def needed_by(paths):
    known = packages_distributions() | {"cv2": ["opencv-python-headless"]}
    own = {"tfdp", "operators", "demo", "benchmarks", "tests", *sys.stdlib_module_names, "tomllib"}
    imported = {name for path in paths for name in imported_packages(path)} - own
    named_alike = {"bson": "pymongo", "gridfs": "pymongo"}
    return {named_alike.get(name, known.get(name, [name])[0].lower()) for name in imported}


HOMES = {
    "the library": ([*sources("tfdp/cli", "tfdp/files", "tfdp/geometry", "tfdp/scores", "tfdp/selection", "tfdp/sources"),
                     *(ROOT / "tfdp").glob("*.py")], []),
    "fiftyone": (sources("tfdp/views", "operators"), ["fiftyone"]),
    "models": (sources("tfdp/models"), ["models"]),
    "dev": (sources("tests", "demo", "benchmarks", "scripts"), ["fiftyone", "models", "dev"]),
}  # fmt: skip


@pytest.mark.parametrize("home", HOMES)
def test_what_is_imported_is_declared(home):
    paths, extras = HOMES[home]
    more = [requirement for extra in extras for requirement in EXTRAS[extra]]
    declared = {distribution_name(requirement) for requirement in REQUIREMENTS + more}
    assert needed_by(paths) - declared == set()


def test_what_is_declared_is_imported():
    needed = set().union(*(needed_by(paths) for paths, _ in HOMES.values()))
    declared = {distribution_name(r) for r in sum(EXTRAS.values(), REQUIREMENTS)}
    assert declared - needed == TOOLS | {"tfdp"}
