"""Subsets: the original's bytes, images beside them, and nothing outside of the folder."""

import json
import os

import pytest
from pycocotools.coco import COCO

import tfdp
from tests.sources.conftest import names_in


@pytest.fixture
def source(document, write, tmp_path):
    """A COCO file with odd layout and numbers, and its images."""
    document["annotations"][0].update(area=1e2, bbox=[0.10, 1.0, 2.50, 3], note="\\u00e9 ü")
    document["annotations"].append(
        {"id": 5, "image_id": 10, "category_id": 1, "segmentation": None}
    )
    document["extra"] = {"kept": [1.0, 1e5]}
    (tmp_path / "images").mkdir()
    for image in document["images"]:
        (tmp_path / "images" / image["file_name"]).write_bytes(image["file_name"].encode())
    return write(json.dumps(document, indent=1, ensure_ascii=False).replace("100.0", "1.00E+2"))


@pytest.fixture
def output(tmp_path):
    (tmp_path / "out").mkdir()
    return tmp_path / "out" / "pruned.json"


def entries_by_id(text, member):
    """The bytes of every entry: sought by another way than ours."""
    found = {}
    place = text.index(f'"{member}"')
    decoder = json.JSONDecoder()
    place = text.index("[", place) + 1
    while True:
        place += len(text[place:]) - len(text[place:].lstrip(" \n,"))
        if text[place] == "]":
            return found
        entry, end = decoder.raw_decode(text, place)
        found[entry["id"]] = text[place:end]
        place = end


def test_to_keep_all_gives_the_same_bytes(source, output):
    tfdp.write_coco_subset(source, [10, 20, 30], output)
    assert output.read_bytes() == source.read_bytes()


@pytest.mark.parametrize("keep", [[10], [20], [30], [10, 30], [20, 30], []])
def test_what_is_kept_is_kept_byte_for_byte(source, output, keep):
    tfdp.write_coco_subset(source, keep, output)
    before, after = source.read_text(), output.read_text()
    original, subset = json.loads(before), json.loads(after)
    assert list(subset) == list(original)
    for name in ("info", "categories", "extra"):
        assert subset[name] == original[name]
    assert [image["id"] for image in subset["images"]] == keep
    assert subset["annotations"] == [a for a in original["annotations"] if a["image_id"] in keep]
    for member in ("images", "annotations"):
        kept = entries_by_id(after, member)
        assert kept.items() <= entries_by_id(before, member).items()


def test_of_a_list_that_is_there_twice_the_last_is_cut(document, write, output):
    text = json.dumps(document)
    earlier = '{"annotations": [ {"id": 9} ], "im\\u0061ges": null, '
    source = write(earlier + text[1:])
    tfdp.write_coco_subset(source, [10], output)
    assert output.read_text().startswith(earlier)
    subset = json.loads(output.read_text())
    assert [image["id"] for image in subset["images"]] == [10]
    assert [a["id"] for a in subset["annotations"]] == [1]
    tfdp.write_coco_subset(source, [10, 20, 30], output, overwrite=True)
    assert output.read_bytes() == source.read_bytes()


def test_entries_without_a_home_go(document, write, output):
    document["annotations"] += [
        5,
        {"id": 8},
        {"id": 9, "image_id": None},
        {"id": 11, "image_id": 77},
    ]
    document["images"].append({"file_name": "no id"})
    tfdp.write_coco_subset(write(document), [10], output)
    subset = json.loads(output.read_text())
    assert [a["id"] for a in subset["annotations"]] == [1]


def test_a_selection_is_taken(source, output):
    selection = tfdp.select(tfdp.score_coco(source), keep=1)
    tfdp.write_coco_subset(source, selection, output)
    assert [image["id"] for image in json.loads(output.read_text())["images"]] == [20]


def test_of_a_selection_over_two_files_each_gets_its_part(document, write, output):
    other = json.loads(json.dumps(document))
    for entry in [*other["images"], *other["annotations"]]:
        entry["id"] += 500
        if "image_id" in entry:
            entry["image_id"] += 500
    first, second = write(document, "1.json"), write(other, "2.json")
    selection = tfdp.select(tfdp.score_coco([first, second]), keep=4)
    tfdp.write_coco_subset(second, selection, output)
    assert [image["id"] for image in json.loads(output.read_text())["images"]] == [510, 520]

    selection = tfdp.select(tfdp.score_coco(first), keep=1)
    with pytest.raises(ValueError, match="none of the images of the selection"):
        tfdp.write_coco_subset(second, selection, output, overwrite=True)


def test_ids_that_are_not_in_the_file_are_refused(source, output):
    with pytest.raises(ValueError, match=r"1 images to keep are not in .*, such as 11"):
        tfdp.write_coco_subset(source, [10, 11], output)
    assert not output.exists()


def test_the_file_itself_is_never_written_over(source):
    with pytest.raises(ValueError, match="is the file to read"):
        tfdp.write_coco_subset(source, [10], source, overwrite=True)


def test_an_output_that_exists_is_replaced_only_when_asked(source, output):
    output.write_text("precious")
    with pytest.raises(FileExistsError, match=r"pruned.json exists"):
        tfdp.write_coco_subset(source, [10], output)
    assert output.read_text() == "precious"
    tfdp.write_coco_subset(source, [10], output, overwrite=True)
    assert json.loads(output.read_text())["images"][0]["id"] == 10


def test_a_damaged_file_gives_no_output(source, output):
    source.write_bytes(source.read_bytes()[:-10])
    with pytest.raises(ValueError, match="cut off"):
        tfdp.write_coco_subset(source, [10], output)
    assert names_in(output.parent) == []


@pytest.mark.parametrize("how", ["copy", "symlink"])
def test_images_go_beside_the_output(source, output, how):
    tfdp.write_coco_subset(source, [10, 30], output, images=how)
    placed = sorted((output.parent / "images").iterdir())
    assert [path.name for path in placed] == ["a.jpg", "c.jpg"]
    assert [path.read_text() for path in placed] == ["a.jpg", "c.jpg"]
    assert all(path.is_symlink() == (how == "symlink") for path in placed)
    assert names_in(output.parent) == ["images", "pruned.json"]


def test_images_come_from_the_named_folder(source, output, tmp_path):
    (tmp_path / "images").rename(tmp_path / "photos")
    with pytest.raises(
        FileNotFoundError, match=r"2 of 2 images are not in .*images, such as a.jpg"
    ):
        tfdp.write_coco_subset(source, [10, 20], output, images="copy")
    assert names_in(output.parent) == []
    tfdp.write_coco_subset(source, [10], output, images="copy", image_dir=tmp_path / "photos")
    assert (output.parent / "images" / "a.jpg").read_text() == "a.jpg"


def rename_image(source, name):
    document = json.loads(source.read_text())
    document["images"][0]["file_name"] = name
    source.write_text(json.dumps(document))


HOSTILE = ["../../x.jpg", "../x.jpg", "/etc/passwd", "a/../../x.jpg", "..", ".", "", " ", None, 5]
HOSTILE += ["C:\\x.jpg", "..\\x.jpg", "a\0.jpg", "\\\\server\\x.jpg"]


@pytest.mark.parametrize("name", HOSTILE, ids=repr)
@pytest.mark.parametrize("how", ["copy", "symlink"])
def test_a_hostile_file_name_is_refused(source, output, tmp_path, how, name):
    (tmp_path / "x.jpg").write_text("outside")
    rename_image(source, name)
    with pytest.raises(ValueError, match="file_name"):
        tfdp.write_coco_subset(source, [10, 20], output, images=how)
    assert names_in(output.parent) == []


def test_a_link_in_the_output_folder_is_not_followed_out_of_it(source, output, tmp_path):
    for folder in (tmp_path / "outside", tmp_path / "images" / "sub", output.parent / "images"):
        folder.mkdir()
    (tmp_path / "images" / "sub" / "a.jpg").write_text("new")
    (output.parent / "images" / "sub").symlink_to(tmp_path / "outside")
    rename_image(source, "sub/a.jpg")
    with pytest.raises(ValueError, match=r"leads out of .* by a link"):
        tfdp.write_coco_subset(source, [10], output, images="copy", overwrite=True)
    assert names_in(tmp_path / "outside") == []


def test_images_in_folders_keep_their_folders(source, output, tmp_path):
    (tmp_path / "images" / "sub").mkdir()
    (tmp_path / "images" / "sub" / "a.jpg").write_text("new")
    rename_image(source, "./sub/a.jpg")
    tfdp.write_coco_subset(source, [10], output, images="copy")
    assert (output.parent / "images" / "sub" / "a.jpg").read_text() == "new"


def test_images_that_exist_are_replaced_only_when_asked(source, output):
    images = output.parent / "images"
    images.mkdir()
    (images / "a.jpg").write_text("old")
    (images / "mine.jpg").write_text("mine")
    with pytest.raises(FileExistsError, match=r"a.jpg exists"):
        tfdp.write_coco_subset(source, [10, 20], output, images="copy")
    assert names_in(output.parent) == ["images"]
    assert names_in(images) == ["a.jpg", "mine.jpg"]
    assert (images / "a.jpg").read_text() == "old"

    tfdp.write_coco_subset(source, [10, 20], output, images="copy", overwrite=True)
    assert {p.name: p.read_text() for p in images.iterdir()} == {
        "a.jpg": "a.jpg",
        "b.jpg": "b.jpg",
        "mine.jpg": "mine",
    }


@pytest.mark.parametrize("how", ["copy", "symlink"])
def test_a_folder_in_the_place_of_an_image_stays(source, output, how):
    mine = output.parent / "images" / "b.jpg" / "mine"
    mine.parent.mkdir(parents=True)
    mine.touch()
    with pytest.raises(FileExistsError, match=r"b.jpg is not a file"):
        tfdp.write_coco_subset(source, [10, 20], output, images=how, overwrite=True)
    assert mine.exists()
    assert names_in(output.parent / "images") == ["b.jpg"]


def test_images_are_not_placed_onto_themselves(source, tmp_path):
    with pytest.raises(ValueError, match=r"are in .* already"):
        tfdp.write_coco_subset(source, [10], tmp_path / "p.json", images="symlink", overwrite=True)
    assert not (tmp_path / "images" / "a.jpg").is_symlink()


def originals_in_the_output_folder(source, output, **names):
    """The folder of images holds links, and what they lead to is where the output is to go."""
    for name, original in names.items():
        image = source.parent / "images" / f"{name}.jpg"
        (output.parent / "images").mkdir(exist_ok=True)
        image.replace(output.parent / "images" / f"{original}.jpg")
        image.symlink_to(output.parent / "images" / f"{original}.jpg")


@pytest.mark.parametrize("how", ["copy", "symlink"])
@pytest.mark.parametrize("names", [dict(a="a"), dict(a="b", b="a"), dict(b="a")])
def test_an_original_that_a_source_leads_to_is_never_replaced(source, output, how, names):
    originals_in_the_output_folder(source, output, **names)
    images = output.parent / "images"
    before = {path.name: path.read_bytes() for path in images.iterdir()}
    with pytest.raises(ValueError, match=r"a\.jpg is a file to read"):
        tfdp.write_coco_subset(source, [10], output, images=how, overwrite=True)
    assert not any(path.is_symlink() for path in images.iterdir())
    assert {path.name: path.read_bytes() for path in images.iterdir()} == before
    assert names_in(output.parent) == ["images"]


def test_a_source_image_is_never_the_output(source, tmp_path):
    output = tmp_path / "images" / "a.jpg"
    with pytest.raises(ValueError, match=r"a\.jpg must end in \.json"):
        tfdp.write_coco_subset(source, [20], output, images="copy", overwrite=True)
    assert output.read_text() == "a.jpg"
    assert names_in(output.parent) == ["a.jpg", "b.jpg", "c.jpg"]


def test_a_link_to_the_images_as_folder_is_not_written_through(source, output, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (output.parent / "images").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ValueError, match=r"images is a link"):
        tfdp.write_coco_subset(source, [10], output, images="copy", overwrite=True)
    assert names_in(tmp_path / "elsewhere") == []
    assert names_in(output.parent) == ["images"]


def test_links_lead_to_the_original_and_can_be_replaced(source, output, tmp_path):
    image = tmp_path / "images" / "a.jpg"
    image.replace(tmp_path / "original.jpg")
    image.symlink_to(tmp_path / "original.jpg")
    placed = output.parent / "images" / "a.jpg"
    for how in ("symlink", "symlink", "copy"):
        tfdp.write_coco_subset(source, [10], output, images=how, overwrite=True)
        assert placed.read_text() == "a.jpg"
        assert how == "copy" or placed.readlink() == tmp_path / "original.jpg"
    assert not placed.is_symlink()
    assert image.readlink() == tmp_path / "original.jpg"
    assert (tmp_path / "original.jpg").read_text() == "a.jpg"


def test_an_image_that_cannot_be_copied_names_itself(source, output, tmp_path):
    (tmp_path / "images" / "b.jpg").unlink()
    os.mkfifo(tmp_path / "images" / "b.jpg")
    with pytest.raises(FileNotFoundError, match=r"1 of 2 images are not in .*, such as b\.jpg"):
        tfdp.write_coco_subset(source, [10, 20], output, images="copy")
    assert names_in(output.parent) == []


def test_two_images_in_one_place_are_refused(source, output, tmp_path):
    (tmp_path / "images" / "sub").mkdir()
    (tmp_path / "images" / "sub" / "b.jpg").write_text("another")
    (output.parent / "images").mkdir()
    (output.parent / "images" / "sub").symlink_to(output.parent / "images")
    rename_image(source, "sub/b.jpg")
    with pytest.raises(ValueError, match="two outputs would be"):
        tfdp.write_coco_subset(source, [10, 20], output, images="copy")
    assert names_in(output.parent / "images") == ["sub"]


def test_an_unknown_way_to_place_images_is_refused(source, output):
    with pytest.raises(ValueError, match="'copy', 'symlink' or None"):
        tfdp.write_coco_subset(source, [10], output, images="move")


@pytest.mark.real_data
@pytest.mark.parametrize(
    "name", ["coco/instances.json", "voc2012/instances_train.json", "nuclei/instances.json"]
)
def test_a_pruned_file_loads_in_pycocotools_with_the_same_annotations(shared, output, name):
    path = shared / "data" / name
    scores = tfdp.score_coco(path)
    selection = tfdp.select(scores, 0.5)
    tfdp.write_coco_subset(path, selection, output)
    whole, pruned = COCO(path), COCO(output)
    assert sorted(pruned.imgs) == sorted(selection.keep_ids)
    for image_id in selection.keep_ids:
        assert pruned.imgs[image_id] == whole.imgs[image_id]
        assert pruned.imgToAnns[image_id] == whole.imgToAnns[image_id]
    assert pruned.cats == whole.cats
    kept = tfdp.score_coco(output).images
    rows = selection.keep
    assert kept.si_scs.tolist() == scores.images.si_scs[rows].tolist()
