"""A record as the scorer sees it: ids resolved, everything sorted by content.

Two records that differ only in ids or in the order of actors, proposals, clauses, mentions, terms or conditions have
equal views; that is why no score can depend on order. What doesn't count (texts, confidence, warnings) is left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Self

from treaty_clauses.labels import ClauseType, Comparator, Modality, Role, Status, TermRole
from treaty_clauses.matching import Chars
from treaty_clauses.types import Actor, ArticleRecord, Clause, Mention, Proposal, Term

ActorKey = tuple[str, str, str, tuple[Chars, ...]]
"""Identity of an actor inside one record: (Wikidata id, "", "", ()) if linked, ("", name, kind, mentions) if not, and
("?", id, "", ()) for an id that the record's actors lack, which never equals anything of another record."""

QuantityKey = tuple[Decimal | str, Decimal | str | None, str, Comparator]
"""Value, high, unit and comparator of a term; numbers as Decimal, so 600000 equals 600000.0 and "600000" neither."""


@dataclass(frozen=True, slots=True)
class TermView:
    """A term of one clause."""

    chars: Chars
    quantity: QuantityKey
    role: TermRole
    anchor: Chars | None


@dataclass(frozen=True, slots=True)
class ClauseView:
    """A clause record; `proposal` is an index into the view's proposals."""

    proposal: int
    type: ClauseType
    modality: Modality
    status: Status
    mentions: tuple[Chars, ...]
    roles: Mapping[Role, frozenset[ActorKey]]
    terms: tuple[TermView, ...]
    conditions: tuple[Chars, ...]


@dataclass(frozen=True, slots=True)
class ProposalView:
    """A proposal without its clauses."""

    name: str | None
    mentions: tuple[Chars, ...]


@dataclass(frozen=True, slots=True)
class RecordView:
    """One article's record, sorted by content.

    `mentions` lists every clause mention with the index of its clause; `actors` every actor mention with its actor.
    """

    actors: tuple[tuple[Chars, ActorKey], ...]
    proposals: tuple[ProposalView, ...]
    clauses: tuple[ClauseView, ...]
    mentions: tuple[tuple[Chars, int], ...]

    @classmethod
    def of(cls, record: ArticleRecord) -> Self:
        """Resolve ids to content and sort by it."""
        keys = {actor.id: _to_actor_key(actor) for actor in record.actors}
        actors = sorted((chars, keys[actor.id]) for actor in record.actors for chars in _sort_chars(actor.mentions))
        keyed_proposals = sorted(
            ((_proposal_sort_key(proposal, keys), proposal) for proposal in record.proposals), key=lambda item: item[0]
        )
        proposals: list[ProposalView] = []
        clauses: list[ClauseView] = []
        for index, (_, proposal) in enumerate(keyed_proposals):
            proposals.append(ProposalView(proposal.name, _sort_chars(proposal.mentions)))
            for clause in sorted(proposal.clauses, key=lambda clause: _clause_sort_key(clause, keys)):
                clauses.append(_view_clause(clause, index, keys))
        mentions = ((chars, index) for index, clause in enumerate(clauses) for chars in clause.mentions)
        return cls(tuple(actors), tuple(proposals), tuple(clauses), tuple(mentions))


def find_unlisted_actors(record: ArticleRecord) -> list[str]:
    """Return the actor ids that clauses use but the record's actors lack, sorted; the scorer takes each for wrong."""
    listed = {actor.id for actor in record.actors}
    clauses = (clause for proposal in record.proposals for clause in proposal.clauses)
    return sorted({actor_id for clause in clauses for role in Role for actor_id in getattr(clause, role)} - listed)


def to_quantity_key(term: Term) -> QuantityKey:
    """Return what section 9 compares of a term."""
    value = _to_exact(term.value)
    return value, None if term.high is None else _to_exact(term.high), term.unit, term.comparator


def _to_exact(value: int | float | str) -> Decimal | str:
    # repr gives the shortest decimal that reads back as the same float: 0.3 and not 0.299999999999999988...
    return value if isinstance(value, str) else Decimal(repr(value))


def _to_chars(mention: Mention) -> Chars:
    return mention.start, mention.end


def _sort_chars(mentions: tuple[Mention, ...]) -> tuple[Chars, ...]:
    return tuple(sorted(_to_chars(mention) for mention in mentions))


def _to_actor_key(actor: Actor) -> ActorKey:
    if actor.wikidata is not None:
        return actor.wikidata, "", "", ()
    return "", actor.name, actor.kind, _sort_chars(actor.mentions)


def _resolve(ids: tuple[str, ...], keys: Mapping[str, ActorKey]) -> frozenset[ActorKey]:
    return frozenset(keys.get(actor_id, ("?", actor_id, "", ())) for actor_id in ids)


def _view_clause(clause: Clause, proposal: int, keys: Mapping[str, ActorKey]) -> ClauseView:
    return ClauseView(
        proposal=proposal,
        type=clause.type,
        modality=clause.modality,
        status=clause.status,
        mentions=_sort_chars(clause.mentions),
        roles={role: _resolve(getattr(clause, role), keys) for role in Role},
        terms=tuple(_view_term(term) for term in sorted(clause.terms, key=_term_sort_key)),
        conditions=_sort_chars(clause.conditions),
    )


def _view_term(term: Term) -> TermView:
    anchor = None if term.anchor is None else _to_chars(term.anchor)
    return TermView((term.start, term.end), to_quantity_key(term), term.role, anchor)


def _term_sort_key(term: Term) -> tuple[object, ...]:
    anchor = () if term.anchor is None else _to_chars(term.anchor)
    # repr, since numbers and date strings don't compare; any fixed order of contents will do.
    return term.start, term.end, repr(term.value), repr(term.high), term.unit, term.comparator, term.role, anchor


def _clause_sort_key(clause: Clause, keys: Mapping[str, ActorKey]) -> tuple[object, ...]:
    roles = tuple(tuple(sorted(_resolve(getattr(clause, role), keys))) for role in Role)
    terms = tuple(sorted(_term_sort_key(term) for term in clause.terms))
    mentions, conditions = _sort_chars(clause.mentions), _sort_chars(clause.conditions)
    return mentions, clause.type, clause.modality, clause.status, roles, terms, conditions


def _proposal_sort_key(proposal: Proposal, keys: Mapping[str, ActorKey]) -> tuple[object, ...]:
    clauses = tuple(sorted(_clause_sort_key(clause, keys) for clause in proposal.clauses))
    proposers = tuple(sorted(_resolve(proposal.proposers, keys)))
    name = () if proposal.name is None else (proposal.name,)
    return _sort_chars(proposal.mentions), name, proposal.date or "", proposers, clauses
