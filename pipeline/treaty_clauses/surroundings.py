"""What an article says around a term that the term's own span leaves out: the year of a day, the currency of a sum."""

import re
from collections.abc import Iterator
from datetime import date
from functools import cached_property

from treaty_clauses.folding import fold
from treaty_clauses.money import NO_CURRENCY
from treaty_clauses.quantities import QuantitySearch
from treaty_clauses.told_years import ToldYear, told_at_end

_PASSAGE_CHARS = 200
# Whose bare 元 is meant wherever the article says so; else it is the currency named last (1000億美元 … 300億元).
_OWN_DOLLAR = (
    ("TWD", re.compile(r"台幣|NT\$|行政院|立法院|立委")),
    ("HKD", re.compile(r"港元|港幣|HK\$|港府|特首|財委會")),
    ("CNY", re.compile(r"人民幣|RMB|萬億元")),
)
_BARE = re.compile(r"(?<![美歐港澳加日韓紐新])[元圓塊]")
_DOLLARS = frozenset("USD HKD TWD CNY JPY EUR KRW CAD AUD NZD SGD".split())  # 元 is short for these


class Surroundings:
    """Reads an article around its terms; offsets count code points of `text`."""

    def __init__(self, text: str, published: date | None) -> None:
        self._text = text
        self._published = published

    def told(self, start: int) -> ToldYear | None:
        """Return the year that the paragraph tells of before `start`.

        >>> Surroundings("條約2018年9月簽署，坦克須在10月10日前撤出", date(2025, 3, 18)).told(15).year
        2018
        """
        text = self._text
        passage = text[max(text.rfind("\n", 0, start) + 1, start - _PASSAGE_CHARS) : start]
        search = QuantitySearch(passage, self._published)
        for _ in search.run():
            pass
        return told_at_end(search.text, search.told)

    def currency(self, start: int, end: int) -> str | None:
        """Return the ISO 4217 code of a sum at [start, end) that says none or only 元, 盧比; None where nothing tells.

        >>> Surroundings("1000億美元用於重建，歐洲另出300億元", None).currency(15, 20)
        'USD'
        """
        for begin, finish, code in self._sums:
            if begin < end and finish > start:
                return code
        before = [code for _, finish, code in self._sums if finish <= start]
        named = before[-1] if before else next((code for _, _, code in self._sums), None)
        if _BARE.search(fold(self._text[start:end])):
            return self._own_dollar or (named if named in _DOLLARS else None)
        return named

    @cached_property
    def _own_dollar(self) -> str | None:
        folded = fold(self._text)
        return next((code for code, pattern in _OWN_DOLLAR if pattern.search(folded)), None)

    @cached_property
    def _sums(self) -> tuple[tuple[int, int, str], ...]:
        """Where the article says sums with their currency."""
        return tuple(self._find_sums())

    def _find_sums(self) -> Iterator[tuple[int, int, str]]:
        plain = QuantitySearch(self._text, None, NO_CURRENCY)  # a bare 元 or 盧比 is of no currency here
        said = {match.start: match.unit for match in plain.run() if match.kind == "money"}
        for match in QuantitySearch(self._text, None).run():
            if match.kind != "money" or match.unit in (None, NO_CURRENCY):
                continue
            bare = _BARE.search(fold(self._text[match.start : match.end]))
            if said.get(match.start) != NO_CURRENCY or not bare:
                yield match.start, match.end, str(match.unit)
