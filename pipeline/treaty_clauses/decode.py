"""Legal decoding: the best sequence of BIOES tags for each layer, and the spans it spells."""

import numpy as np
import numpy.typing as npt

from treaty_clauses.spans import Ints, Layer, SpanSet

OUTSIDE, BEGIN, INSIDE, END, SINGLE = range(5)
TAGS = 5
_NEVER = -1e9

CLOSED, OPEN = 0, 1  # between two characters: outside of any span, or within one


def best_tags(scores: npt.NDArray[np.float32]) -> npt.NDArray[np.int8]:
    """The legal tag sequence with the greatest total score of each layer.

    `scores`: (length, layers, TAGS) log-probabilities -> (length, layers) tags.

    Tags are steps between two states, so the text is cut into chunks that are walked side by side from both states and
    joined after: about two square roots of its length in steps, all layers at once.
    """
    length, layers, _ = scores.shape
    if not length:
        return np.zeros((0, layers), np.int8)
    walks = _walk(scores)
    gains = walks[:, :, CLOSED] - walks[:, :, OPEN]  # (length, layers): by how much closed is better before a tag
    outside, begin, inside, end, single = (scores[:, :, tag] for tag in range(TAGS))
    alone = np.maximum(outside, single)
    from_open_to_closed, from_open_to_open = end > gains + alone, inside > gains + begin
    # what came before, going back: the same state whatever follows, or one that depends on it
    fixed = from_open_to_closed == from_open_to_open
    swaps = from_open_to_closed & ~from_open_to_open
    after = _follow(fixed, from_open_to_closed, swaps)  # (length + 1, layers): the state before each tag, and at the end
    was, now = after[:-1], after[1:]
    step = np.where(single > outside, SINGLE, OUTSIDE)
    return np.where(was, np.where(now, INSIDE, END), np.where(now, BEGIN, step)).astype(np.int8)


def _walk(scores: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Best total on the way to each state before each tag, from CLOSED at the start: (length, layers, 2)."""
    length, layers, _ = scores.shape
    size = max(1, int(length**0.5))
    chunks = -(-length // size)
    padded = np.zeros((chunks * size, layers, TAGS))
    padded[:length] = scores
    steps = padded.reshape(chunks, size, layers, TAGS).transpose(1, 3, 0, 2)  # (size, TAGS, chunks, layers)
    alone, begin = np.maximum(steps[:, OUTSIDE], steps[:, SINGLE])[:, None], steps[:, BEGIN][:, None]
    inside, end = steps[:, INSIDE][:, None], steps[:, END][:, None]
    # ways[place, to, start]: within a chunk, from each of the two states that it may start in
    ways = np.empty((size + 1, 2, 2, chunks, layers))
    ways[0] = _NEVER
    ways[0, CLOSED, CLOSED] = ways[0, OPEN, OPEN] = 0.0
    for place in range(size):
        closed, opened = ways[place]
        ways[place + 1, CLOSED] = np.maximum(closed + alone[place], opened + end[place])
        ways[place + 1, OPEN] = np.maximum(closed + begin[place], opened + inside[place])
    starts = np.empty((2, chunks, layers))
    total = np.array([[0.0] * layers, [_NEVER] * layers])
    for chunk in range(chunks):
        starts[:, chunk] = total
        total = (ways[size, :, :, chunk] + total).max(axis=1)
        total -= total[CLOSED]  # only differences matter; small numbers stay exact
    walks = (ways[:size] + starts).max(axis=2)  # (size, to, chunks, layers)
    return np.asarray(walks.transpose(2, 0, 3, 1).reshape(-1, layers, 2)[:length])


def _follow(
    fixed: npt.NDArray[np.bool_], value: npt.NDArray[np.bool_], swaps: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    """States (length + 1, layers) going back from CLOSED at the end: a step gives `value`, or the next state, swapped or not."""
    length, layers = fixed.shape
    known = np.concatenate([fixed, np.ones((1, layers), bool)])
    values = np.concatenate([value, np.zeros((1, layers), bool)])
    places = np.arange(length + 1)[:, None]
    source = np.minimum.accumulate(np.where(known, places, length)[::-1])[::-1]
    turns = np.concatenate([(swaps & ~fixed).cumsum(axis=0), np.zeros((1, layers), np.int64)])
    turns[-1] = turns[-2]
    before = np.concatenate([np.zeros((1, layers), np.int64), turns[:-1]])  # swaps before each step
    columns = np.arange(layers)
    between = before[source, columns] - before
    states: npt.NDArray[np.bool_] = values[source, columns] ^ (between % 2 == 1)
    return states


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
    chosen = np.take_along_axis(log_probabilities, tags[:, :, None].astype(np.int64), axis=2)[:, :, 0]
    total = np.zeros((len(tags) + 1, len(Layer)))
    np.cumsum(chosen, axis=0, dtype=np.float64, out=total[1:])
    layers: dict[Layer, Ints] = {}
    confidence: dict[Layer, npt.NDArray[np.float64]] = {}
    for number, layer in enumerate(Layer):
        bounds = np.array(spans_of(tags[:, number]), np.int64).reshape(-1, 2)
        start, end = bounds.T
        layers[layer] = bounds
        confidence[layer] = np.exp((total[end, number] - total[start, number]) / (end - start))
    return SpanSet(layers, confidence)
