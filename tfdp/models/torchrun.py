"""What torchrun says of the processes that it has started; torch is not needed to ask."""

from __future__ import annotations

import os
from typing import NamedTuple

FAILED = "tfdp/failed"  # in the store that the processes share


class Started(NamedTuple):
    """This process among those that train together; alone where torchrun has not started it.

    Attributes:
        rank: 0 is the first.
        world: processes.
        local: of them, those on this machine.
    """

    rank: int = 0
    world: int = 1
    local: int = 1


def find_started() -> Started:
    """This process among those of torchrun."""
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        return Started()
    return Started(*(int(os.environ[name]) for name in ("RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE")))


def is_first_to_fail() -> bool:
    """Whether no other process has failed before: that one says why, and torchrun ends them all."""
    if find_started().world == 1:
        return True
    from torch.distributed import TCPStore  # type: ignore[attr-defined,unused-ignore]

    store = TCPStore(os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]), is_master=False)
    attempt = os.environ["TORCHELASTIC_RESTART_COUNT"]
    return bool(store.add(f"{FAILED}/{attempt}", 1) == 1)
