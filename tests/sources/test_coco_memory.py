"""Files that ask for far more memory than they are long: they are read in less than 1 GB."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import tfdp
from tests.sources.conftest import make_document

LIMIT = 600  # MB; a run on a usual file takes 250
SCORE = """
import json, sys, tfdp
scores = tfdp.score_coco(sys.argv[1])
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps([scores.instances.num_rows, scores.skipped.counts(), int(peak.split()[1]) / 1024]))
"""


def annotation(number, segmentation, image_id=1):
    return (
        f'{{"id": {number}, "image_id": {image_id}, "category_id": 1, "iscrowd": 0, '
        f'"segmentation": {segmentation}}}'
    )


def rle(counts):
    return f'{{"size": [2000, 2000], "counts": {counts}}}'


def thin_polygons():
    """8 kB; each polygon crosses 10^6 columns twice."""
    return [annotation(k, "[[0, 1, 999999, 1, 999999, 3]]", 2) for k in range(1, 101)]


HOSTILE = {  # annotations, and the reason that they are skipped for
    "thin polygons": (thin_polygons, None),
    "a million parts": (
        lambda: [annotation(1, f"[{','.join(['[1,1,2,1,2,2]'] * 10**6)}]")],
        "segmentation_too_long",
    ),
    "a zigzag of 300,000 points": (
        lambda: [
            annotation(1, f"[[{','.join(f'{k % 2},{k * 7919 % 1999}' for k in range(3 * 10**5))}]]")
        ],
        "outline_too_long",
    ),
    "a polygon of five million points": (
        lambda: [annotation(1, f"[[{'1,' * 10**7}1e0]]")],
        "segmentation_too_long",
    ),
    "what only json takes, beside a long polygon": (
        lambda: [annotation(1, f"[[{'1,' * 10**7}1e0]]").replace("{", '{"area": NaN, ')],
        "segmentation_too_long",
    ),
    "a million names": (
        lambda: [annotation(1, '"", "id": 5.5, ' + ",".join(f'"{k}": 0' for k in range(10**6)))],
        "bad_id",
    ),
    "empty lists": (
        lambda: [annotation(k, f"[[{'[],' * 10**6}[]]]") for k in range(1, 9)],
        "bad_segmentation",
    ),
    "run lengths of four million counts": (
        lambda: [annotation(k, rle(f'"111{"0" * (4 * 10**6 - 3)}"')) for k in range(1, 9)],
        "outline_too_long",
    ),
    "an id of empty lists": (lambda: [f'{{"id": [{"[]," * 10**7}[]]}}'], "bad_id"),
}


REFUSED = """
import json, sys, tfdp
try:
    tfdp.score_coco(sys.argv[1])
except ValueError as error:
    peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    print(json.dumps([str(error), int(peak.split()[1]) / 1024]))
"""
needs_peak = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="the system tells no peak"
)


def run(script, path):
    """What a script prints, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", script, path],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@needs_peak
@pytest.mark.parametrize("make, reason", HOSTILE.values(), ids=HOSTILE)
def test_memory_is_bounded_and_the_rest_is_scored(tmp_path, make, reason):
    hostile = make()
    images = [(1, 2000, 2000), (2, 10**6, 4000)]
    head = {
        "images": [{"id": i, "width": w, "height": h} for i, w, h in images],
        "categories": [{"id": 1, "name": "a"}],
    }
    good = annotation(0, "[[1, 1, 9, 1, 9, 9]]")
    path = tmp_path / "hostile.json"
    path.write_text(f'{json.dumps(head)[:-1]}, "annotations": [{",".join([good, *hostile])}]}}')
    scored, skipped, peak = run(SCORE, path)
    assert peak < LIMIT
    assert scored == (1 if reason else 1 + len(hostile))
    assert skipped == ({reason: len(hostile)} if reason else {})


@pytest.mark.parametrize("member", ["images", "annotations"])
@pytest.mark.parametrize("entry", ["5", "{}"])
def test_millions_of_entries_that_say_nothing_are_an_error(write, member, entry):
    text = json.dumps({**make_document(), member: ["here"]})
    path = write(text.replace('"here"', ",".join([entry] * (10**6 + 1))).encode())
    with pytest.raises(ValueError, match=f"'{member}' in .* has 1,000,001 entries of less than 32"):
        tfdp.score_coco(path)


def peak_of_an_error(path, message):
    """Scores a file that is refused; MB."""
    said, peak = run(REFUSED, path)
    assert message in said
    return peak


@needs_peak
@pytest.mark.parametrize(
    "entry, message",
    [
        ("5", "has 25,000,000 entries of less than 32 bytes"),
        ("{}", "has 16,666,666 entries of less than 32 bytes"),
        ("[]", "has 16,666,666 entries of less than 32 bytes"),
    ],
)
def test_a_file_of_50_mb_that_says_nothing_takes_less_than_1_gb(tmp_path, entry, message):
    number = 50 * 10**6 // (len(entry) + 1)
    path = tmp_path / "ann.json"
    entries = entry + f",{entry}" * (number - 1)
    path.write_text(f'{{"images": [], "categories": [], "annotations": [{entries}]}}')
    assert peak_of_an_error(path, message) < 1000


@needs_peak
def test_a_file_of_50_mb_of_names_takes_less_than_1_gb(tmp_path):
    path = tmp_path / "ann.json"
    names = ",".join(f'"{k}":0' for k in range(4 * 10**6))
    path.write_text(f"{{{names}}}")
    assert peak_of_an_error(path, "has no list 'images', but millions of other names") < 1000
