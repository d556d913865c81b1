"""Policies: how the rest of a budget is filled, when what must be kept is settled."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from ..registry import Registry
from .budget import floor_fraction
from .strata import select_stratified

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .criteria import Criteria


class Pool(NamedTuple):
    """What a policy chooses from.

    Attributes:
        rows: (K,) the images that may be taken, best first.
        priority: (K,) their scores, turned so that the highest are kept first.
        room: number of images to take, K at most.
        num_scored: number of all scored images, of which K are left.
    """

    rows: NDArray[np.int64]
    priority: NDArray[np.float64]
    room: int
    num_scored: int


Choose: TypeAlias = Callable[..., "NDArray[np.int64]"]


@dataclass(frozen=True)
class Policy:
    """A way to fill a budget.

    Attributes:
        name: by which it is asked for.
        label: what people call it.
        description: what it keeps.
        choose: the function that returns the rows of a `Pool` to keep.
        needs: the function's parameters: ``pool``; ``rng``, where it is random; others are options
            of `Criteria` that are its own.
    """

    name: str
    label: str
    description: str
    choose: Choose
    needs: tuple[str, ...]

    @property
    def parameters(self) -> list[str]:
        """The options of `Criteria` that are for this policy."""
        return [need for need in self.needs if need not in {"pool", "rng"}]


POLICIES: Registry[Policy] = Registry("policy")


def policy(name: str, label: str, description: str) -> Callable[[Choose], Choose]:
    """Registers a function as a policy; see `Policy`."""

    def register(choose: Choose) -> Choose:
        needs = tuple(inspect.signature(choose).parameters)
        POLICIES.add(Policy(name, label, description, choose, needs))
        return choose

    return register


@policy("top", "Top", "the best scores: the paper's way")
def _top(pool: Pool) -> NDArray[np.int64]:
    return pool.rows[: pool.room]


@policy("random", "Random", "drawn at random, whatever the score")
def _random(pool: Pool, rng: np.random.Generator) -> NDArray[np.int64]:
    return rng.permutation(pool.rows)[: pool.room]


@policy("stratified", "Stratified", "drawn from all strata of the scores (CCS)")
def _stratified(pool: Pool, rng: np.random.Generator, beta: float) -> NDArray[np.int64]:
    hardest = floor_fraction(beta, pool.num_scored)
    rows = pool.rows[hardest:]
    if len(rows) < pool.room:
        left = len(pool.rows)
        raise ValueError(
            f"beta={beta} leaves out {hardest} of {pool.num_scored} images, too many to keep "
            f"{pool.room} of the other {left - hardest}; ask for "
            f"beta={(left - pool.room) / pool.num_scored:.4g} or less, or for a smaller budget"
        )
    return rows[select_stratified(pool.priority[hardest:], pool.room, rng)]


def choose_images(pool: Pool, criteria: Criteria) -> NDArray[np.int64]:
    """Rows of the images that the policy keeps.

    Raises:
        ValueError: it cannot, by its parameters; the message says what could be.
    """
    chosen = POLICIES.find(criteria.policy)
    given: dict[str, Any] = {"pool": pool, "rng": np.random.default_rng(criteria.seed)}
    given |= {name: getattr(criteria, name) for name in chosen.parameters}
    return chosen.choose(**{need: given[need] for need in chosen.needs})
