"""What the exported span and pair graphs read, and what becomes of their scores: array work without a network."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from treaty_clauses.grams import Bags, SpanBags
from treaty_clauses.links import CLASSIFIERS
from treaty_clauses.spans import CANDIDATES, FEATURE_GROUPS, FEATURE_SIZES, Ints, Pairs

Floats = npt.NDArray[np.float32]
_NEVER = -1e4  # logit of a candidate that there is not, as in heads.py
_BEFORE_CHARS, _AFTER_CHARS = 60, 30  # as in heads.py


def _radices() -> npt.NDArray[np.int32]:
    table = np.zeros((len(FEATURE_SIZES), len(FEATURE_GROUPS)), np.int32)
    for column, group in enumerate(FEATURE_GROUPS):
        step = 1
        for feature in reversed(group):
            table[feature, column] = step
            step *= FEATURE_SIZES[feature]
    return table


_RADICES = _radices()


@dataclass(frozen=True, slots=True)
class BagTables:
    """The bag-of-words classifiers side by side: (buckets, labels of all) twice, and their biases."""

    names: Sequence[str]
    inside: npt.NDArray[np.float16]
    beside: npt.NDArray[np.float16]
    bias: npt.NDArray[np.float16]

    def votes(self, bags: SpanBags) -> dict[str, Floats]:
        """(spans, labels) logits of every classifier."""
        scores = self.bias.astype(np.float32) + _sum(self.inside, bags.inside) + _sum(self.beside, bags.beside)
        ends = np.cumsum([CLASSIFIERS[name][1] for name in self.names])[:-1]
        return dict(zip(self.names, np.split(scores, ends, axis=1), strict=True))


def _sum(table: npt.NDArray[np.float16], bags: Bags) -> Floats:
    found = table[bags.buckets].astype(np.float32) * bags.weights()[:, None]
    return _sums(found, bags.starts, np.append(bags.starts[1:], len(found)))


def _sums(values: Floats, starts: Ints, ends: Ints) -> Floats:
    """Sums of `values[start:end]` for stretches that lie one behind the other; some may be empty."""
    sums = np.zeros((len(starts), values.shape[1]), np.float32)
    full = ends > starts
    if full.any():
        sums[full] = np.add.reduceat(values, starts[full], axis=0)
    return sums


def edges(hidden: Floats, weights: Floats, bounds: Ints) -> Floats:
    """State of each span's first and last character, and the weighted mean of all: (spans, 3 * hidden)."""
    start, end = bounds.T
    sizes = end - start
    before = np.cumsum(sizes) - sizes
    places = np.arange(int(sizes.sum())) + np.repeat(start - before, sizes)
    weight = weights[places]
    sums = np.add.reduceat(hidden[places] * weight, before, axis=0)
    means = sums / np.add.reduceat(weight, before, axis=0)
    return np.concatenate([hidden[start], hidden[end - 1], means], axis=1)


def word_means(vectors: npt.NDArray[np.float16] | Floats, bounds: Ints) -> Floats:
    """Mean word vectors (length, size) inside the spans, before and after them: (spans, 3 * size)."""
    total = np.zeros((len(vectors) + 1, vectors.shape[1]))
    np.cumsum(vectors, axis=0, dtype=np.float64, out=total[1:])
    start, end = bounds.T
    stretches = (
        (start, end),
        (np.maximum(start - _BEFORE_CHARS, 0), start),
        (end, np.minimum(end + _AFTER_CHARS, len(vectors))),
    )
    means = [(total[b] - total[a]) / np.maximum(b - a, 1)[:, None] for a, b in stretches]
    return np.concatenate(means, axis=1).astype(np.float32)


def places(bounds: Ints) -> npt.NDArray[np.int32]:
    """Each span's place among all, by start, the longer first."""
    order = np.lexsort((-bounds[:, 1], bounds[:, 0]))
    found = np.empty(len(order), np.int32)
    found[order] = np.arange(len(order))
    return found


def feature_numbers(pairs: Pairs) -> npt.NDArray[np.int32]:
    """The features of each pair as one number for each of FEATURE_GROUPS: (pairs, groups)."""
    numbers: npt.NDArray[np.int32] = pairs.values @ _RADICES
    return numbers


def best_of_candidates(pairs: Pairs, scores: Floats) -> Floats:
    """Log-sum-exp over the candidates of each (source, entity): (pairs, links) logits -> (sources, entities, links)."""
    count = len(pairs.sources)
    scores = scores[:count]
    best = np.full((pairs.shape[0] * pairs.shape[1], scores.shape[1]), _NEVER + np.log(CANDIDATES), np.float32)
    if count:
        group = pairs.sources * pairs.shape[1] + pairs.entities
        starts = np.flatnonzero(np.append(True, group[1:] != group[:-1]))
        top = np.maximum.reduceat(scores, starts, axis=0)
        sizes = np.diff(np.append(starts, count))
        spread = np.add.reduceat(np.exp(scores - np.repeat(top, sizes, axis=0)), starts, axis=0)
        best[group[starts]] = top + np.log(spread)
    return best.reshape(*pairs.shape, scores.shape[1])
