"""How many of the actors that may be bound by a clause are: chosen as a set, not one by one."""

import numpy as np
import numpy.typing as npt

#: How many bearers a clause has, as a label: none, 1, 2, 3, more.
COUNTS = 5
_LEAST = 1e-6  # keeps logarithms finite


def choose_bearers(
    likely: npt.NDArray[np.floating], counts: npt.NDArray[np.floating], *, weight: float
) -> npt.NDArray[np.bool_]:
    """The likeliest set of bearers: (actors,) booleans.

    `likely` (actors,) are the probabilities of each actor, `counts` (COUNTS,) those of their number, which count `weight`
    times; with 0 each actor from 0.5 on is taken.

    >>> choose_bearers(np.array([0.9, 0.4, 0.1]), np.array([0.0, 0.2, 0.8, 0.0, 0.0]), weight=1.0).tolist()
    [True, True, False]
    """
    chosen = np.zeros(len(likely), np.bool_)
    order = np.argsort(-likely, kind="stable")
    ranked = likely[order].astype(np.float64).clip(_LEAST, 1 - _LEAST)
    taken = np.append(0.0, np.cumsum(np.log(ranked)))
    left = np.append(np.cumsum(np.log(1 - ranked[::-1]))[::-1], 0.0)
    sizes = np.minimum(np.arange(len(likely) + 1), COUNTS - 1)
    score = taken + left + weight * np.log(counts.astype(np.float64).clip(_LEAST))[sizes]
    chosen[order[: int(score.argmax())]] = True
    return chosen
