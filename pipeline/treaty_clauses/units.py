"""The one table of units and currencies (`data/units.tsv`, `data/currencies.tsv`) and longest-match word lists.

Unit codes are those of guidelines section 5, ISO 4217 for money and UCUM for the rest.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cache
from importlib.resources import files
from typing import Generic, TypeVar

T = TypeVar("T")


class Lexicon(Generic[T]):
    """Words with their meanings, looked up by the longest word at, or ending at, a place in a text."""

    def __init__(self, entries: Mapping[str, T]) -> None:
        self.entries = dict(entries)
        self._lengths = _lengths_by_char(self.entries, 0)
        self._lengths_before = _lengths_by_char(self.entries, -1)

    def match(self, text: str, pos: int) -> tuple[int, T] | None:
        """Return the end and the meaning of the longest word that begins at `pos`."""
        for length in self._lengths.get(text[pos : pos + 1], ()):
            value = self.entries.get(text[pos : pos + length])
            if value is not None and pos + length <= len(text):
                return pos + length, value
        return None

    def match_all(self, text: str, pos: int) -> Iterable[tuple[int, T]]:
        """Yield end and meaning of every word that begins at `pos`, the longest first."""
        for length in self._lengths.get(text[pos : pos + 1], ()):
            value = self.entries.get(text[pos : pos + length])
            if value is not None and pos + length <= len(text):
                yield pos + length, value

    def match_before(self, text: str, end: int) -> tuple[int, T] | None:
        """Return the start and the meaning of the longest word that ends at `end`."""
        if end <= 0:
            return None
        for length in self._lengths_before.get(text[end - 1], ()):
            value = self.entries.get(text[end - length : end]) if length <= end else None
            if value is not None:
                return end - length, value
        return None


def _lengths_by_char(words: Iterable[str], index: int) -> dict[str, tuple[int, ...]]:
    lengths: dict[str, set[int]] = {}
    for word in words:
        lengths.setdefault(word[index], set()).add(len(word))
    return {char: tuple(sorted(found, reverse=True)) for char, found in lengths.items()}


@dataclass(frozen=True, slots=True)
class Unit:
    """One meaning of a word after a numeral; a number with it is worth number x `factor` in `code`.

    `not_before` and `not_before_words` would make the word the beginning of another; for the flags see the table's header.
    """

    kind: str
    code: str | None
    factor: Fraction
    not_before: frozenset[str]
    flags: frozenset[str]
    not_before_words: tuple[str, ...] = ()

    def scale(self, value: Decimal) -> Decimal:
        """Convert a number said with this unit to the unit `code`."""
        if self.factor == 1:
            return value
        return value * self.factor.numerator / self.factor.denominator


@cache
def units() -> Lexicon[Unit]:
    """Return the table of units and measure words, each by its forms."""
    entries: dict[str, Unit] = {}
    for row in _rows("units.tsv"):
        kind, code, factor, forms, not_before, flags = [*row, "", ""][:6]
        chars, _, words = not_before.partition("~")
        unit = Unit(
            kind, code or None, Fraction(factor), frozenset(chars), frozenset(flags.split()), tuple(words.split())
        )
        for form in forms.split():
            entries[form.replace("_", " ")] = unit
    return Lexicon(entries)


@cache
def currencies() -> Lexicon[str]:
    """Return ISO 4217 codes by the words and signs that currencies are written with."""
    entries = {form.replace("_", " "): code for code, forms in _rows("currencies.tsv") for form in forms.split()}
    return Lexicon(entries)


def _rows(name: str) -> list[list[str]]:
    text = files("treaty_clauses").joinpath("data", name).read_text(encoding="utf-8")
    return [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]


def match_unit(text: str, pos: int) -> tuple[int, Unit] | None:
    """Find the longest unit of folded `text` at `pos` that is not the beginning of another word.

    >>> match_unit("3公里外", 1)[1].code, match_unit("一人民幣", 1)
    ('km', None)
    """
    for end, unit in units().match_all(text, pos):
        after = text[end : end + 1]
        if after and (
            after in unit.not_before or (unit.not_before_words and text.startswith(unit.not_before_words, end))
        ):
            continue
        if after.isalnum() and after.isascii() and text[end - 1].isascii():
            continue
        return end, unit
    return None
