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
FEATURE_SIZES = (3, 10, 8, 8, 5, 5, 2, 2, 4, 6)
#: Features that are looked up together at run time, as one number below the product of their sizes.
FEATURE_GROUPS = ((0, 1, 2), (3, 4, 5), (6, 7, 8, 9))
_SENTENCE_END = re.compile(r"[。！？!?\n]")


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of source spans and target entities, as a list of the candidate mentions of each.

    Every array has a row for each candidate: `sources`, `entities` and `slots` (below CANDIDATES) place it, `mentions` is
    the target span; `values` (pairs, len(FEATURE_SIZES)) are bucket ids. `shape` counts sources and entities.
    """

    shape: tuple[int, int]
    sources: Ints
    entities: Ints
    slots: Ints
    mentions: Ints
    values: npt.NDArray[np.int32]

    @property
    def candidates(self) -> Ints:
        """Indices of target mentions, -1 where there is none: (sources, entities, CANDIDATES)."""
        table = np.full((*self.shape, CANDIDATES), -1, np.int64)
        table[self.sources, self.entities, self.slots] = self.mentions
        return table

    @property
    def features(self) -> Ints:
        """Bucket ids, 0 where there is no candidate: (sources, entities, CANDIDATES, len(FEATURE_SIZES))."""
        table = np.zeros((*self.shape, CANDIDATES, len(FEATURE_SIZES)), np.int64)
        table[self.sources, self.entities, self.slots] = self.values
        return table


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
    row, entity, slot, mention = _choose(sources, targets, entities, count, reach_chars)
    values = _features(sources[row], targets, entities, mention, discourse)
    return Pairs((len(sources), count), row, entity, slot, mention, values)


def _choose(
    sources: Ints, targets: Ints, entities: Ints, count: int, reach_chars: int | None
) -> tuple[Ints, Ints, Ints, Ints]:
    """Source, entity, slot and mention of every candidate, ordered by the first three."""
    if not len(sources) or not count:
        none = np.zeros(0, np.int64)
        return none, none, none, none
    order = np.argsort(entities, kind="stable")  # mentions entity by entity, each entity's by start
    first = np.searchsorted(entities[order], np.arange(count))[None, :]
    last = np.append(first[0, 1:], len(order))[None, :]
    # one search for all: starts are told apart by entity through an offset longer than the text
    stretch = int(max(targets[:, 1].max(), sources[:, 1].max())) + 1
    keys = targets[order, 0] + entities[order] * stretch
    places = np.arange(count) * stretch
    inside = np.searchsorted(keys, sources[:, :1] + places)  # (sources, entities): first mention not before the source
    after = np.searchsorted(keys, sources[:, 1:] + places)  # first mention behind it
    nearest = np.stack([np.broadcast_to(first, inside.shape), inside - 1, inside, inside + 1, after], axis=-1)
    taken = np.stack(
        [inside > first + 1, inside > first, inside < after, inside + 1 < after, after < last], axis=-1
    )
    row, entity, rank = np.nonzero(taken)
    mention = order[nearest[row, entity, rank]]
    if reach_chars is not None:
        near = np.maximum(targets[mention, 0] - sources[row, 1], sources[row, 0] - targets[mention, 1]) <= reach_chars
        row, entity, mention = row[near], entity[near], mention[near]
    group = row * count + entity
    opens = np.append(True, group[1:] != group[:-1]) if len(group) else np.zeros(0, bool)
    begin = np.maximum.accumulate(np.where(opens, np.arange(len(group)), 0))
    return row, entity, np.arange(len(group)) - begin, mention


def _features(
    sources: Ints, targets: Ints, entities: Ints, mention: Ints, discourse: Discourse
) -> npt.NDArray[np.int32]:
    """Bucket ids of FEATURE_SIZES for source spans (pairs, 2) and target mentions (pairs,).

    Order, distance, sentences apart, paragraphs apart, other mentions between, how often the entity is named, whether
    this is its first mention, whether the mention opens its sentence, how deep in the source it lies, and how many entities are
    named more often.
    """
    start, end = sources.T
    target_start, target_end = targets[mention].T
    before, after = target_end <= start, target_start >= end
    order = np.where(before, 1, np.where(after, 2, 0))
    gap = np.where(before, start - target_end, np.where(after, target_start - end, 0))
    distance = np.where(order == 0, 0, np.searchsorted(_DISTANCES, gap, side="left")).clip(0, FEATURE_SIZES[1] - 1)
    sentences = (discourse.sentence[target_start] - discourse.sentence[start]).clip(-5, 2) + 5
    paragraphs = (discourse.paragraph[target_start] - discourse.paragraph[start]).clip(-5, 2) + 5
    place = np.searchsorted(targets[:, 0], start)
    between = np.where(before, place - mention - 1, mention - place).clip(0, 4)
    counts = np.bincount(entities)
    named = np.searchsorted((1, 2, 4, 8), counts, side="left").clip(0, 4)[entities[mention]]
    is_first = np.zeros(len(entities), np.int64)
    is_first[np.unique(entities, return_index=True)[1]] = 1
    opens = discourse.sentence_start[target_start] >= target_start - 1
    depth = np.where(order == 0, 1 + (2 * (target_start - start) // np.maximum(end - start, 1)).clip(0, 1), 0)
    depth = np.where((order == 0) & (target_start == start), 3, depth)
    rank = np.searchsorted(np.sort(-counts), -counts, side="left").clip(0, FEATURE_SIZES[9] - 1)[entities[mention]]
    columns = (order, distance, sentences, paragraphs, between, named, is_first[mention], opens, depth, rank)
    return np.stack([column.astype(np.int32) for column in columns], axis=-1)


def as_array(spans: Sequence[tuple[int, int]]) -> Ints:
    """Spans as an array of shape (count, 2)."""
    return np.array(spans, np.int64).reshape(-1, 2)
