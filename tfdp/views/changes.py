"""What is being done to a dataset: one writer at a time, and a note from which others mend.

The note lies in FiftyOne's database, in a collection of its own, as long as the work goes on. It
says who works and, before anything is touched, what will be touched. Where that process is gone,
the next one finds the note, and undoes or finishes the work (`tfdp.views.mending`).
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import fiftyone.core.odm as foo
from bson import ObjectId
from pymongo.errors import DuplicateKeyError, PyMongoError

from .database import check_database
from .fiftyone_internals import dataset_id, loaded_results
from .processes import Owner, is_running, this_process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import fiftyone as fo

    from ..progress import Progress

COLLECTION = "tfdp_changes"
RENEW_SECONDS = 10  # how often a working process says so
STALE = timedelta(minutes=5)  # without a word from a process on another machine, it is gone
WAIT_SECONDS = 0.2  # between two looks at a note of another process

logger = logging.getLogger(__name__)
_held: dict[ObjectId, int] = {}  # what this process works on -> the thread that does

Note = dict[str, Any]


def _notes() -> Any:
    return foo.get_db_conn()[COLLECTION]


def _now() -> datetime:
    return datetime.now(timezone.utc).replace(tzinfo=None)  # as MongoDB gives it back


def _is_alive(note: Note) -> bool:
    """Whether somebody still works on what a note says."""
    owner = Owner(**note["owner"])
    if owner == this_process():
        return note["work"] in _held
    running = is_running(owner)
    return bool(_now() - note["renewed_at"] < STALE) if running is None else running


class Change:
    """The right to change a dataset, and the note of what is done with it.

    Attributes:
        mended: what a killed process had left, in a sentence; empty where there was nothing.
    """

    def __init__(self, note: Note, mended: str) -> None:
        self.mended = mended
        self._dataset_id = note["_id"]
        self._work = note["work"]
        self._renewed = time.monotonic()

    def note(self, **facts: Any) -> None:
        """Writes down what will be done, before it is."""
        changes = {f"facts.{name}": value for name, value in facts.items()}
        self._update({**changes, "renewed_at": _now()})

    def renew(self) -> None:
        """Says that the work goes on; called every now and then."""
        if time.monotonic() - self._renewed > RENEW_SECONDS:
            self._renewed = time.monotonic()
            self._update({"renewed_at": _now()})

    def renewed_by(self, progress: Progress) -> Progress:
        """A progress that says, too, that the work goes on."""

        def tell(fraction: float, message: str) -> None:
            progress(fraction, message)
            self.renew()

        return tell

    def _update(self, values: dict[str, Any]) -> None:
        mine = {"_id": self._dataset_id, "work": self._work}
        if _notes().update_one(mine, {"$set": values}).matched_count == 0:
            raise ValueError(
                "another process has taken this one for dead and goes on with the dataset; run "
                "this again"
            )


def notes_of_deleted_datasets() -> list[Note]:
    """Facts of work on datasets that are no more; their notes are taken away."""
    gone = [
        note
        for note in _notes().find()
        if foo.get_db_conn().datasets.find_one({"_id": note["_id"]}, {"_id": 1}) is None
    ]
    for note in gone:
        _notes().delete_one({"_id": note["_id"], "work": note["work"]})
    return [note["facts"] for note in gone]


def unfinished_work(dataset: fo.Dataset) -> Note | None:
    """The facts that a process that is gone has left; None where there are none."""
    note = _notes().find_one({"_id": dataset_id(dataset)})
    return None if note is None or _is_alive(note) else note["facts"]


def _take(dataset: fo.Dataset, mend: Callable[[Note], str]) -> tuple[Note, str]:
    """Puts this process's note down, once no other is there, and mends after one that is gone.

    Returns:
        The note, and what was mended, in a sentence.
    """
    note: Note = {
        "_id": dataset_id(dataset),
        "work": ObjectId(),
        "owner": this_process()._asdict(),
        "facts": {},
    }
    _held[note["work"]] = threading.get_ident()
    try:
        return note, _wait(dataset, note, mend)
    except BaseException:
        del _held[note["work"]]  # others may mend what this one could not
        raise


def _wait(dataset: fo.Dataset, note: Note, mend: Callable[[Note], str]) -> str:
    waited = False
    while True:
        note["renewed_at"] = _now()
        try:
            _notes().insert_one(note)
        except DuplicateKeyError:
            other = _notes().find_one({"_id": note["_id"]})
            if other is not None and not _is_alive(other):
                if _notes().replace_one(other, {**note, "facts": other["facts"]}).matched_count:
                    refresh(dataset)
                    mended = _mend(mend, other)
                    _say(mended)
                    _notes().replace_one({"_id": note["_id"]}, note)
                    return mended
            elif other is not None:
                if _held.get(other["work"]) == threading.get_ident():
                    raise ValueError(
                        "this dataset is being written to by the call that this one is made in, "
                        "from its progress; call it when that one has ended"
                    ) from None
                if not waited:
                    _say("waiting for {host}, process {pid}, to write".format(**other["owner"]))
                waited = True
                time.sleep(WAIT_SECONDS)
        else:
            return ""


def _mend(mend: Callable[[Note], str], note: Note) -> str:
    """Mends what a note tells. One that cannot be mended must not stand in the way for ever."""
    try:
        return mend(note["facts"])
    except (PyMongoError, ConnectionError):  # it can be, later
        raise
    except Exception as error:  # noqa: BLE001 - somebody has changed what was noted
        return (
            f"what was interrupted ({note['facts'].get('key')!r}) can't be undone: {error}; fields "
            "that no run lists are deleted by the operator manage_pruning_runs, clean up"
        )


def refresh(dataset: fo.Dataset) -> None:
    """Has the dataset as it is now; what the user has not saved yet is not lost."""
    dataset.save()
    dataset.reload()
    loaded_results(dataset).clear()


def _say(sentence: str) -> None:
    if sentence:
        logger.warning(sentence)


@contextmanager
def changing(dataset: fo.Dataset, mend: Callable[[Note], str]) -> Iterator[Change]:
    """Waits until nobody else changes the dataset, mends what a killed process left, and holds it.

    Where the block fails, what it has done so far is mended at once; or at the next call, where
    even that fails, since the database is away, say.

    Args:
        dataset: what will be changed.
        mend: undoes or finishes what the facts of a note tell, and says so in a sentence (empty:
            nothing was done). It can be called again where it was killed itself.
    """
    note, mended = _take(dataset, mend)
    mine = {"_id": note["_id"], "work": note["work"]}
    try:
        try:
            refresh(dataset)
            yield Change(note, mended)
        except BaseException:
            with suppress(PyMongoError, ConnectionError):
                check_database()
                left = _notes().find_one(mine)
                if left is not None:  # or another goes on with the dataset
                    _mend(mend, left)
                    _notes().delete_one(mine)
            raise
        _notes().delete_one(mine)
    finally:
        _held.pop(note["work"], None)
