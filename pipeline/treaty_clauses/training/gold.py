"""Gold records and their texts: from files to what the heads learn."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt

from treaty_clauses.bearers import COUNTS
from treaty_clauses.decode import tags_of
from treaty_clauses.encode import Encoded
from treaty_clauses.errors import InputError
from treaty_clauses.grams import SpanBags, span_bags
from treaty_clauses.io import read_records, text_sha256
from treaty_clauses.labels import ActorKind, ClauseType, Modality, Role, Status, TermRole
from treaty_clauses.links import LinkInputs, link_inputs
from treaty_clauses.proposal_names import cluster_names
from treaty_clauses.spans import Discourse, Ints, Layer, SpanSet, as_array
from treaty_clauses.training.predicted import NOBODY, Owned, disjoint, mix_spans
from treaty_clauses.types import Article, ArticleRecord

_BEARER = list(Role).index(Role.BEARER)
_IGNORE = -100  # label that no loss counts, as in torch.nn.functional.cross_entropy
UNKNOWN_LINK = -1.0  # of a link of which the gold says nothing; no loss counts it


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
    mentions, proposal mentions), true below the diagonal only; UNKNOWN_LINK where a naming is none in the gold.
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


def make_example(
    gold: GoldArticle,
    encoded: Encoded,
    *,
    predicted: SpanSet | None = None,
    rng: np.random.Generator | None = None,
) -> Example:
    """Turn a gold article and what `ArticleEncoder.encode` says of its text into inputs and targets.

    With the spans that the network itself finds (`predicted`, and `rng` for the choice among borders) the heads read these among
    the gold ones, as they must when the gold is not there; the tags to learn stay those of the gold. See `mix_spans`.
    """
    return _ExampleMaker(gold.article.text, gold.record, predicted, rng).make(encoded)


class _ExampleMaker:
    def __init__(
        self, text: str, record: ArticleRecord, predicted: SpanSet | None, rng: np.random.Generator | None
    ) -> None:
        self.text, self.record, self.predicted, self.rng = text, record, predicted, rng
        self.discourse = Discourse.of(text)

    def _gold_spans(self) -> dict[Layer, list[Owned]]:
        """The spans of each layer with the number of their actor, plan, clause or condition, or of the term's role."""
        record = self.record
        clauses = [clause for proposal in record.proposals for clause in proposal.clauses]
        named = [p for p in record.proposals if p.mentions]
        terms = [term for clause in clauses for term in clause.terms]
        table = {
            Layer.CLAUSE: [(m.start, m.end, n) for n, c in enumerate(clauses) for m in c.mentions],
            Layer.CONDITION: list({(m.start, m.end, 0) for c in clauses for m in c.conditions}),
            Layer.ACTOR: [(m.start, m.end, n) for n, a in enumerate(record.actors) for m in a.mentions],
            Layer.TERM: list({(t.start, t.end, list(TermRole).index(t.role)) for t in terms}),
            Layer.PROPOSAL: [(m.start, m.end, n) for n, p in enumerate(named) for m in p.mentions],
            Layer.ANCHOR: list({(t.anchor.start, t.anchor.end, 0) for t in terms if t.anchor is not None}),
        }
        spans = {layer: disjoint(found) for layer, found in table.items()}
        conditions = spans[Layer.CONDITION]
        return spans | {Layer.CONDITION: [(start, end, n) for n, (start, end, _) in enumerate(conditions)]}

    def _mixed(self, gold: dict[Layer, list[Owned]]) -> dict[Layer, list[Owned]]:
        """What the heads read: the gold spans, or among them those that the network found."""
        if self.predicted is None:
            return gold
        if self.rng is None:
            raise ValueError("`predicted` without `rng`: a choice among borders is drawn; pass both")
        return mix_spans(self.text, gold, self.predicted, self.rng)

    def make(self, encoded: Encoded) -> Example:
        record = self.record
        gold = self._gold_spans()
        table = self._mixed(gold)
        mentions, conditions, actors, terms, proposals, _ = (table[layer] for layer in Layer)
        clauses = [(proposal, clause) for proposal in record.proposals for clause in proposal.clauses]
        actor_entities, actor_ids = _entities(actors, [actor.id for actor in record.actors])
        actor_count = int(actor_entities.max()) + 1 if len(actor_entities) else 0
        named = [p for p in record.proposals if p.mentions]
        owner_ids = np.array([None if n < 0 else named[n].id for _, _, n in proposals], object)
        clusters = cluster_names(self.text, as_array([(start, end) for start, end, _ in proposals]))
        cluster_count = int(clusters.max()) + 1 if len(clusters) else 0
        spans = SpanSet(
            {layer: as_array([(s, e) for s, e, _ in found]) for layer, found in table.items()},
            actor_entities=actor_entities,
            proposal_entities=clusters,
        )
        owners = [clauses[n] for _, _, n in mentions]
        roles = np.zeros((len(owners), actor_count, len(Role)), np.float32)
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
            links[row] = [number != NOBODY and gold[Layer.CONDITION][number][:2] in held for _, _, number in conditions]
        numbers = np.array([n for _, _, n in mentions], np.int64)
        same = np.tril(numbers[:, None] == numbers[None, :], -1).astype(np.float32)
        proposers = np.zeros((len(proposals), actor_count), np.float32)
        for row, (_, _, n) in enumerate(proposals):
            for actor in named[n].proposers if n != NOBODY else ():
                if actor in actor_ids:
                    proposers[row, actor_ids[actor]] = 1
        plans = np.array([n for _, _, n in proposals], np.int64)
        same_plan = np.tril(plans[:, None] == plans[None, :], -1).astype(np.float32)
        proposers[plans == NOBODY] = UNKNOWN_LINK
        same_plan[(plans[:, None] == NOBODY) | (plans[None, :] == NOBODY)] = UNKNOWN_LINK
        tags = np.stack(
            [tags_of(as_array([(s, e) for s, e, _ in gold[layer]]), len(self.text)) for layer in Layer], axis=-1
        ).astype(np.int64)
        labels = {
            "clause_type": _indices([c.type for _, c in owners], ClauseType),
            "modality": _indices([c.modality for _, c in owners], Modality),
            "status": _indices([c.status for _, c in owners], Status),
            "bearers": np.minimum(roles[:, :, _BEARER].sum(axis=1), COUNTS - 1).astype(np.int64),
            "kind": _indices([record.actors[n].kind if n >= 0 else None for _, _, n in actors], ActorKind),
            "term_role": np.array([_IGNORE if n == NOBODY else n for _, _, n in terms], np.int64),
        }
        targets = Targets(tags, labels, roles, attribution, proposers, links, same, same_plan)
        bags = span_bags(self.text, encoded.boundaries, encoded.words, spans.layers[Layer.CLAUSE])
        return Example(encoded, spans, bags, link_inputs(spans, self.discourse), targets)


def _entities(spans: list[Owned], ids: list[str]) -> tuple[Ints, dict[str, int]]:
    """Entity numbers without gaps for the spans' owners, and the number of each id that owns one."""
    used = sorted({owner for _, _, owner in spans})
    numbers = {owner: number for number, owner in enumerate(used)}
    owned = {ids[owner]: number for owner, number in numbers.items() if owner >= 0}
    return np.array([numbers[o] for _, _, o in spans], np.int64), owned


def _indices(values: Sequence[str | None], labels: type) -> Ints:
    """The labels' numbers; None is one that no loss counts."""
    order = {None: _IGNORE} | {label: number for number, label in enumerate(labels)}  # type: ignore[var-annotated, arg-type]
    return np.array([order[value] for value in values], np.int64)
