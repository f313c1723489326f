"""Spans that the network finds by itself, put among the gold ones that its heads learn from."""

import numpy as np

from treaty_clauses.spans import Ints, Layer, SpanSet

#: A span's start, end and the number of what it belongs to; negative where it belongs to nothing in the gold.
Owned = tuple[int, int, int]
NOBODY = -1
_OTHER_BORDERS = 0.5  # how often a gold span takes the borders that the network gave it; a choice, nothing else was tried
#: Intersection over union from which a found span is a gold one with other borders, as the scorer matches (guidelines section 9).
_SAME = 0.5
#: Layers that take spurious spans; a spurious clause has no labels to learn, an anchor no head.
_TAKES_SPURIOUS = (Layer.CONDITION, Layer.ACTOR, Layer.TERM, Layer.PROPOSAL)


def mix_spans(
    text: str, gold: dict[Layer, list[Owned]], predicted: SpanSet, rng: np.random.Generator
) -> dict[Layer, list[Owned]]:
    """Gold spans, some with the borders that the network gave them, and what it found where the gold has nothing.

    No gold span is lost, so that every target stays. Spurious spans belong to NOBODY; spurious actors with the same words to one
    negative number, one with the words of a gold actor is left out: most likely the gold overlooked it.
    """
    table = {}
    for layer, spans in gold.items():
        mixed, spurious = _mix(spans, predicted.layers[layer], rng)
        if layer == Layer.ACTOR:
            known = {text[start:end] for start, end, _ in spans}
            numbers: dict[str, int] = {}
            mixed += [
                (start, end, numbers.setdefault(text[start:end], NOBODY - len(numbers)))
                for start, end in spurious
                if text[start:end] not in known
            ]
        elif layer in _TAKES_SPURIOUS:
            mixed += [(start, end, NOBODY) for start, end in spurious]
        table[layer] = sorted(mixed)
    return table


def disjoint(spans: list[Owned]) -> list[Owned]:
    """Sorted spans; of two that overlap the longer stays."""
    kept: list[Owned] = []
    for span in sorted(spans, key=lambda s: (s[0], -(s[1] - s[0]), s[2])):
        if kept and span[0] < kept[-1][1]:
            if span[1] - span[0] > kept[-1][1] - kept[-1][0]:
                kept[-1] = span
            continue
        kept.append(span)
    return kept


def _mix(gold: list[Owned], found: Ints, rng: np.random.Generator) -> tuple[list[Owned], list[tuple[int, int]]]:
    """The gold spans with their own or the found borders, and the found spans that overlap none of them."""
    starts, ends = np.array([s for s, _, _ in gold], np.int64), np.array([e for _, e, _ in gold], np.int64)
    # the gold spans that overlap found span n are those from first[n] up to, not including, last[n]
    first = np.searchsorted(ends, found[:, 0], side="right")
    last = np.searchsorted(starts, found[:, 1], side="left")
    rivals = np.zeros(len(gold), np.int64)
    for low, high in zip(first.tolist(), last.tolist(), strict=True):
        rivals[low:high] += 1
    mixed = list(gold)
    spurious = []
    for (start, end), low, high in zip(found.tolist(), first.tolist(), last.tolist(), strict=True):
        if low == high:
            spurious.append((start, end))
        elif high == low + 1 and rivals[low] == 1 and rng.random() < _OTHER_BORDERS:
            own_start, own_end, owner = gold[low]
            common = min(end, own_end) - max(start, own_start)
            if common >= _SAME * (max(end, own_end) - min(start, own_start)):
                mixed[low] = (start, end, owner)
    return mixed, spurious
