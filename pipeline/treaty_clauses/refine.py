"""A second look at the links between clauses and actors or proposals, as a table, in NumPy; `heads.py` trains it.

A clause often leaves out who is bound or whose plan it is of, because the clause before has said it; and what one actor
is in a clause, another is not. So the scores of all pairs are looked at together: along the clauses in the order of
reading, over all clauses of an actor, and over all actors of a clause.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
#: Channels that a scorer adds to its links' logits for this second look.
EXTRA_CHANNELS = 8
#: Width of what is held of a pair; how many clauses a layer sees at once; how many layers there are.
SIZE, WIDTH, LAYERS = 32, 5, 2
#: Channels are limited to this size, so that a pair without candidates (a very small logit) is a number like others.
LIMIT = 8.0


@dataclass(frozen=True, slots=True)
class Refiner:
    """The weights of `heads.TableRefiner`: `enter` and `leave` (out, in), `along` (out, in, WIDTH), `across` (out, 4 * in)."""

    enter: Floats
    enter_bias: Floats
    along: list[Floats]
    along_bias: list[Floats]
    across: list[Floats]
    leave: Floats
    leave_bias: Floats

    @classmethod
    def read(cls, tensor: Callable[[str], npt.NDArray[np.float16]], prefix: str = "") -> "Refiner":
        """Take the weights from a model's tensors; `tensor` finds one by its name, the module's `prefix` before it."""

        def get(name: str) -> Floats:
            return tensor(prefix + name).astype(np.float32)

        layers = range(LAYERS)
        return cls(
            get("enter.weight"),
            get("enter.bias"),
            [get(f"along.{n}.weight") for n in layers],
            [get(f"along.{n}.bias") for n in layers],
            [get(f"across.{n}.weight") for n in layers],
            get("leave.weight"),
            get("leave.bias"),
        )

    def __call__(self, table: Floats) -> Floats:
        """(clauses, columns, channels) -> (clauses, columns, links) logits."""
        links = len(self.leave)
        if not table.size:
            return table[..., :links]
        held = np.maximum(table.clip(-LIMIT, LIMIT) @ self.enter.T + self.enter_bias, 0)
        for along, bias, across in zip(self.along, self.along_bias, self.across, strict=True):
            held = held + np.maximum(_along(held, along) + bias + _across(held, across), 0)
        refined: Floats = table[..., :links] + held @ self.leave.T + self.leave_bias
        return refined


def _along(held: Floats, weight: Floats) -> Floats:
    """A convolution over the clauses, column by column."""
    count, width = len(held), weight.shape[2]
    padded = np.pad(held, ((width // 2, width // 2), (0, 0), (0, 0)))
    total = np.zeros((*held.shape[:2], len(weight)), np.float32)
    for shift in range(width):
        total += padded[shift : shift + count] @ weight[:, :, shift].T
    return total


def _across(held: Floats, weight: Floats) -> Floats:
    """What the other columns of a clause and the other clauses of a column say, as means and maxima."""
    size = held.shape[2]
    row, column = weight[:, : 2 * size], weight[:, 2 * size :]
    by_clause = np.concatenate([held.mean(axis=1), held.max(axis=1)], axis=-1) @ row.T
    by_column = np.concatenate([held.mean(axis=0), held.max(axis=0)], axis=-1) @ column.T
    return np.asarray(by_clause[:, None] + by_column[None], np.float32)
