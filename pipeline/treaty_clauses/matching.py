"""One-to-one matching with the greatest total weight: the only way the scorer pairs gold with prediction.

Greedy matching depends on the order of its input and can miss the best pairing; this module solves the assignment
exactly, by connected components, so that thousands of spans cost no more than their few local conflicts.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

Chars = tuple[int, int]
"""A stretch of text as `(start, end)`: code points, end exclusive."""

Edge = tuple[int, int]
"""A candidate pair: index on the gold side, index on the predicted side."""

MIN_IOU = (1, 2)
"""Intersection over union a pair of spans needs, as an exact fraction (guidelines section 9: at least 0.5)."""

# Float64 adds whole numbers exactly up to 2**53 (IEEE 754); the assignment's dual values stay within a few times the
# sum of the largest weights, so four bits are kept free.
_EXACT_LIMIT = 2**49


def count_overlap(left: Chars, right: Chars) -> int:
    """Return the number of characters two stretches share.

    >>> count_overlap((0, 10), (6, 12)), count_overlap((0, 3), (3, 5))
    (4, 0)
    """
    return max(0, min(left[1], right[1]) - max(left[0], right[0]))


def reaches_iou(left: Chars, right: Chars, *, min_iou: tuple[int, int] = MIN_IOU) -> bool:
    """Tell whether intersection over union is at least `min_iou`, in whole numbers; stretches that share nothing fail.

    >>> reaches_iou((0, 10), (0, 5)), reaches_iou((0, 10), (0, 4))
    (True, False)
    """
    overlap = count_overlap(left, right)
    union = (left[1] - left[0]) + (right[1] - right[0]) - overlap
    return overlap > 0 and overlap * min_iou[1] >= union * min_iou[0]


def match_best(weights: Mapping[Edge, tuple[int, ...]]) -> list[Edge]:
    """Choose a one-to-one matching whose summed weight tuple is the greatest in lexicographic order.

    The first element decides; the later ones only break ties. What is tied in all of them is decided by the indexes,
    so callers that sort their items by content get a result that doesn't depend on the order of their input.
    In a component so large that exact sums would not fit a float64, the last tie-breakers are left out.

    Args:
        weights: For each candidate pair its weights, whole numbers >= 0 and not all zero, tuples of one length;
            pairs not named can't be chosen.

    Returns:
        The chosen pairs, sorted.

    >>> match_best({(0, 0): (5,), (0, 1): (6,), (1, 1): (5,)})
    [(0, 0), (1, 1)]
    """
    chosen: list[Edge] = []
    for edges in _find_components(weights):
        if len(edges) == 1:
            chosen.extend(edges)
            continue
        rows = sorted({edge[0] for edge in edges})
        columns = sorted({edge[1] for edge in edges})
        row_of = {item: index for index, item in enumerate(rows)}
        column_of = {item: index for index, item in enumerate(columns)}
        matrix = np.zeros((len(rows), len(columns)))
        scalars = _to_scalars([weights[edge] for edge in edges], min(len(rows), len(columns)))
        for edge, scalar in zip(edges, scalars, strict=True):
            matrix[row_of[edge[0]], column_of[edge[1]]] = scalar
        for row, column in zip(*linear_sum_assignment(matrix, maximize=True), strict=True):
            if matrix[row, column] > 0:
                chosen.append((rows[row], columns[column]))
    return sorted(chosen)


def match_spans(
    gold: Sequence[Chars],
    predicted: Sequence[Chars],
    *,
    min_iou: tuple[int, int] = MIN_IOU,
    allowed: Callable[[int, int], bool] = lambda _gold, _predicted: True,
    agreement: Callable[[int, int], int] = lambda _gold, _predicted: 0,
) -> list[Edge]:
    """Match stretches one to one with the greatest total overlap in characters.

    Ties go to the greater total intersection over union (in thousandths), then to the greater total `agreement`, then
    to the order of the items.

    Args:
        gold: Stretches of the gold side; duplicates are separate items.
        predicted: Stretches of the predicted side.
        min_iou: What a pair needs, as a fraction (numerator, denominator); (0, 1) asks only for one shared character.
        allowed: Says whether a pair of indexes may be matched at all.
        agreement: A whole number >= 0 for a pair of indexes; the last tie-breaker.

    Returns:
        Pairs of indexes, sorted.

    >>> match_spans([(0, 10), (12, 20)], [(12, 19), (0, 10), (0, 9)])
    [(0, 1), (1, 0)]
    """
    weights: dict[Edge, tuple[int, ...]] = {}
    by_start = sorted(range(len(predicted)), key=lambda index: predicted[index])
    first = 0
    longest = max((end - start for start, end in predicted), default=0)
    for i in sorted(range(len(gold)), key=lambda index: gold[index]):
        start, end = gold[i]
        while first < len(by_start) and predicted[by_start[first]][0] + longest <= start:
            first += 1
        for position in range(first, len(by_start)):
            j = by_start[position]
            if predicted[j][0] >= end:
                break
            if reaches_iou(gold[i], predicted[j], min_iou=min_iou) and allowed(i, j):
                overlap = count_overlap(gold[i], predicted[j])
                union = (end - start) + (predicted[j][1] - predicted[j][0]) - overlap
                weights[i, j] = (overlap, 1000 * overlap // union, agreement(i, j))
    return match_best(weights)


def _find_components(weights: Mapping[Edge, tuple[int, ...]]) -> list[list[Edge]]:
    """Group the candidate pairs that compete, directly or through others; groups and pairs in index order."""
    by_gold: dict[int, list[Edge]] = defaultdict(list)
    by_predicted: dict[int, list[Edge]] = defaultdict(list)
    for edge in sorted(weights):
        by_gold[edge[0]].append(edge)
        by_predicted[edge[1]].append(edge)
    components: list[list[Edge]] = []
    seen: set[Edge] = set()
    for edge in sorted(weights):
        if edge in seen:
            continue
        seen.add(edge)
        component, waiting = [], [edge]
        while waiting:
            current = waiting.pop()
            component.append(current)
            # Each list is emptied once walked, so that the whole search is linear in the number of pairs.
            for neighbour in by_gold.pop(current[0], []) + by_predicted.pop(current[1], []):
                if neighbour not in seen:
                    seen.add(neighbour)
                    waiting.append(neighbour)
        components.append(sorted(component))
    return components


def _to_scalars(tuples: Sequence[tuple[int, ...]], pairs: int) -> list[int]:
    """Fold weight tuples into one number each, so that sums over at most `pairs` pairs compare like summed tuples."""
    for kept in range(len(tuples[0]), 0, -1):
        scalars = [0] * len(tuples)
        for level in range(kept):
            base = pairs * max(weights[level] for weights in tuples) + 1
            scalars = [scalar * base + weights[level] for scalar, weights in zip(scalars, tuples, strict=True)]
        if pairs * max(scalars) < _EXACT_LIMIT:
            return scalars
    return [weights[0] for weights in tuples]
