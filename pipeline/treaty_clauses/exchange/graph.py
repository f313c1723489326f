"""A record as regions and relations, the common denominator of annotation tools.

A region is one stretch of text with a label; what belongs together is said by relations, so that an annotator who draws
or deletes an arrow changes the record:

    same                       one actor, proposal or norm, mentioned again (any direction; the first region is the head)
    bearer counterparty
    territory proposers        clause -> actor; also proposal -> actor for `proposers`
    proposal                   clause -> proposal
    term, condition            clause -> term, clause -> condition
    anchor                     term -> anchor

What no tool can show as a region stands in `Graph.document`: the article's metadata and the proposals without a mention.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from treaty_clauses.errors import AnnotationError
from treaty_clauses.io import text_sha256
from treaty_clauses.labels import ActorKind, ClauseType, Role, TermRole
from treaty_clauses.spans import Layer
from treaty_clauses.types import ArticleRecord, Clause, Mention, Term

Attributes = Mapping[str, str | int | float]
"""What a region carries beyond its label; absent means null."""

_SAME = "same"
_ENDS: dict[str, tuple[tuple[Layer, ...], Layer]] = {
    **{role.value: ((Layer.CLAUSE,), Layer.ACTOR) for role in Role},
    Role.PROPOSERS.value: ((Layer.CLAUSE, Layer.PROPOSAL), Layer.ACTOR),
    "proposal": ((Layer.CLAUSE,), Layer.PROPOSAL),
    "term": ((Layer.CLAUSE,), Layer.TERM),
    "condition": ((Layer.CLAUSE,), Layer.CONDITION),
    "anchor": ((Layer.TERM,), Layer.ANCHOR),
}
RELATIONS = (_SAME, *_ENDS)
"""Every type of relation."""

LABELS = (
    *(f"{Layer.ACTOR}.{kind}" for kind in ActorKind),
    *(f"{Layer.CLAUSE}.{kind}" for kind in ClauseType),
    *(f"{Layer.TERM}.{role}" for role in TermRole),
    Layer.PROPOSAL.value,
    Layer.CONDITION.value,
    Layer.ANCHOR.value,
)
"""Every label of a region."""


@dataclass(frozen=True, slots=True)
class Region:
    """A stretch of text: `text[start:end]`, in code points."""

    id: str
    start: int
    end: int
    label: str
    attributes: Attributes = field(default_factory=dict)

    @property
    def layer(self) -> Layer:
        """The part of the label before the dot."""
        return Layer(self.label.split(".")[0])

    @property
    def kind(self) -> str:
        """The part of the label behind the dot: actor kind, clause type, term role; empty for the other layers."""
        return self.label.partition(".")[2]


@dataclass(frozen=True, slots=True)
class Relation:
    """A typed arrow between two regions, named by their ids."""

    source: str
    target: str
    type: str


@dataclass(frozen=True, slots=True)
class Graph:
    """One annotated article."""

    text: str
    regions: tuple[Region, ...]
    relations: tuple[Relation, ...]
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Imported:
    """An article as a tool gave it back; `notes` say what of the file no record can hold, and so was left out."""

    text: str
    record: ArticleRecord
    notes: tuple[str, ...] = ()


def graph_of(text: str, record: ArticleRecord) -> Graph:
    """Take a record apart.

    Raises:
        AnnotationError: The text is not the record's, a quote is not the text at its offsets, or a role names no actor.
    """
    if text_sha256(text) != record.article.sha256:
        raise AnnotationError(f"{record.article.id}: the text differs from the one that was annotated (SHA-256)")
    return _Taker(text, record).take()


class _Taker:
    def __init__(self, text: str, record: ArticleRecord) -> None:
        self.text, self.record = text, record
        self.regions: list[Region] = []
        self.relations: list[Relation] = []
        self.heads: dict[tuple[Layer, str], str] = {}
        self.shared: dict[tuple[object, ...], str] = {}

    def take(self) -> Graph:
        for actor in self.record.actors:
            named = {"id": actor.id, "name": actor.name, "wikidata": actor.wikidata}
            self.heads[Layer.ACTOR, actor.id] = self._group(actor.mentions, f"{Layer.ACTOR}.{actor.kind}", named)
        bare: list[dict[str, object]] = []
        for proposal in self.record.proposals:
            named = {"id": proposal.id, "name": proposal.name, "date": proposal.date}
            if proposal.mentions:
                head = self._group(proposal.mentions, Layer.PROPOSAL.value, named)
                self.heads[Layer.PROPOSAL, proposal.id] = head
                self._link_actors(head, Role.PROPOSERS, proposal.proposers)
                bare.append({"id": proposal.id})
            else:
                bare.append(named | {"proposers": list(proposal.proposers)})
        for proposal in self.record.proposals:
            for clause in proposal.clauses:
                self._clause(clause, proposal.id)
        document = {
            "schema_version": self.record.schema_version,
            "article": self.record.article.model_dump(mode="json"),
            "proposals": bare,
            "model": self.record.model,
            "warnings": list(self.record.warnings),
        }
        return Graph(self.text, tuple(self.regions), tuple(self.relations), document)

    def _region(self, mention: Mention | Term, label: str, attributes: Mapping[str, str | int | float | None]) -> str:
        if self.text[mention.start : mention.end] != mention.text:
            raise AnnotationError(
                f"{self.record.article.id}: the text at [{mention.start}, {mention.end}) is "
                f"{self.text[mention.start : mention.end]!r}, but the record says {mention.text!r}"
            )
        name = f"r{len(self.regions) + 1}"
        kept = {key: value for key, value in attributes.items() if value is not None}
        self.regions.append(Region(name, mention.start, mention.end, label, kept))
        return name

    def _once(self, mention: Mention | Term, label: str, attributes: Mapping[str, str | int | float | None]) -> str:
        """The region of a condition, anchor or term; one for all clauses that share it."""
        key = (mention.start, mention.end, label, *map(repr, attributes.items()))
        if key not in self.shared:
            self.shared[key] = self._region(mention, label, attributes)
        return self.shared[key]

    def _group(
        self, mentions: tuple[Mention, ...], label: str, attributes: Mapping[str, str | int | float | None]
    ) -> str:
        head = self._region(mentions[0], label, attributes)
        for mention in mentions[1:]:
            self.relations.append(Relation(self._region(mention, label, {}), head, _SAME))
        return head

    def _link_actors(self, source: str, role: Role, actors: Iterable[str]) -> None:
        for actor in actors:
            if (Layer.ACTOR, actor) not in self.heads:
                raise AnnotationError(f"{self.record.article.id}: {role} names the unknown actor {actor!r}")
            self.relations.append(Relation(source, self.heads[Layer.ACTOR, actor], role.value))

    def _clause(self, clause: Clause, proposal: str) -> None:
        attributes: dict[str, str | int | float | None] = {
            "id": clause.id,
            "modality": clause.modality.value,
            "status": clause.status.value,
            "confidence": None if clause.confidence == 1.0 else clause.confidence,
            "text": None if clause.text == clause.mentions[0].text else clause.text,
            "proposal": None if (Layer.PROPOSAL, proposal) in self.heads else proposal,
        }
        head = self._group(clause.mentions, f"{Layer.CLAUSE}.{clause.type}", attributes)
        if (Layer.PROPOSAL, proposal) in self.heads:
            self.relations.append(Relation(head, self.heads[Layer.PROPOSAL, proposal], "proposal"))
        for role in Role:
            self._link_actors(head, role, getattr(clause, role))
        for condition in clause.conditions:
            self.relations.append(Relation(head, self._once(condition, Layer.CONDITION.value, {}), "condition"))
        for term in clause.terms:
            self.relations.append(Relation(head, self._term(term), "term"))

    def _term(self, term: Term) -> str:
        attributes: dict[str, str | int | float | None] = {
            "comparator": term.comparator.value,
            "value": term.value,
            "high": term.high,
            "unit": term.unit,
        }
        label = f"{Layer.TERM}.{term.role}"
        if term.anchor is None:
            return self._once(term, label, attributes)
        region = self._region(term, label, attributes)
        anchor = self._once(term.anchor, Layer.ANCHOR.value, {})
        self.relations.append(Relation(region, anchor, "anchor"))
        return region


def orient(relation: Relation, layers: Mapping[str, Layer], *, where: str) -> Relation:
    """A relation with a known type and the direction of its type.

    An arrow drawn the wrong way round is turned; one without a type gets the type that its ends allow, if only one does.

    Raises:
        AnnotationError: An end is no region, or no relation of that type can join the two.
    """
    for end in (relation.source, relation.target):
        if end not in layers:
            raise AnnotationError(f"{where}: a relation {relation.type!r} names the region {end!r}, which is not there")
    ends = layers[relation.source], layers[relation.target]
    found = []
    for kind in (relation.type,) if relation.type else RELATIONS:
        if kind == _SAME:
            if ends[0] == ends[1] and ends[0] in (Layer.ACTOR, Layer.PROPOSAL, Layer.CLAUSE):
                found.append(Relation(relation.source, relation.target, kind))
        elif kind in _ENDS:
            sources, target = _ENDS[kind]
            if ends[0] in sources and ends[1] == target:
                found.append(Relation(relation.source, relation.target, kind))
            elif ends[1] in sources and ends[0] == target:
                found.append(Relation(relation.target, relation.source, kind))
    if len(found) != 1:
        raise AnnotationError(
            f"{where}: a relation {relation.type or 'without type'!r} cannot join {ends[0]} {relation.source!r} and "
            f"{ends[1]} {relation.target!r}; types are {', '.join(RELATIONS)}"
        )
    return found[0]
