"""The database that FiftyOne keeps its datasets in: where it is, and whether it answers.

Its address may hold a password, so that messages name hosts and ports alone.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import fiftyone.core.odm as foo
import pymongo
from pymongo.errors import (
    AutoReconnect,
    ConnectionFailure,
    ExecutionTimeout,
    NetworkTimeout,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 5.0  # to wait for a database that nobody hears of
BUSY_SECONDS = 10.0  # beyond that for one that is there, but busy
OPERATIONS_SECONDS = 20.0  # for a few operations that take much less
_REFUSED = {13, 18}  # MongoDB's codes of a user that may not do this, and of a wrong password


def describe_database() -> str:
    """The hosts and ports of the database, as in ``127.0.0.1:27017``; no user, no password."""
    servers = foo.get_db_conn().client.topology_description.server_descriptions()
    return ", ".join(host if port is None else f"{host}:{port}" for host, port in servers)


def _describe_trouble(error: BaseException | None) -> str:
    """What is wrong with the database; empty where the error is about something else."""
    if isinstance(error, (ConnectionFailure, ExecutionTimeout)):
        return (
            f"the database at {describe_database()} does not answer; start it again (or FiftyOne, "
            "where that starts it), then run this again"
        )
    if isinstance(error, OperationFailure) and error.code in _REFUSED:
        return (
            f"the database at {describe_database()} refuses the user or the password; correct them "
            "in FiftyOne's setting database_uri (FIFTYONE_DATABASE_URI), then run this again"
        )
    return ""


def _ping() -> None:
    database = foo.get_db_conn().client.admin
    try:
        with pymongo.timeout(SECONDS):
            database.command("ping")
    except ServerSelectionTimeoutError:
        raise
    except AutoReconnect as error:  # or a connection from before the database was started again
        with pymongo.timeout(BUSY_SECONDS if isinstance(error, NetworkTimeout) else SECONDS):
            database.command("ping")


@contextmanager
def _translated(outcome: str) -> Iterator[None]:
    try:
        yield
    except (PyMongoError, ConnectionError, RuntimeError) as error:
        # FiftyOne raises errors of its own from the driver's
        trouble = _describe_trouble(error) or _describe_trouble(error.__cause__)
        if not trouble:
            raise
        raise ConnectionError(f"{trouble}; {outcome}" if outcome else trouble) from None


def check_database(outcome: str = "") -> None:
    """Raises ConnectionError unless the database answers within seconds.

    Where it is well this takes less than a millisecond, and so can precede every batch; any other
    call waits half a minute for a database that is away.

    Args:
        outcome: what is then true of the user's data, as in "nothing was written".
    """
    with _translated(outcome):
        _ping()


@contextmanager
def soon() -> Iterator[None]:
    """Bounds a few short operations: a database that goes away now is no reason to wait a minute.

    Not for what may take long where all is well, such as making an index.
    """
    _ping()
    with pymongo.timeout(OPERATIONS_SECONDS):
        yield


@contextmanager
def database_errors(outcome: str = "") -> Iterator[None]:
    """Checks the database first, and makes one clear error of what the driver says of it later.

    Both a context, and a decorator of functions.

    Args:
        outcome: what is true of the user's data after an error, as in "nothing was written".

    Raises:
        ConnectionError: the database does not answer, or refuses its user; the message says where
            it is, and holds no password.
    """
    with _translated(outcome):
        _ping()
        yield
