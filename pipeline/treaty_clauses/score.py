"""The rules of guidelines section 9: two records of one article -> counts; pairs of records -> counts of a corpus.

What section 9 leaves open is settled here:

* Clause figures, modality, status and attribution count clause **mentions**: a gold clause with two asks for two.
* Role triples, conditions and records belong to clause **records**: each gold clause is aligned with the predicted one
  with which it shares most matched mentions, one to one (ties: characters shared, then equal labels).
* The link of an actor is its Wikidata id. Actors without one are clusters: a gold and a predicted cluster can be the
  same when they share an exact mention or have the same name, and they are aligned one to one (most shared mentions,
  then equal names, then equal kinds). One to one, so that lumping all unknown actors together, or giving each mention
  an actor of its own, earns nothing. A linked actor never equals an unlinked one.
* Role triples are those of section 4: bearer, counterparty, territory. A clause's own proposers (section 7) are counted
  in the table by role only.
* Terms, conditions, mentions of actors are counted as often as they are listed, so a duplicate is a false positive;
  roles, and the bearers and quantities of a record, are sets.
* A term is matched among terms with the same value, high, unit and comparator, whichever clause lists it (ties: aligned
  clauses, then equal role, then right anchor). An anchor is right when both sides have none or the two overlap.
* Named proposals are matched by the number of mentions that share at least one character, unnamed ones by the
  number of matched clause mentions; a named one never matches an unnamed one.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from treaty_clauses.canonical import ActorKey, ClauseView, RecordView, TermView
from treaty_clauses.counts import Confusion, Counts, Share, Tally, sum_counts
from treaty_clauses.errors import InputError
from treaty_clauses.labels import ClauseType, Role
from treaty_clauses.matching import Chars, Edge, count_overlap, match_best, match_spans
from treaty_clauses.types import ArticleRecord

MATCH_RULE = "clause mentions matched one to one with the greatest total overlap in characters, IoU >= 0.5"

# Guidelines section 4 names these three as the roles of a clause.
TRIPLE_ROLES = (Role.BEARER, Role.COUNTERPARTY, Role.TERRITORY)


@dataclass(frozen=True, slots=True)
class Scores:
    """The counts of each article of a corpus; sums are derived."""

    articles: tuple[Counts, ...]

    @property
    def total(self) -> Counts:
        """The counts of all articles together, from which micro-averages are derived."""
        return sum_counts(self.articles)


def score_corpus(pairs: Iterable[tuple[ArticleRecord, ArticleRecord]]) -> Scores:
    """Score each (gold, predicted) pair; the order of pairs doesn't matter.

    Raises:
        InputError: The two records of a pair are not of the same text.
    """
    return Scores(tuple(score_article(gold, predicted) for gold, predicted in pairs))


def score_article(gold: ArticleRecord, predicted: ArticleRecord) -> Counts:
    """Count what is right, spurious and missed in one article.

    Both arguments are of one type, so the same function compares two annotators; swapping them swaps false positives
    and false negatives.

    Raises:
        InputError: The two records are not of the same text.
    """
    if gold.article.sha256 != predicted.article.sha256:
        raise InputError(
            f"article {gold.article.id}: gold is of the text with SHA-256 {gold.article.sha256}, the prediction of "
            f"{predicted.article.sha256}; run the extractor on the very text that was annotated"
        )
    return Comparison.of(RecordView.of(gold), RecordView.of(predicted)).count()


@dataclass(frozen=True, slots=True)
class Comparison:
    """Gold and prediction of one article with all their alignments, as indexes into the views."""

    gold: RecordView
    predicted: RecordView
    links: Mapping[ActorKey, ActorKey]  # predicted unlinked cluster -> the gold cluster it is
    mention_pairs: list[Edge]  # into RecordView.mentions
    clause_pairs: list[Edge]
    proposal_pairs: list[Edge]

    @classmethod
    def of(cls, gold: RecordView, predicted: RecordView) -> Self:
        """Align from the bottom up: actors, clause mentions, clauses, proposals."""
        mention_pairs = match_spans(
            [chars for chars, _ in gold.mentions],
            [chars for chars, _ in predicted.mentions],
            agreement=lambda i, j: _count_equal_labels(
                gold.clauses[gold.mentions[i][1]], predicted.clauses[predicted.mentions[j][1]]
            ),
        )
        return cls(
            gold=gold,
            predicted=predicted,
            links=_align_clusters(gold, predicted),
            mention_pairs=mention_pairs,
            clause_pairs=_align_clauses(gold, predicted, mention_pairs),
            proposal_pairs=_align_proposals(gold, predicted, mention_pairs),
        )

    def count(self) -> Counts:
        """Return all counts of section 9."""
        gold, predicted = self.gold, self.predicted
        matched = [(gold.mentions[i], predicted.mentions[j]) for i, j in self.mention_pairs]
        exact = [chars_g == chars_p for (chars_g, _), (chars_p, _) in matched]
        pairs = [(gold.clauses[g], predicted.clauses[p]) for (_, g), (_, p) in matched]
        types = Confusion.of((g.type, p.type) for g, p in pairs)
        strict = sum(same and g.type == p.type for same, (g, p) in zip(exact, pairs, strict=True))
        same_proposal = sum((g.proposal, p.proposal) in self.proposal_pairs for g, p in pairs)
        sizes = {"gold": len(gold.mentions), "predicted": len(predicted.mentions)}
        roles = self._count_roles()
        term, term_role, anchor = self._count_terms()
        return Counts(
            articles=1,
            articles_without_clause=int(not gold.clauses),
            gold_clauses=len(gold.clauses),
            predicted_clauses=len(predicted.clauses),
            clause=Tally.of(len(pairs), **sizes),
            typed=Tally.of(types.agreed, **sizes),
            strict=Tally.of(strict, **sizes),
            actor=self._count_actors(),
            term=term,
            role=sum((roles[role] for role in TRIPLE_ROLES), Tally()),
            condition=self._count_conditions(),
            record=self._count_records(),
            term_role=term_role,
            anchor=anchor,
            attribution=Share(same_proposal, len(pairs)),
            type_confusion=types,
            modality_confusion=Confusion.of((g.modality, p.modality) for g, p in pairs),
            status_confusion=Confusion.of((g.status, p.status) for g, p in pairs),
            types=_count_types(gold, predicted, types),
            roles=roles,
        )

    def translate(self, keys: Iterable[ActorKey]) -> list[ActorKey]:
        """Express predicted actors in the gold's keys; a cluster without counterpart equals no gold actor."""
        return [key if key[0] not in ("", "?") else self.links.get(key, ("!", *key[1:])) for key in keys]

    def _count_actors(self) -> Tally:
        predicted_keys = self.translate(key for _, key in self.predicted.actors)
        gold_mentions = Counter(self.gold.actors)
        right = gold_mentions & Counter(
            (chars, key) for (chars, _), key in zip(self.predicted.actors, predicted_keys, strict=True)
        )
        return Tally.of(right.total(), gold=len(self.gold.actors), predicted=len(self.predicted.actors))

    def _count_roles(self) -> dict[Role, Tally]:
        tallies = {}
        for role in Role:
            gold = [clause.roles[role] for clause in self.gold.clauses]
            predicted = [frozenset(self.translate(clause.roles[role])) for clause in self.predicted.clauses]
            right = sum(len(gold[g] & predicted[p]) for g, p in self.clause_pairs)
            tallies[role] = Tally.of(right, gold=sum(map(len, gold)), predicted=sum(map(len, predicted)))
        return tallies

    def _count_terms(self) -> tuple[Tally, Share, Share]:
        gold = [(term, index) for index, clause in enumerate(self.gold.clauses) for term in clause.terms]
        predicted = [(term, index) for index, clause in enumerate(self.predicted.clauses) for term in clause.terms]
        aligned = set(self.clause_pairs)

        def rate(i: int, j: int) -> int:
            (term_g, clause_g), (term_p, clause_p) = gold[i], predicted[j]
            same_clause = (clause_g, clause_p) in aligned
            return 4 * same_clause + 2 * (term_g.role == term_p.role) + is_anchor_right(term_g, term_p)

        pairs = match_spans(
            [term.chars for term, _ in gold],
            [term.chars for term, _ in predicted],
            allowed=lambda i, j: gold[i][0].quantity == predicted[j][0].quantity,
            agreement=rate,
        )
        terms = [(gold[i][0], predicted[j][0]) for i, j in pairs]
        return (
            Tally.of(len(pairs), gold=len(gold), predicted=len(predicted)),
            Share(sum(g.role == p.role for g, p in terms), len(terms)),
            Share(sum(is_anchor_right(g, p) for g, p in terms), len(terms)),
        )

    def _count_conditions(self) -> Tally:
        right = sum(
            len(match_spans(self.gold.clauses[g].conditions, self.predicted.clauses[p].conditions))
            for g, p in self.clause_pairs
        )
        return Tally.of(
            right,
            gold=sum(len(clause.conditions) for clause in self.gold.clauses),
            predicted=sum(len(clause.conditions) for clause in self.predicted.clauses),
        )

    def _count_records(self) -> Tally:
        right = 0
        for index_g, index_p in self.clause_pairs:
            g, p = self.gold.clauses[index_g], self.predicted.clauses[index_p]
            right += (
                (g.proposal, p.proposal) in self.proposal_pairs
                and g.type == p.type
                and g.modality == p.modality
                and g.roles[Role.BEARER] == frozenset(self.translate(p.roles[Role.BEARER]))
                and {term.quantity for term in g.terms} == {term.quantity for term in p.terms}
            )
        return Tally.of(right, gold=len(self.gold.clauses), predicted=len(self.predicted.clauses))


def _count_types(gold: RecordView, predicted: RecordView, types: Confusion) -> dict[ClauseType, Tally]:
    expected = Counter(gold.clauses[index].type for _, index in gold.mentions)
    given = Counter(predicted.clauses[index].type for _, index in predicted.mentions)
    return {
        clause_type: Tally.of(
            types.pairs.get((clause_type, clause_type), 0), gold=expected[clause_type], predicted=given[clause_type]
        )
        for clause_type in ClauseType
        if expected[clause_type] or given[clause_type]
    }


def _count_equal_labels(gold: ClauseView, predicted: ClauseView) -> int:
    """Weigh equal labels, as a tie-breaker: the type before the modality before the status."""
    equal = (gold.type == predicted.type, gold.modality == predicted.modality, gold.status == predicted.status)
    return 4 * equal[0] + 2 * equal[1] + equal[2]


def is_anchor_right(gold: TermView, predicted: TermView) -> bool:
    """Both have no anchor, or the two overlap."""
    if gold.anchor is None or predicted.anchor is None:
        return gold.anchor is predicted.anchor
    return count_overlap(gold.anchor, predicted.anchor) > 0


def _align_clusters(gold: RecordView, predicted: RecordView) -> dict[ActorKey, ActorKey]:
    """Map each predicted unlinked cluster that has a gold counterpart to it, one to one."""
    clusters_g, clusters_p = _list_clusters(gold), _list_clusters(predicted)
    weights: dict[Edge, tuple[int, ...]] = {}
    for i, key_g in enumerate(clusters_g):
        for j, key_p in enumerate(clusters_p):
            shared = len(set(key_g[3]) & set(key_p[3]))
            if shared or key_g[1] == key_p[1]:
                weights[i, j] = (shared, int(key_g[1] == key_p[1]), int(key_g[2] == key_p[2]))
    return {clusters_p[j]: clusters_g[i] for i, j in match_best(weights)}


def _list_clusters(view: RecordView) -> list[ActorKey]:
    return sorted({key for _, key in view.actors if not key[0]})


def _align_clauses(gold: RecordView, predicted: RecordView, mention_pairs: list[Edge]) -> list[Edge]:
    """Align clause records by the mentions they share."""
    shared: Counter[Edge] = Counter()
    overlap: Counter[Edge] = Counter()
    for i, j in mention_pairs:
        (chars_g, g), (chars_p, p) = gold.mentions[i], predicted.mentions[j]
        shared[g, p] += 1
        overlap[g, p] += count_overlap(chars_g, chars_p)
    return match_best(
        {
            (g, p): (count, overlap[g, p], _count_equal_labels(gold.clauses[g], predicted.clauses[p]))
            for (g, p), count in shared.items()
        }
    )


def _align_proposals(gold: RecordView, predicted: RecordView, mention_pairs: list[Edge]) -> list[Edge]:
    """Match named proposals by overlapping mentions (ties: matched clause mentions), unnamed ones by the latter."""
    shared = Counter(
        (gold.clauses[gold.mentions[i][1]].proposal, predicted.clauses[predicted.mentions[j][1]].proposal)
        for i, j in mention_pairs
    )
    weights: dict[Edge, tuple[int, ...]] = {}
    for g, proposal_g in enumerate(gold.proposals):
        for p, proposal_p in enumerate(predicted.proposals):
            if proposal_g.name is None and proposal_p.name is None:
                weight = (shared[g, p], 0)
            elif proposal_g.name is not None and proposal_p.name is not None:
                weight = (_count_touching(proposal_g.mentions, proposal_p.mentions), shared[g, p])
            else:
                continue
            if weight[0]:
                weights[g, p] = weight
    return match_best(weights)


def _count_touching(gold: tuple[Chars, ...], predicted: tuple[Chars, ...]) -> int:
    """Count pairs of mentions that share a character, one to one."""
    return len(match_spans(gold, predicted, min_iou=(0, 1)))
