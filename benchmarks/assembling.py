"""From labelled spans to a record by rules, for the baselines: who bears a clause, which plan and which terms it has.

A clause's bearer is the actor it begins with, else the last bearer; its proposal the last named before it; its terms and
conditions those that lie in it or touch it.
"""

from dataclasses import dataclass, field

import numpy as np

from treaty_clauses.actors import link_mentions
from treaty_clauses.gazetteer import Gazetteer
from treaty_clauses.labels import ActorKind, ClauseType, Modality, Role, Status, TermRole
from treaty_clauses.proposal_names import cluster_names
from treaty_clauses.proposals import RecordBuilder, Scores, Thresholds
from treaty_clauses.spans import Layer, SpanSet, as_array
from treaty_clauses.types import Article, ArticleRecord

Span = tuple[int, int]
_BEGINS = 2  # characters between a clause's start and the actor that it "begins with"


@dataclass
class Tagged:
    """Spans `(start, end, labels...)` of an article, each list in the order of the text, without overlaps."""

    clauses: list[tuple[int, int, ClauseType, Modality, Status]] = field(default_factory=list)
    actors: list[tuple[int, int, ActorKind]] = field(default_factory=list)
    terms: list[tuple[int, int, TermRole]] = field(default_factory=list)
    plans: list[Span] = field(default_factory=list)
    conditions: list[Span] = field(default_factory=list)


def assemble(article: Article, found: Tagged, gazetteer: Gazetteer, *, model: str) -> ArticleRecord:
    """The record of what was found in an article."""
    text = article.text
    actors = [(start, end) for start, end, _ in found.actors]
    kinds = [kind for _, _, kind in found.actors]
    links = link_mentions(text, actors, gazetteer, kinds=kinds, published=article.published)
    numbers: dict[str, int] = {}
    entities = np.array([numbers.setdefault(link.key, len(numbers)) for link in links], np.int64)
    layers: dict[Layer, list[Span]] = {
        Layer.CLAUSE: [(clause[0], clause[1]) for clause in found.clauses],
        Layer.ACTOR: actors,
        Layer.TERM: [(term[0], term[1]) for term in found.terms],
        Layer.PROPOSAL: found.plans,
        Layer.CONDITION: found.conditions,
        Layer.ANCHOR: [],
    }
    spans = SpanSet(
        {layer: as_array(some) for layer, some in layers.items()},
        scores={layer: np.ones(len(some)) for layer, some in layers.items()},
        actor_entities=entities,
        proposal_entities=cluster_names(text, as_array(found.plans)),
    )
    scores = _scores(spans, len(numbers), found, _bearers(layers[Layer.CLAUSE], actors, entities.tolist()))
    return RecordBuilder(article, spans, links, scores, thresholds=Thresholds(), model=model).build()


def _bearers(clauses: list[Span], actors: list[Span], entities: list[int]) -> list[int | None]:
    bearers: list[int | None] = []
    last: int | None = None
    for start, end in clauses:
        inside = [n for n, (first, past) in enumerate(actors) if start <= first and past <= end]
        if inside and actors[inside[0]][0] - start <= _BEGINS:
            last = entities[inside[0]]
        bearers.append(last)
    return bearers


def _scores(spans: SpanSet, actor_count: int, found: Tagged, bearers: list[int | None]) -> Scores:
    count, plans = len(found.clauses), int(spans.proposal_entities.max(initial=-1)) + 1
    held = np.zeros((count, actor_count, len(Role)), np.float32)
    owner = np.zeros((count, plans + 1), np.float32)
    linked = np.zeros((count, spans.count(Layer.CONDITION)), np.float32)
    for row, bearer in enumerate(bearers):
        if bearer is not None:
            held[row, bearer, list(Role).index(Role.BEARER)] = 1
        start, end = spans.layers[Layer.CLAUSE][row].tolist()
        before = np.flatnonzero(spans.layers[Layer.PROPOSAL][:, 0] < start) if plans else []
        owner[row, int(spans.proposal_entities[before[-1]]) if len(before) else plans] = 1
        for column, (first, past) in enumerate(spans.layers[Layer.CONDITION].tolist()):
            linked[row, column] = abs(first - end) <= 1 or abs(start - past) <= 1
    return Scores(
        labels={
            "clause_type": _certain([list(ClauseType).index(clause[2]) for clause in found.clauses], len(ClauseType)),
            "modality": _certain([list(Modality).index(clause[3]) for clause in found.clauses], len(Modality)),
            "status": _certain([list(Status).index(clause[4]) for clause in found.clauses], len(Status)),
            "kind": _certain([list(ActorKind).index(actor[2]) for actor in found.actors], len(ActorKind)),
            "term_role": _certain([list(TermRole).index(term[2]) for term in found.terms], len(TermRole)),
        },
        roles=held,
        attribution=owner,
        proposers=np.zeros((spans.count(Layer.PROPOSAL), actor_count), np.float32),
        conditions=linked,
        same_norm=np.zeros((count, count), np.float32),
    )


def _certain(labels: list[int], size: int) -> np.ndarray:  # type: ignore[type-arg]
    return np.eye(size, dtype=np.float32)[labels] if labels else np.zeros((0, size), np.float32)
