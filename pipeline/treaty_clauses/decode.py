"""Legal decoding: the best sequence of BIOES tags for each layer, and the spans it spells."""

import numpy as np
import numpy.typing as npt

from treaty_clauses.spans import Ints, Layer, SpanSet

OUTSIDE, BEGIN, INSIDE, END, SINGLE = range(5)
TAGS = 5
_NEVER = -1e9

#: `_ALLOWED[a, b]`: tag b may follow tag a.
_ALLOWED = np.array(
    [
        [1, 1, 0, 0, 1],  # after OUTSIDE
        [0, 0, 1, 1, 0],  # after BEGIN
        [0, 0, 1, 1, 0],  # after INSIDE
        [1, 1, 0, 0, 1],  # after END
        [1, 1, 0, 0, 1],  # after SINGLE
    ],
    dtype=bool,
)
_MAY_START = np.array([1, 1, 0, 0, 1], dtype=bool)
_MAY_END = np.array([1, 0, 0, 1, 1], dtype=bool)


def best_tags(scores: npt.NDArray[np.float32]) -> npt.NDArray[np.int8]:
    """The legal tag sequence with the greatest total score of each layer.

    `scores`: (length, layers, TAGS) log-probabilities -> (length, layers) tags.
    """
    length, layers, _ = scores.shape
    if not length:
        return np.zeros((0, layers), np.int8)
    transition = np.where(_ALLOWED, 0.0, _NEVER).astype(np.float32)  # (from, to)
    back = np.zeros((length, layers, TAGS), np.int8)
    total = np.where(_MAY_START, scores[0], _NEVER)
    for position in range(1, length):
        paths = total[:, :, None] + transition  # (layers, from, to)
        back[position] = paths.argmax(axis=1)
        total = paths.max(axis=1) + scores[position]
    tag = np.where(_MAY_END, total, _NEVER).argmax(axis=1)
    tags = np.zeros((length, layers), np.int8)
    for position in range(length - 1, -1, -1):
        tags[position] = tag
        tag = back[position, np.arange(layers), tag]
    return tags


def spans_of(tags: npt.NDArray[np.int8]) -> list[tuple[int, int]]:
    """The spans that one layer's legal tags spell: (length,) -> `[start, end)` pairs in order."""
    starts = np.flatnonzero((tags == BEGIN) | (tags == SINGLE))
    ends = np.flatnonzero((tags == END) | (tags == SINGLE)) + 1
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


def tags_of(spans: Ints, length: int) -> npt.NDArray[np.int8]:
    """The tags that spell the spans (count, 2) of one layer; `spans_of(tags_of(spans)) == spans`."""
    tags = np.zeros(length, np.int8)
    for start, end in spans.tolist():
        if tags[start:end].any():
            raise ValueError(f"span [{start}, {end}) overlaps another of its layer")
        if end - start == 1:
            tags[start] = SINGLE
        else:
            tags[start], tags[end - 1] = BEGIN, END
            tags[start + 1 : end - 1] = INSIDE
    return tags


def decode_spans(log_probabilities: npt.NDArray[np.float32], *, bias: dict[Layer, float] | None = None) -> SpanSet:
    """Spans of every layer from tag log-probabilities (length, layers, TAGS), with a score in [0, 1] each.

    `bias` is taken from a layer's OUTSIDE score before decoding: positive values find more spans. A span's score is the
    geometric mean of its tags' probabilities.
    """
    scores = log_probabilities
    if bias:
        scores = scores.copy()
        for number, layer in enumerate(Layer):
            scores[:, number, OUTSIDE] -= bias.get(layer, 0.0)
    tags = best_tags(scores)
    layers: dict[Layer, Ints] = {}
    confidence: dict[Layer, npt.NDArray[np.float64]] = {}
    for number, layer in enumerate(Layer):
        spans = spans_of(tags[:, number])
        layers[layer] = np.array(spans, np.int64).reshape(-1, 2)
        means = [float(np.exp(log_probabilities[np.arange(s, e), number, tags[s:e, number]].mean())) for s, e in spans]
        confidence[layer] = np.array(means, np.float64)
    return SpanSet(layers, confidence)
