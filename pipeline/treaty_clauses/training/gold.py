"""Gold records and their texts: from files to what the heads learn."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt

from treaty_clauses.decode import tags_of
from treaty_clauses.encode import ArticleEncoder, Encoded
from treaty_clauses.errors import InputError
from treaty_clauses.grams import SpanBags, span_bags
from treaty_clauses.io import read_records, text_sha256
from treaty_clauses.labels import ActorKind, ClauseType, Modality, Role, Status, TermRole
from treaty_clauses.links import LinkInputs, link_inputs
from treaty_clauses.proposal_names import cluster_names
from treaty_clauses.spans import Discourse, Ints, Layer, SpanSet, as_array
from treaty_clauses.types import Article, ArticleRecord

_IGNORE = -100  # label that no loss counts, as in torch.nn.functional.cross_entropy


@dataclass(frozen=True, slots=True)
class GoldArticle:
    """An article and its gold record."""

    article: Article
    record: ArticleRecord


@dataclass(frozen=True, slots=True)
class Targets:
    """What the heads should say of one article.

    `tags` (length, layers); `labels[name]` (spans,); `roles` (clauses, actors, 4), `attribution` (clauses,
    proposals + 1), true for each cluster of names of the right proposal, the last column for "unnamed"; `proposers` (proposal
    mentions, actors), `conditions` (clauses, conditions), `same_norm` (clauses, clauses) and `same_proposal` (proposal
    mentions, proposal mentions), true below the diagonal only.
    """

    tags: npt.NDArray[np.int64]
    labels: dict[str, Ints]
    roles: npt.NDArray[np.float32]
    attribution: npt.NDArray[np.bool_]
    proposers: npt.NDArray[np.float32]
    conditions: npt.NDArray[np.float32]
    same_norm: npt.NDArray[np.float32]
    same_proposal: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Example:
    """One article ready for training."""

    encoded: Encoded
    spans: SpanSet
    bags: SpanBags
    inputs: LinkInputs
    targets: Targets


def gold_ids(path: Path) -> set[str]:
    """Ids of the articles in a JSON Lines file of records, with or without quotes.

    Raises:
        InputError: The file cannot be read, or a line is no record.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return {str(json.loads(line)["article"]["id"]) for line in lines if line.strip()}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: cannot read the gold: {error}; expected one record a line") from error


def read_gold(path: Path, texts: dict[str, str]) -> Iterator[GoldArticle]:
    """Gold of a JSON Lines file of records, with or without quotes; `texts` holds the article texts by id.

    Raises:
        InputError: A text is missing or is not the annotated one.
    """
    for record in read_records(path, texts=texts):
        name = record.article.id
        if name not in texts:
            raise InputError(f"{path}: the text of article {name!r} is missing; name the folder that has it")
        if text_sha256(texts[name]) != record.article.sha256:
            raise InputError(f"{path}: the text of article {name!r} is not the one annotated (SHA-256)")
        published = date.fromisoformat(record.article.published) if record.article.published else None
        yield GoldArticle(Article(name, texts[name], published), record)


def make_example(gold: GoldArticle, encoder: ArticleEncoder) -> Example:
    """Turn a gold article into inputs and targets."""
    return _ExampleMaker(gold.article.text, gold.record).make(encoder)


class _ExampleMaker:
    def __init__(self, text: str, record: ArticleRecord) -> None:
        self.text, self.record = text, record
        self.discourse = Discourse.of(text)

    def make(self, encoder: ArticleEncoder) -> Example:
        record = self.record
        actors = _disjoint([(m.start, m.end, n) for n, a in enumerate(record.actors) for m in a.mentions])
        proposals = _disjoint(
            [(m.start, m.end, n) for n, p in enumerate(p for p in record.proposals if p.mentions) for m in p.mentions]
        )
        clauses = [(proposal, clause) for proposal in record.proposals for clause in proposal.clauses]
        mentions = _disjoint([(m.start, m.end, n) for n, (_, c) in enumerate(clauses) for m in c.mentions])
        conditions = _disjoint(list({(m.start, m.end, 0) for _, c in clauses for m in c.conditions}))
        terms = _disjoint(list({(t.start, t.end, list(TermRole).index(t.role)) for _, c in clauses for t in c.terms}))
        anchors = _disjoint(
            list({(t.anchor.start, t.anchor.end, 0) for _, c in clauses for t in c.terms if t.anchor is not None})
        )
        table = {
            Layer.CLAUSE: mentions,
            Layer.CONDITION: conditions,
            Layer.ACTOR: actors,
            Layer.TERM: terms,
            Layer.PROPOSAL: proposals,
            Layer.ANCHOR: anchors,
        }
        actor_entities, actor_ids = _entities(actors, [actor.id for actor in record.actors])
        named = [p for p in record.proposals if p.mentions]
        owner_ids = np.array([named[n].id for _, _, n in proposals])
        clusters = cluster_names(self.text, as_array([(start, end) for start, end, _ in proposals]))
        cluster_count = int(clusters.max()) + 1 if len(clusters) else 0
        spans = SpanSet(
            {layer: as_array([(s, e) for s, e, _ in found]) for layer, found in table.items()},
            actor_entities=actor_entities,
            proposal_entities=clusters,
        )
        owners = [clauses[n] for _, _, n in mentions]
        roles = np.zeros((len(owners), len(actor_ids), len(Role)), np.float32)
        attribution = np.zeros((len(owners), cluster_count + 1), np.bool_)
        links = np.zeros((len(owners), len(conditions)), np.float32)
        for row, (proposal, clause) in enumerate(owners):
            for column, role in enumerate(Role):
                for actor in getattr(clause, role.value):
                    if actor in actor_ids:
                        roles[row, actor_ids[actor], column] = 1
            own = clusters[owner_ids == proposal.id] if len(clusters) else clusters
            attribution[row, own if len(own) else cluster_count] = True
            held = {(m.start, m.end) for m in clause.conditions}
            links[row] = [(s, e) in held for s, e, _ in conditions]
        numbers = np.array([n for _, _, n in mentions], np.int64)
        same = np.tril(numbers[:, None] == numbers[None, :], -1).astype(np.float32)
        proposers = np.zeros((len(proposals), len(actor_ids)), np.float32)
        for row, (_, _, n) in enumerate(proposals):
            for actor in named[n].proposers:
                if actor in actor_ids:
                    proposers[row, actor_ids[actor]] = 1
        plans = np.array([n for _, _, n in proposals], np.int64)
        same_plan = np.tril(plans[:, None] == plans[None, :], -1).astype(np.float32)
        tags = np.stack([tags_of(spans.layers[layer], len(self.text)) for layer in Layer], axis=-1).astype(np.int64)
        labels = {
            "clause_type": _indices([c.type for _, c in owners], ClauseType),
            "modality": _indices([c.modality for _, c in owners], Modality),
            "status": _indices([c.status for _, c in owners], Status),
            "kind": _indices([record.actors[n].kind for _, _, n in actors], ActorKind),
            "term_role": np.array([n for _, _, n in terms], np.int64),
        }
        targets = Targets(tags, labels, roles, attribution, proposers, links, same, same_plan)
        encoded = encoder.encode(self.text)
        bags = span_bags(self.text, encoded.boundaries, encoded.words, spans.layers[Layer.CLAUSE])
        return Example(encoded, spans, bags, link_inputs(spans, self.discourse), targets)


def _disjoint(spans: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """Sorted spans; of two that overlap the longer stays."""
    kept: list[tuple[int, int, int]] = []
    for span in sorted(spans, key=lambda s: (s[0], -(s[1] - s[0]), s[2])):
        if kept and span[0] < kept[-1][1]:
            if span[1] - span[0] > kept[-1][1] - kept[-1][0]:
                kept[-1] = span
            continue
        kept.append(span)
    return kept


def _entities(spans: list[tuple[int, int, int]], ids: list[str]) -> tuple[Ints, dict[str, int]]:
    """Entity numbers without gaps for the spans' owners, and the number of each owner's id."""
    used = sorted({owner for _, _, owner in spans})
    numbers = {owner: number for number, owner in enumerate(used)}
    return np.array([numbers[o] for _, _, o in spans], np.int64), {ids[owner]: numbers[owner] for owner in used}


def _indices(values: list[str], labels: type) -> Ints:
    order = {label: number for number, label in enumerate(labels)}  # type: ignore[var-annotated, arg-type]
    return np.array([order[value] for value in values], np.int64)
