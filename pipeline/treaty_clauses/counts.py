"""What the scorer counts. Counts add over articles; rates are derived from them, and `None` when undefined."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Self, TypeVar

from treaty_clauses.labels import ClauseType, Role

_Key = TypeVar("_Key")
_Value = TypeVar("_Value", int, "Tally")


@dataclass(frozen=True, slots=True)
class Tally:
    """Right, spurious and missed items of one figure."""

    tp: int = 0
    fp: int = 0
    fn: int = 0

    @classmethod
    def of(cls, right: int, *, gold: int, predicted: int) -> Self:
        """Return the tally of `right` items among `gold` expected and `predicted` given ones."""
        return cls(right, predicted - right, gold - right)

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.tp + other.tp, self.fp + other.fp, self.fn + other.fn)

    @property
    def precision(self) -> float | None:
        """Right items among the predicted; None when nothing was predicted."""
        return self.tp / (self.tp + self.fp) if self.tp + self.fp else None

    @property
    def recall(self) -> float | None:
        """Right items among the gold; None when there is no gold item."""
        return self.tp / (self.tp + self.fn) if self.tp + self.fn else None

    @property
    def f1(self) -> float | None:
        """Harmonic mean of precision and recall, 2tp / (2tp + fp + fn); None with no item on either side."""
        total = 2 * self.tp + self.fp + self.fn
        return 2 * self.tp / total if total else None


@dataclass(frozen=True, slots=True)
class Share:
    """How many of the items that could be judged are right."""

    right: int = 0
    total: int = 0

    def __add__(self, other: "Share") -> "Share":
        return Share(self.right + other.right, self.total + other.total)

    @property
    def accuracy(self) -> float | None:
        """Right items among the judged ones; None when there was nothing to judge."""
        return self.right / self.total if self.total else None


@dataclass(frozen=True, slots=True)
class Confusion:
    """How often a gold label met a predicted one over matched clause mentions; pairs that never met are absent."""

    pairs: Mapping[tuple[StrEnum, StrEnum], int] = field(default_factory=dict)

    @classmethod
    def of(cls, pairs: Iterable[tuple[StrEnum, StrEnum]]) -> Self:
        """Count pairs of (gold, predicted) labels."""
        counted: dict[tuple[StrEnum, StrEnum], int] = {}
        for pair in pairs:
            counted[pair] = counted.get(pair, 0) + 1
        return cls(counted)

    def __add__(self, other: "Confusion") -> "Confusion":
        return Confusion(_add_mappings(self.pairs, other.pairs, 0))

    @property
    def total(self) -> int:
        """Number of matched pairs."""
        return sum(self.pairs.values())

    @property
    def agreed(self) -> int:
        """Number of pairs with equal labels."""
        return sum(count for (gold, predicted), count in self.pairs.items() if gold == predicted)

    @property
    def share(self) -> Share:
        """Equal labels over matched pairs."""
        return Share(self.agreed, self.total)

    def count_label(self, label: StrEnum) -> int:
        """Return how often a label was given, by both sides together."""
        return sum(count * ((gold == label) + (predicted == label)) for (gold, predicted), count in self.pairs.items())

    @property
    def alpha(self) -> float | None:
        """Krippendorff's alpha for two coders, nominal data, nothing missing.

        1 - (n - 1) (n - sum of o_cc) / (n**2 - sum of n_c**2), with n values in all, o_cc of them in pairs that agree
        on c, and n_c of them equal to c (K. Krippendorff, Content Analysis, 3rd ed. 2013, section 12.3). None when no
        two values can differ: without pairs, or when a single label was ever given.
        """
        values = 2 * self.total
        labels = {label for pair in self.pairs for label in pair}
        expected = values**2 - sum(self.count_label(label) ** 2 for label in labels)
        return 1 - (values - 1) * (values - 2 * self.agreed) / expected if expected else None


@dataclass(frozen=True, slots=True)
class Counts:
    """All that guidelines section 9 counts, for one article or summed over several."""

    articles: int = 0
    articles_without_clause: int = 0  # in gold
    gold_clauses: int = 0  # clause records; a clause with three mentions is one
    predicted_clauses: int = 0
    clause: Tally = Tally()
    typed: Tally = Tally()
    strict: Tally = Tally()
    actor: Tally = Tally()
    term: Tally = Tally()
    role: Tally = Tally()
    condition: Tally = Tally()
    record: Tally = Tally()
    term_role: Share = Share()
    anchor: Share = Share()
    attribution: Share = Share()
    type_confusion: Confusion = Confusion()
    modality_confusion: Confusion = Confusion()
    status_confusion: Confusion = Confusion()
    types: Mapping[ClauseType, Tally] = field(default_factory=dict)  # typed clause mentions by type
    roles: Mapping[Role, Tally] = field(default_factory=dict)

    def __add__(self, other: "Counts") -> "Counts":
        merged: dict[str, object] = {}
        for name in (item.name for item in fields(self)):
            mine, theirs = getattr(self, name), getattr(other, name)
            merged[name] = _add_mappings(mine, theirs, Tally()) if isinstance(mine, Mapping) else mine + theirs
        return Counts(**merged)  # type: ignore[arg-type]

    @property
    def tallies(self) -> dict[str, Tally]:
        """The figures with precision, recall and F1, by name, in the order of tables."""
        names = ("record", "clause", "typed", "strict", "actor", "term", "role", "condition")
        return {name: getattr(self, name) for name in names}

    @property
    def shares(self) -> dict[str, Share]:
        """The accuracies, by name, in the order of tables."""
        return {
            "modality": self.modality_confusion.share,
            "status": self.status_confusion.share,
            "attribution": self.attribution,
            "term_role": self.term_role,
            "anchor": self.anchor,
        }

    @property
    def confusions(self) -> dict[str, Confusion]:
        """Gold against predicted labels over matched clause mentions, by what is labelled."""
        return {"type": self.type_confusion, "modality": self.modality_confusion, "status": self.status_confusion}


def sum_counts(counts: Iterable[Counts]) -> Counts:
    """Add counts up; without any, all are zero."""
    total = Counts()
    for item in counts:
        total += item
    return total


def iterate_tallies(counts: Counts) -> Iterator[tuple[str, Tally]]:
    """Yield every tally with its dotted name: `record`, ..., `type.ceasefire`, ..., `role.bearer`, ...

    All labels are yielded, also those that never occur, so that two corpora have the same names.
    """
    yield from counts.tallies.items()
    for clause_type in ClauseType:
        yield f"type.{clause_type}", counts.types.get(clause_type, Tally())
    for role in Role:
        yield f"role.{role}", counts.roles.get(role, Tally())


def _add_mappings(left: Mapping[_Key, _Value], right: Mapping[_Key, _Value], zero: _Value) -> dict[_Key, _Value]:
    return {key: left.get(key, zero) + right.get(key, zero) for key in {**left, **right}}
