"""What exactly went wrong: every difference between gold and prediction as one error of one kind.

The alignments are the scorer's, so counts of errors and the figures of guidelines section 9 speak of the same pairs. What
belongs to a clause (roles, terms' anchors, conditions, proposal) is judged only where the clause itself was found.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from treaty_clauses.canonical import ActorKey, QuantityKey, RecordView
from treaty_clauses.labels import Role
from treaty_clauses.matching import Chars, count_overlap, match_spans
from treaty_clauses.score import Comparison, is_anchor_right
from treaty_clauses.types import ArticleRecord

KINDS = {
    "clause missed": "a gold clause mention that no prediction touches",
    "clause spurious": "a predicted clause mention that no gold one touches",
    "clause cut otherwise": "gold and prediction touch but overlap too little to match: split, merged or shifted",
    "clause border": "matched, but the span is not exact",
    "type": "matched, another clause type",
    "modality": "matched, another modality",
    "status": "matched, another status",
    "proposal": "matched, under another proposal",
    "bearer": "of an aligned clause: an actor missing or too much",
    "counterparty": "of an aligned clause: an actor missing or too much",
    "territory": "of an aligned clause: an actor missing or too much",
    "proposers": "of an aligned clause: an actor missing or too much",
    "term missed": "a gold term that no predicted term overlaps",
    "term spurious": "a predicted term that no gold term overlaps",
    "term value": "the term was found, but read as another quantity",
    "term role": "the term is right, its role is not",
    "term anchor": "the term is right, its anchor is not",
    "condition missed": "of an aligned clause: a gold condition",
    "condition spurious": "of an aligned clause: a predicted condition",
    "actor missed": "a mention that no prediction touches",
    "actor spurious": "a predicted mention that no gold one touches",
    "actor border": "gold and prediction of a mention touch, but differ in span",
    "actor link": "the mention is exact, the actor is another",
}
"""Kinds of error in the order of reports, and what each is."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One error. `detail` says which labels or values were confused, alike for errors alike.

    `gold` and `predicted` are the spans to show, either may be missing; `note` is for this very place.
    """

    article: str
    kind: str
    detail: str
    gold: Chars | None
    predicted: Chars | None
    note: str = ""

    @property
    def start(self) -> int:
        """Where in the article it is."""
        return (self.gold or self.predicted or (0, 0))[0]


def find_mistakes(pairs: Iterable[tuple[ArticleRecord, ArticleRecord]]) -> list[Mistake]:
    """All errors of predicted records against gold, by article and place."""
    found = [mistake for gold, predicted in pairs for mistake in _Finder(gold, predicted).find()]
    order = {kind: number for number, kind in enumerate(KINDS)}
    return sorted(found, key=lambda m: (m.article, m.start, order[m.kind], m.detail, m.note))


def count_kinds(mistakes: Iterable[Mistake]) -> list[tuple[str, int, list[tuple[str, int]]]]:
    """Kinds by frequency: (kind, count, its details by frequency); ties in the order of `KINDS`."""
    details: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS}
    for mistake in mistakes:
        details[mistake.kind][mistake.detail] += 1
    rows = [
        (kind, counts.total(), sorted(counts.items(), key=lambda item: (-item[1], item[0])))
        for kind, counts in details.items()
        if counts
    ]
    return sorted(rows, key=lambda row: -row[1])


class _Finder:
    def __init__(self, gold: ArticleRecord, predicted: ArticleRecord) -> None:
        self.article = gold.article.id
        self.gold, self.predicted = RecordView.of(gold), RecordView.of(predicted)
        self.comparison = Comparison.of(self.gold, self.predicted)
        self.names = {
            actor.wikidata: actor.name for record in (predicted, gold) for actor in record.actors if actor.wikidata
        }

    def find(self) -> Iterator[Mistake]:
        yield from self._mentions()
        yield from self._matched()
        yield from self._aligned()
        yield from self._terms()
        yield from self._actors()

    def _mistake(self, kind: str, detail: str, gold: Chars | None, predicted: Chars | None, note: str = "") -> Mistake:
        return Mistake(self.article, kind, detail, gold, predicted, note)

    def _mentions(self) -> Iterator[Mistake]:
        gold, predicted = self.gold.mentions, self.predicted.mentions
        matched_g = {i for i, _ in self.comparison.mention_pairs}
        matched_p = {j for _, j in self.comparison.mention_pairs}
        for i, (chars, clause) in enumerate(gold):
            if i not in matched_g:
                touching = _most_touching(chars, [other for other, _ in predicted])
                kind = "clause missed" if touching is None else "clause cut otherwise"
                yield self._mistake(kind, str(self.gold.clauses[clause].type), chars, touching)
        for j, (chars, clause) in enumerate(predicted):
            if j not in matched_p and _most_touching(chars, [other for other, _ in gold]) is None:
                yield self._mistake("clause spurious", str(self.predicted.clauses[clause].type), None, chars)

    def _matched(self) -> Iterator[Mistake]:
        for i, j in self.comparison.mention_pairs:
            (chars_g, g), (chars_p, p) = self.gold.mentions[i], self.predicted.mentions[j]
            gold, predicted = self.gold.clauses[g], self.predicted.clauses[p]
            if chars_g != chars_p:
                yield self._mistake("clause border", _border(chars_g, chars_p), chars_g, chars_p)
            for kind in ("type", "modality", "status"):
                labels = getattr(gold, kind), getattr(predicted, kind)
                if labels[0] != labels[1]:
                    yield self._mistake(kind, f"{labels[0]} → {labels[1]}", chars_g, chars_p)
            if (gold.proposal, predicted.proposal) not in self.comparison.proposal_pairs:
                names = [
                    view.proposals[n].name
                    for view, n in ((self.gold, gold.proposal), (self.predicted, predicted.proposal))
                ]
                named = ["unnamed" if name is None else "named" for name in names]
                detail = "another named one" if named == ["named", "named"] else f"{named[0]} → {named[1]}"
                note = f"{names[0] or '(unnamed)'} → {names[1] or '(unnamed)'}"
                yield self._mistake("proposal", detail, chars_g, chars_p, note)

    def _aligned(self) -> Iterator[Mistake]:
        for g, p in self.comparison.clause_pairs:
            gold, predicted = self.gold.clauses[g], self.predicted.clauses[p]
            place = gold.mentions[0], predicted.mentions[0]
            for role in Role:
                right, given = gold.roles[role], frozenset(self.comparison.translate(predicted.roles[role]))
                for detail, keys in (("missing", right - given), ("too much", given - right)):
                    for name in sorted(map(self._name, keys)):
                        yield self._mistake(role.value, detail, *place, name)
            pairs = match_spans(gold.conditions, predicted.conditions)
            for kind, conditions, found in (
                ("missed", gold.conditions, {i for i, _ in pairs}),
                ("spurious", predicted.conditions, {j for _, j in pairs}),
            ):
                for index, chars in enumerate(conditions):
                    if index not in found:
                        shown = (chars, None) if kind == "missed" else (None, chars)
                        yield self._mistake(f"condition {kind}", "", *shown)

    def _terms(self) -> Iterator[Mistake]:
        gold = [term for clause in self.gold.clauses for term in clause.terms]
        predicted = [term for clause in self.predicted.clauses for term in clause.terms]
        rest_g, rest_p = list(range(len(gold))), list(range(len(predicted)))
        for equal in (True, False):  # right ones first, then those read otherwise
            pairs = match_spans(
                [gold[i].chars for i in rest_g],
                [predicted[j].chars for j in rest_p],
                allowed=lambda a, b, g=tuple(rest_g), p=tuple(rest_p), equal=equal: (  # type: ignore[misc]
                    not equal or gold[g[a]].quantity == predicted[p[b]].quantity
                ),
                agreement=lambda a, b, g=tuple(rest_g), p=tuple(rest_p): (  # type: ignore[misc]
                    2 * (gold[g[a]].role == predicted[p[b]].role) + is_anchor_right(gold[g[a]], predicted[p[b]])
                ),
            )
            matched = [(rest_g[a], rest_p[b]) for a, b in pairs]
            rest_g = [i for i in rest_g if i not in {a for a, _ in matched}]
            rest_p = [j for j in rest_p if j not in {b for _, b in matched}]
            for i, j in matched:
                one, other = gold[i], predicted[j]
                if not equal:
                    note = f"{_show_quantity(one.quantity)} → {_show_quantity(other.quantity)}"
                    yield self._mistake(
                        "term value", _differing(one.quantity, other.quantity), one.chars, other.chars, note
                    )
                    continue
                if one.role != other.role:
                    yield self._mistake("term role", f"{one.role} → {other.role}", one.chars, other.chars)
                if not is_anchor_right(one, other):
                    detail = "missed" if other.anchor is None else "spurious" if one.anchor is None else "another"
                    yield self._mistake("term anchor", detail, one.anchor or one.chars, other.anchor)
        yield from (self._mistake("term missed", str(gold[i].role), gold[i].chars, None) for i in rest_g)
        yield from (self._mistake("term spurious", str(predicted[j].role), None, predicted[j].chars) for j in rest_p)

    def _actors(self) -> Iterator[Mistake]:
        keys = self.comparison.translate(key for _, key in self.predicted.actors)
        given = Counter(zip((chars for chars, _ in self.predicted.actors), keys, strict=True))
        right = Counter(self.gold.actors)
        missed = sorted((right - given).elements())
        spurious = sorted((given - right).elements())
        for chars, key in list(missed):
            same = next((item for item in spurious if item[0] == chars), None)
            if same is not None:
                spurious.remove(same)
                missed.remove((chars, key))
                note = f"{self._name(key)} → {self._name(same[1])}"
                yield self._mistake("actor link", _link_change(key, same[1]), chars, chars, note)
        pairs = match_spans([chars for chars, _ in missed], [chars for chars, _ in spurious], min_iou=(0, 1))
        for i, j in pairs:
            chars_g, chars_p = missed[i][0], spurious[j][0]
            yield self._mistake("actor border", _border(chars_g, chars_p), chars_g, chars_p)
        for i, (chars, key) in enumerate(missed):
            if i not in {a for a, _ in pairs}:
                yield self._mistake("actor missed", "linked" if key[0] else "not linked", chars, None)
        for j, (chars, key) in enumerate(spurious):
            if j not in {b for _, b in pairs}:
                yield self._mistake(
                    "actor spurious", "linked" if key[0] not in ("", "!") else "not linked", None, chars
                )

    def _name(self, key: ActorKey) -> str:
        """A readable name; predicted clusters without a gold counterpart carry a mark in front ("!")."""
        return self.names.get(key[0], key[0]) if key[0] not in ("", "!", "?") else key[1]


def _most_touching(chars: Chars, others: Sequence[Chars]) -> Chars | None:
    best = max(others, key=lambda other: count_overlap(chars, other), default=None)
    return best if best is not None and count_overlap(chars, best) else None


def _border(gold: Chars, predicted: Chars) -> str:
    """Where a predicted span begins and ends against the gold one.

    >>> _border((3, 10), (1, 10)), _border((3, 10), (5, 12))
    ('begins too early', 'begins too late, ends too late')
    """
    begins = ["begins too early"] if predicted[0] < gold[0] else ["begins too late"] if predicted[0] > gold[0] else []
    ends = ["ends too early"] if predicted[1] < gold[1] else ["ends too late"] if predicted[1] > gold[1] else []
    return ", ".join(begins + ends)


def _differing(gold: QuantityKey, predicted: QuantityKey) -> str:
    """The parts in which two quantities differ; a comparator by its values."""
    names = ("value", "high", "unit")
    parts = [name for name, a, b in zip(names, gold[:3], predicted[:3], strict=True) if a != b]
    if gold[3] != predicted[3]:
        parts.append(f"comparator {gold[3]} → {predicted[3]}")
    return ", ".join(parts)


def _show_quantity(quantity: QuantityKey) -> str:
    value, high, unit, comparator = quantity
    return f"{comparator} {value}{'' if high is None else f'..{high}'} {unit}"


def _link_change(gold: ActorKey, predicted: ActorKey) -> str:
    if gold[0] and predicted[0] not in ("", "!"):
        return "another item"
    if gold[0]:
        return "item missing"
    return "item given, gold has none" if predicted[0] not in ("", "!") else "another unlinked actor"
