"""Of a COCO file only what `json` reads of it counts, however it is written; by seed.

A text is compared with its plain dump, `json.dumps(json.loads(text))`: they score alike, skip the
same for the same reasons, or are refused for the same reason; and what `json` refuses is refused.
"""

import json
import random
import re
from decimal import Decimal
from math import isfinite

import pytest

import tfdp
from tests.sources.conftest import make_document

NUM_VARIANTS = 200
NUM_DAMAGED = 600
JUNK = [None, True, 3, "NaN", [], [[1, 2], {}], {"id": 7, "segmentation": [[0, 0, 9, 9, 5, 0]]}]
MARKS = ['"', "\\", "{", "}", "[", "]", ",", ":", "-", ".", "e", "0", "1", "9", " ", "\n", "\x01"]
MARKS += ["NaN", "-Infinity", "null", "true ", "\\ud800", "\\u0069", "é", '"id":1,', "[],", "1e999"]


class Writer:
    """Writes a document in one of the many ways that mean the same."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def space(self):
        return self.random.choice(["", "", "", " ", "\n", "\t", " \r\n  "])

    def text(self, text):
        escape = self.random.random() < 0.2
        ascii_only = self.random.random() < 0.5 or "\ud800" in text
        written = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
        if escape and written.isalnum() and written.isascii():
            k = self.random.randrange(len(written))
            written = (
                f"{written[:k]}\\u{ord(written[k]):04{self.random.choice('xX')}}{written[k + 1 :]}"
            )
        return f'"{written}"'

    def number(self, number):
        plain = json.dumps(number)
        if isinstance(number, int) or not isfinite(number) or self.random.random() < 0.7:
            return plain
        exponent = f"{Decimal(plain):e}"
        return self.random.choice([exponent, exponent.upper(), plain + "0", plain + "e0"])

    def members(self, members):
        """The members in another order, some written twice, of which the last counts."""
        pairs = list(members.items())
        self.random.shuffle(pairs)
        if self.random.random() < 0.1:
            pairs.insert(0, (f"extra {self.random.random()}", self.random.choice(JUNK)))
        for name in [name for name, _ in pairs if self.random.random() < 0.02]:
            pairs.insert(0, (name, self.random.choice(JUNK)))
        return pairs

    def value(self, value):
        if isinstance(value, dict):
            pairs = [
                self.text(name) + self.space() + ":" + self.value(inner)
                for name, inner in self.members(value)
            ]
            written = "{" + ",".join(self.space() + pair for pair in pairs) + self.space() + "}"
        elif isinstance(value, list):
            written = "[" + ",".join(map(self.value, value)) + self.space() + "]"
        elif isinstance(value, str):
            written = self.text(value)
        elif isinstance(value, bool) or value is None:
            written = json.dumps(value)
        else:
            written = self.number(value)
        return self.space() + written + self.space()


def outcome(path):
    """All that scoring says of a file, places in it and its name apart."""
    try:
        scores = tfdp.score_coco(path)
    except ValueError as error:
        said = str(error).replace(str(path), "FILE")
        return re.sub(r"byte \d+|line \d+|but is \{.*", "", said, flags=re.DOTALL)
    columns = {**scores.images, **scores.instances}
    return (
        {name: [repr(value) for value in column.tolist()] for name, column in columns.items()},
        [tuple(item)[:3] for item in scores.skipped],
    )


@pytest.fixture(scope="module")
def excerpt(shared):
    """12 images of a real file with their annotations, crowds among them."""
    document = json.loads((shared / "data/coco/instances.json").read_bytes())
    crowds = {a["image_id"] for a in document["annotations"] if a["iscrowd"]}
    images = sorted(document["images"], key=lambda image: image["id"] not in crowds)[:12]
    ids = {image["id"] for image in images}
    annotations = [
        {**annotation, "iscrowd": bool(annotation["iscrowd"])}
        for annotation in document["annotations"]
        if annotation["image_id"] in ids
    ]
    return {**document, "images": images, "annotations": annotations}


def by_id(scored):
    columns, _ = scored
    return dict(zip(columns["annotation_id"], columns["cb_scs"], strict=True))


@pytest.fixture(scope="module")
def expected(excerpt, tmp_path_factory):
    path = tmp_path_factory.mktemp("excerpt") / "ann.json"
    path.write_text(json.dumps(excerpt))
    return by_id(outcome(path))


@pytest.mark.real_data
@pytest.mark.parametrize("seed", range(NUM_VARIANTS))
def test_a_real_file_scores_alike_however_it_is_written(excerpt, expected, write, seed):
    text = Writer(seed).value(excerpt)
    found = outcome(write(text))
    assert found == outcome(write(json.loads(text), "plain.json"))
    assert by_id(found) == expected
    assert len(expected) > 50


def damaged(seed):
    """A small file with a few bytes more, less or others."""
    rng = random.Random(seed)
    text = Writer(seed).value(make_document()) if seed % 2 else json.dumps(make_document())
    for _ in range(rng.choice([1, 1, 2])):
        place, removed = rng.randrange(len(text)), rng.choice([0, 0, 1, 1, 2, 5])
        text = text[:place] + rng.choice(["", *MARKS]) + text[place + removed :]
    return text


def test_a_damaged_file_is_read_where_json_reads_it_and_nowhere_else(write):
    read = []
    for seed in range(NUM_DAMAGED):
        text = damaged(seed)
        try:
            plain = json.loads(text)
        except ValueError:
            assert "is not JSON" in outcome(write(text)), text
            continue
        found = outcome(write(text))
        assert found == outcome(write(json.dumps(plain), "plain.json")), text
        read.append(isinstance(found, tuple))
    assert NUM_DAMAGED / 10 < sum(read) < len(read) < NUM_DAMAGED * 9 / 10  # of each enough


@pytest.mark.parametrize(
    "value", ["NaN", "-Infinity", '"\\ud800"', '{"\\ud800": 0}', "1e999", "[NaN]"]
)
@pytest.mark.parametrize("member", ["area", "bbox", "\\u0061rea", "\\ud800", "NaN"])
def test_what_json_alone_takes_costs_no_entry(document, write, value, member):
    text = json.dumps(document)
    changed = text.replace('{"id": 2,', f'{{"{member}": {value}, "id": 2,')
    assert changed != text
    assert outcome(write(changed)) == outcome(write(text))


@pytest.mark.parametrize("seed", range(20))
def test_of_a_file_written_in_any_way_the_kept_part_is_kept(document, write, tmp_path, seed):
    extra = [1.5, float("nan"), "\ud800"] if seed % 2 else [1.5, None]
    text = Writer(seed).value(document | {"extra": extra})
    source, output = write(text), tmp_path / "out.json"
    tfdp.write_coco_subset(source, [10, 20, 30], output)
    assert output.read_bytes() == source.read_bytes()
    tfdp.write_coco_subset(source, [20], output, overwrite=True)
    whole, kept = json.loads(text), json.loads(output.read_bytes())
    assert list(kept) == list(whole)
    whole["images"] = [image for image in whole["images"] if image["id"] == 20]
    whole["annotations"] = [a for a in whole["annotations"] if a["image_id"] == 20]
    assert json.dumps(kept) == json.dumps(whole)
