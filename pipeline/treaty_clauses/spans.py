"""Span layers of one article as arrays, and the pairs between them that the relation heads score."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


class Layer(StrEnum):
    """Span layers; spans of one layer exclude one another, layers nest freely."""

    CLAUSE = "clause"
    CONDITION = "condition"
    ACTOR = "actor"
    TERM = "term"
    PROPOSAL = "proposal"
    ANCHOR = "anchor"


@dataclass(frozen=True, slots=True)
class SpanSet:
    """All spans of one article: for each layer an array (count, 2) of `[start, end)` offsets, in order.

    `actor_entities` (actors,) and `proposal_entities` (proposals,) say which mentions name the same thing: numbers
    from 0 without gaps.
    """

    layers: dict[Layer, Ints]
    scores: dict[Layer, npt.NDArray[np.float64]] = field(default_factory=dict)
    actor_entities: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    proposal_entities: Ints = field(default_factory=lambda: np.zeros(0, np.int64))

    def count(self, layer: Layer) -> int:
        """How many spans a layer holds."""
        return len(self.layers[layer])


#: Candidate mentions of an entity for one source span: two inside, the last before, the first after, the very first.
CANDIDATES = 5
_DISTANCES = (0, 2, 5, 10, 20, 40, 80, 160, 320)  # upper ends of the buckets, characters between nearest edges
#: How many values each pair feature takes; see `_features`.
FEATURE_SIZES = (3, 10, 8, 8, 5, 5, 2, 2, 4)
_SENTENCE_END = re.compile(r"[。！？!?\n]")


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of source spans and target entities.

    `candidates` (sources, entities, CANDIDATES): indices of target mentions, -1 where there is none;
    `features` (sources, entities, CANDIDATES, len(FEATURE_SIZES)): bucket ids.
    """

    candidates: Ints
    features: Ints


@dataclass(frozen=True, slots=True)
class Discourse:
    """Sentence and paragraph number of every character, shape (length + 1,), and the start of each one's sentence."""

    sentence: Ints
    paragraph: Ints
    sentence_start: Ints

    @classmethod
    def of(cls, text: str) -> "Discourse":
        """Number sentences (ended by 。！？ or a line break) and paragraphs (line breaks) of a text."""
        length = len(text)
        ends = np.zeros(length + 1, np.int64)
        breaks = np.zeros(length + 1, np.int64)
        for match in _SENTENCE_END.finditer(text):
            ends[match.end()] += 1
            if match.group() == "\n":
                breaks[match.end()] += 1
        sentence = np.cumsum(ends)
        starts = np.maximum.accumulate(np.where(ends > 0, np.arange(length + 1), 0))
        return cls(sentence, np.cumsum(breaks), starts)


def pair_up(
    sources: Ints, targets: Ints, entities: Ints, discourse: Discourse, *, reach_chars: int | None = None
) -> Pairs:
    """Candidate mentions and their features for every (source span, target entity).

    `sources` (s, 2), `targets` (t, 2) sorted by start, `entities` (t,). With `reach_chars`, mentions further than that
    from the source are no candidates.
    """
    count = int(entities.max()) + 1 if len(entities) else 0
    candidates = np.full((len(sources), count, CANDIDATES), -1, np.int64)
    if not len(sources) or not count:
        return Pairs(candidates, np.zeros((*candidates.shape, len(FEATURE_SIZES)), np.int64))
    of_entity = [np.flatnonzero(entities == entity) for entity in range(count)]
    for row, (start, end) in enumerate(sources):
        for entity, mentions in enumerate(of_entity):
            chosen = _choose(targets[mentions], int(start), int(end), reach_chars)
            candidates[row, entity, : len(chosen)] = mentions[chosen]
    return Pairs(candidates, _features(sources, targets, entities, candidates, discourse))


def _choose(spans: Ints, start: int, end: int, reach_chars: int | None) -> Ints:
    starts = spans[:, 0]
    first = int(np.searchsorted(starts, start))
    after = int(np.searchsorted(starts, end))
    picks = list(range(first, min(after, first + 2)))
    if first > 0:
        picks.append(first - 1)
    if after < len(starts):
        picks.append(after)
    if first > 1:
        picks.append(0)
    chosen = np.array(sorted(set(picks)), np.int64)
    if reach_chars is not None:
        gap = np.maximum(spans[chosen, 0] - end, start - spans[chosen, 1])
        chosen = chosen[gap <= reach_chars]
    return chosen


def _features(sources: Ints, targets: Ints, entities: Ints, candidates: Ints, discourse: Discourse) -> Ints:
    """Bucket ids of FEATURE_SIZES.

    Order, distance, sentences apart, paragraphs apart, other mentions between, how often the entity is named, whether
    this is its first mention, whether the mention opens its sentence, how deep in the source it lies.
    """
    mention = np.maximum(candidates, 0)
    start, end = sources[:, 0][:, None, None], sources[:, 1][:, None, None]
    target_start, target_end = targets[mention, 0], targets[mention, 1]
    before, after = target_end <= start, target_start >= end
    order = np.where(before, 1, np.where(after, 2, 0))
    gap = np.where(before, start - target_end, np.where(after, target_start - end, 0))
    distance = np.where(order == 0, 0, np.searchsorted(_DISTANCES, gap, side="left")).clip(0, FEATURE_SIZES[1] - 1)
    sentences = (discourse.sentence[target_start] - discourse.sentence[start]).clip(-5, 2) + 5
    paragraphs = (discourse.paragraph[target_start] - discourse.paragraph[start]).clip(-5, 2) + 5
    low = np.where(before, mention, np.searchsorted(targets[:, 0], start))
    high = np.where(before, np.searchsorted(targets[:, 0], start), mention)
    between = (high - low - np.where(before, 1, 0)).clip(0, 4)
    counts = np.bincount(entities)
    named = np.searchsorted((1, 2, 4, 8), counts[entities[mention]], side="left").clip(0, 4)
    seen: dict[int, int] = {}
    for index, entity in enumerate(entities.tolist()):
        seen.setdefault(entity, index)
    firsts = np.array([seen[entity] for entity in entities.tolist()], np.int64)
    is_first = (firsts[mention] == mention).astype(np.int64)
    opens = (discourse.sentence_start[target_start] >= target_start - 1).astype(np.int64)
    depth = np.where(order == 0, 1 + (2 * (target_start - start) // np.maximum(end - start, 1)).clip(0, 1), 0)
    depth = np.where((order == 0) & (target_start == start), 3, depth)
    stacked = np.stack([order, distance, sentences, paragraphs, between, named, is_first, opens, depth], axis=-1)
    return stacked.astype(np.int64)


def as_array(spans: Sequence[tuple[int, int]]) -> Ints:
    """Spans as an array of shape (count, 2)."""
    return np.array(spans, np.int64).reshape(-1, 2)
