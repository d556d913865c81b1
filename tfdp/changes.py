"""What is being done to a dataset: one writer at a time, and a note from which others mend.

The note lies in FiftyOne's database, in a collection of its own, as long as the work goes on. It
says who works and, before anything is touched, what will be touched. Where that process is gone,
the next one finds the note, and undoes or finishes the work (`tfdp.run_writing`).
"""

from __future__ import annotations

import logging
import os
import socket
import time
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import fiftyone.core.odm as foo
import psutil
from bson import ObjectId
from pymongo.errors import DuplicateKeyError, PyMongoError

from .io.database import check_database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import fiftyone as fo

COLLECTION = "tfdp_changes"
RENEW_SECONDS = 10  # how often a working process says so
STALE = timedelta(minutes=5)  # without a word from a process on another machine, it is gone
WAIT_SECONDS = 0.2  # between two looks at a note of another process

logger = logging.getLogger(__name__)
_held: set[ObjectId] = set()  # notes of this process that are being worked on

Note = dict[str, Any]


def _notes() -> Any:
    return foo.get_db_conn()[COLLECTION]


def _now() -> datetime:
    return datetime.now(timezone.utc).replace(tzinfo=None)  # as MongoDB gives it back


def _myself() -> dict[str, Any]:
    process = psutil.Process()
    return {"host": socket.gethostname(), "pid": process.pid, "started": process.create_time()}


def _is_alive(note: Note) -> bool:
    """Whether somebody still works on what a note says."""
    owner = note["owner"]
    if owner["host"] != socket.gethostname():
        return bool(_now() - note["renewed_at"] < STALE)
    if owner["pid"] == os.getpid():
        return note["work"] in _held
    try:
        return bool(psutil.Process(owner["pid"]).create_time() == owner["started"])
    except psutil.NoSuchProcess:
        return False


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

    def renew(self, _done: Any = None) -> None:
        """Says that the work goes on; called every now and then."""
        if time.monotonic() - self._renewed > RENEW_SECONDS:
            self._renewed = time.monotonic()
            self._update({"renewed_at": _now()})

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
    note = _notes().find_one({"_id": dataset._doc.id})  # noqa: SLF001
    return None if note is None or _is_alive(note) else note["facts"]


def _take(dataset: fo.Dataset, mend: Callable[[Note], str]) -> tuple[Note, str]:
    """Puts this process's note down, once no other is there, and mends after one that is gone.

    Returns:
        The note, and what was mended, in a sentence.
    """
    note: Note = {"_id": dataset._doc.id, "work": ObjectId(), "owner": _myself(), "facts": {}}  # noqa: SLF001
    _held.add(note["work"])
    waited = False
    while True:
        note["renewed_at"] = _now()
        try:
            _notes().insert_one(note)
        except DuplicateKeyError:
            other = _notes().find_one({"_id": note["_id"]})
            if other is not None and not _is_alive(other):
                if _notes().replace_one(other, {**note, "facts": other["facts"]}).matched_count:
                    mended = _mend(mend, other)
                    _say(mended)
                    _notes().replace_one({"_id": note["_id"]}, note)
                    return note, mended
            elif other is not None:
                if not waited:
                    _say("waiting for {host}, process {pid}, to write".format(**other["owner"]))
                waited = True
                time.sleep(WAIT_SECONDS)
        else:
            return note, ""


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


def tell_both(report: Callable[[Any], Any], renew: Callable[[Any], Any]) -> Callable[[Any], None]:
    """One callback that tells two."""

    def tell(done: Any) -> None:
        report(done)
        renew(done)

    return tell


def _refresh(dataset: fo.Dataset) -> None:
    """Has the dataset as it is now; what the user has not saved yet is not lost."""
    dataset.save()
    dataset.reload()
    dataset._brain_cache.clear()  # noqa: SLF001


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
            _refresh(dataset)
            yield Change(note, mended)
        except BaseException:
            with suppress(PyMongoError, ConnectionError):
                check_database()
                _mend(mend, _notes().find_one(mine))
                _notes().delete_one(mine)
            raise
        _notes().delete_one(mine)
    finally:
        _held.discard(note["work"])
