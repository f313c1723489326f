"""Words and character n-grams of spans as bucket numbers: what a bag-of-words classifier reads."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from treaty_clauses.segment import BEGIN, SINGLE
from treaty_clauses.spans import Ints
from treaty_clauses.words import UNKNOWN, spell

#: Buckets that the n-grams of all lengths and the words share; several may fall into one.
BUCKETS = 1 << 15
_LONGEST = 3  # characters of the longest n-gram
_WORD = _LONGEST  # column of the words
_NONE = -1
_PRIME = 0x9E3779B97F4A7C15  # 2^64 divided by the golden ratio (Knuth, The Art of Computer Programming 3, 6.4)


_BEFORE_CHARS, _AFTER_CHARS = 60, 30  # what stands beside a span and may say its status


@dataclass(frozen=True, slots=True)
class Bags:
    """Bags of buckets, one a span: bag k is `buckets[starts[k]:starts[k + 1]]`, each with the same weight."""

    buckets: Ints
    starts: Ints

    def weights(self) -> npt.NDArray[np.float32]:
        """One weight a bucket: a bag of n has length 1, as a vector of n equal parts."""
        sizes = np.diff(np.append(self.starts, len(self.buckets)))
        return np.repeat(1.0 / np.sqrt(np.maximum(sizes, 1)), sizes).astype(np.float32)


@dataclass(frozen=True, slots=True)
class SpanBags:
    """For each span of an article: the bag of what lies inside it, and of what stands beside it."""

    inside: Bags
    beside: Bags


def span_bags(
    text: str, boundaries: npt.NDArray[np.uint8], words: npt.NDArray[np.uint16], spans: Ints
) -> SpanBags:
    """The bags of the spans (count, 2) of `text`; `boundaries` and `words` as the tagger's input has them."""
    grams = gram_buckets(text, boundaries, words) if len(spans) else np.zeros((0, _LONGEST + 1), np.int32)
    return SpanBags(
        _bags([_inside(grams, start, end) for start, end in spans.tolist()]),
        _bags(
            [
                np.concatenate(
                    [_inside(grams, max(0, start - _BEFORE_CHARS), start), _inside(grams, end, end + _AFTER_CHARS)]
                )
                for start, end in spans.tolist()
            ]
        ),
    )


def gram_buckets(text: str, boundaries: npt.NDArray[np.uint8], words: npt.NDArray[np.uint16]) -> npt.NDArray[np.int32]:
    """Buckets of what starts at each character: n-grams of one to three characters, and the word if the table has it.

    Shape (length, 4); -1 where there is none. N-grams do not look past the end of the text.
    """
    codes = np.frombuffer(spell(text).encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    found = np.full((len(text), _LONGEST + 1), _NONE, np.int32)
    mixed = np.zeros(len(text), np.uint64)
    for size in range(1, _LONGEST + 1):
        count = len(text) - size + 1
        if count > 0:
            mixed = _mix(mixed[:count] + codes[size - 1 :] + np.uint64(size))
            found[:count, size - 1] = mixed >> np.uint64(49)
    starts = ((boundaries == BEGIN) | (boundaries == SINGLE)) & (words != UNKNOWN)
    found[starts, _WORD] = _mix(words[starts].astype(np.uint64) + np.uint64(1 << 40)) >> np.uint64(49)
    return found


def _inside(grams: npt.NDArray[np.int32], start: int, end: int) -> npt.NDArray[np.int32]:
    """Buckets of the n-grams that lie in `[start, end)`, and of the words that start there."""
    found = [grams[start : max(start, end - size), size] for size in range(_LONGEST)]
    joined: npt.NDArray[np.int32] = np.concatenate([*found, grams[start:end, _WORD]])
    return np.asarray(joined[joined != _NONE])


def _bags(bags: list[npt.NDArray[np.int32]]) -> Bags:
    sizes = np.array([len(bag) for bag in bags], np.int64)
    buckets = np.concatenate(bags) if bags else np.zeros(0, np.int32)
    return Bags(buckets.astype(np.int64), np.cumsum(sizes) - sizes)


def _mix(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Multiplicative hashing, modulo 2^64."""
    return (values ^ (values >> np.uint64(29))) * np.uint64(_PRIME)
