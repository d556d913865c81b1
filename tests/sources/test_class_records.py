"""Images with their classes, as folders and tables hold them."""

import os

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import parquet

from tfdp.sources.class_records import ClassRecord, keep_records, read_class_records


def save(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(path)


def write(path, *lines):
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def test_a_folder_for_each_class(tmp_path):
    for name in ("cat/1.png", "cat/deeper/2.JPG", "dog/1.png", "stray.png", ".hidden/3.png"):
        save(tmp_path / name)
    write(tmp_path / "dog" / "notes.txt", "no image")
    records, skipped = read_class_records(tmp_path)
    assert records == [
        ClassRecord("cat/1.png", tmp_path / "cat/1.png", "cat"),
        ClassRecord("cat/deeper/2.JPG", tmp_path / "cat/deeper/2.JPG", "cat"),
        ClassRecord("dog/1.png", tmp_path / "dog/1.png", "dog"),
        ClassRecord("stray.png", tmp_path / "stray.png", None),
    ]
    assert len(skipped) == 0


def test_a_table_whose_classes_are_numbers(tmp_path):
    table = write(
        tmp_path / "t.csv", "file_name,label,width", "a.png,01,7", "/b.png,1,7", "c.png,,7"
    )
    records, _ = read_class_records(table)
    assert [record.label for record in records] == ["01", "1", None]
    assert [record.image_id for record in records] == ["a.png", "/b.png", "c.png"]
    assert [str(record.path) for record in records[:2]] == [f"{tmp_path}/a.png", "/b.png"]
    assert read_class_records(table, tmp_path / "x")[0][0].path == tmp_path / "x" / "a.png"


def test_a_parquet_with_ids_of_its_own(tmp_path):
    columns = {"image_id": [7, 8], "file_name": ["a.png", "b.png"]}
    labels = pa.array(["cat", "dog"]).dictionary_encode()
    parquet.write_table(pa.table({**columns, "label": labels}), tmp_path / "t.parquet")
    records, _ = read_class_records(tmp_path / "t.parquet")
    assert records[1] == ClassRecord(8, tmp_path / "b.png", "dog")


def test_ids_that_cannot_be_used_are_listed(tmp_path):
    table = write(
        tmp_path / "t.csv", "image_id,file_name,label", "1,a.png,x", "1,b.png,y", ",c.png,x"
    )
    records, skipped = read_class_records(table)
    assert [record.path.name for record in records] == ["a.png"]
    assert [(item.id, item.reason) for item in skipped] == [("1", "repeated_id"), (None, "bad_id")]
    assert str(tmp_path / "a.png") in skipped.items[0].detail
    assert "c.png" in skipped.items[1].detail


def test_a_name_that_is_no_utf8_is_listed(tmp_path):
    save(tmp_path / "cat" / "1.png")
    (tmp_path / "cat" / "1.png").rename(tmp_path / "cat" / os.fsdecode(b"\xff.png"))
    save(tmp_path / "dog" / "1.png")
    records, skipped = read_class_records(tmp_path)
    assert [record.image_id for record in records] == ["dog/1.png"]
    assert [(item.id, item.reason) for item in skipped] == [(None, "bad_id")]
    skipped.items[0].detail.encode()  # as the list of the skipped will be written


@pytest.mark.parametrize(
    "lines, message",
    [
        (["file_name,class", "a.png,x"], "must have a column label"),
        (["path,label", "a.png,x"], "must have a column file_name"),
        (["file_name,label"], "expected images with their classes in .*, found none"),
        (["file_name,label,label", "a.png,x,y"], "several columns 'label'"),
        ([], "can't be read as a table"),
    ],
)
def test_a_table_that_is_none_is_refused(tmp_path, lines, message):
    with pytest.raises(ValueError, match=message):
        read_class_records(write(tmp_path / "t.csv", *lines))


def test_a_column_of_other_things_is_refused(tmp_path):
    for name, values in (("label", [0.5]), ("file_name", [["a.png"]]), ("image_id", [True])):
        columns = {"file_name": ["a.png"], "label": ["x"], name: values}
        parquet.write_table(pa.table(columns), tmp_path / "t.parquet")
        with pytest.raises(ValueError, match=f"texts or whole numbers in its column {name}"):
            read_class_records(tmp_path / "t.parquet")


def test_what_is_no_dataset_is_refused(tmp_path):
    with pytest.raises(ValueError, match="expected a folder with one folder a class, or a table"):
        read_class_records(tmp_path / "instances.json")
    with pytest.raises(FileNotFoundError):
        read_class_records(tmp_path / "nowhere.csv")
    with pytest.raises(ValueError, match="found none"):
        read_class_records(tmp_path)
    for name in ("train/cat/1.png", "val/cat/1.png"):
        save(tmp_path / name)
    with pytest.raises(ValueError, match=f"name one of them, such as {tmp_path}/train"):
        read_class_records(tmp_path)
    with pytest.raises(ValueError, match="only a table takes others"):
        read_class_records(tmp_path / "train", tmp_path)


def test_some_images_are_kept():
    records = [ClassRecord(k, None, "x") for k in (1, 2, 3)]
    assert keep_records(records, ["3", "1"], "kept.txt") == [records[0], records[2]]
    with pytest.raises(ValueError, match=r"kept.txt must .* 1 of 2 are of none: 4"):
        keep_records(records, ["3", "4"], "kept.txt")
