"""The year that a passage is telling of: in 「2022年2月24日…，3月1日」 the second day is of 2022 too.

A month without a year continues the year said before it in the paragraph, unless the passage has turned to the present since,
or the day nearest to the reference date is so near that it is meant.
"""

import re
from dataclasses import dataclass, replace
from datetime import timedelta

from treaty_clauses.dates import DateMatch, match_date
from treaty_clauses.labels import Comparator
from treaty_clauses.moments import MONTH_NUMBER, to_int
from treaty_clauses.money import Context

_MONTH_FIRST = re.compile(rf"({MONTH_NUMBER}) ?月(?!初)")
_YEAR_SAID = re.compile(r"(?:[\d零〇一二三四五六七八九]{2,4}|[十百元廿卅])年|\d{4}[-/.]\d|[同該當翌次隔]年")
_PLANNED = re.compile(r"(?:將|擬|預計|預定|訂|定|可望|最快|最遲|最晚)[於在自從]?$")
_SAME_OR_NEXT = re.compile("[同該當翌次隔]年$")
_TO_PRESENT = frozenset("今昨明前後去本上下這大即週星禮年月歲")  # 今年, 昨日, 上週
# How far a year with its month reaches within the paragraph; a year alone reaches to the end of its sentence.
_REACH_CHARS = 150
_NEAR = timedelta(30)
_LATE, _EARLY = 11, 2  # after November and December, January and February are of the year after


@dataclass(frozen=True, slots=True)
class ToldYear:
    """A year that a text said before `end`, with its month if that was said."""

    year: int
    month: int | None
    end: int

    def year_of(self, month: int) -> int | None:
        """Return the year in which a later `month` lies; None where the passage does not tell."""
        if self.month is None or month >= self.month:
            return self.year
        return self.year + 1 if self.month >= _LATE and month <= _EARLY else None


def told_by(text: str, dated: DateMatch, told: ToldYear | None) -> ToldYear | None:
    """Return the year that the passage tells of after `dated`; `told` is that before it."""
    moment = dated.moment
    if moment.first is None or moment.last is None or moment.first.year != moment.last.year:
        return None if moment.first else told
    month = moment.first.month if moment.first.month == moment.last.month else None
    if _YEAR_SAID.search(text, dated.begin, dated.end):
        bound = month is None and dated.comparator is not Comparator.EQ  # 自2014年以來 tells of the time since
        return None if bound else ToldYear(moment.first.year, month, dated.end)
    if told and moment.first.year == told.year and _MONTH_FIRST.match(text, dated.begin):
        return ToldYear(told.year, month, dated.end)
    return None if text[dated.begin] in _TO_PRESENT else told


def place_in_told_year(
    text: str,
    dated: DateMatch,
    told: ToldYear,
    context: Context,
    contexts: dict[int, Context],
    *,
    clock: bool = False,
) -> DateMatch:
    """Read a month or day without a year again, as one of the year that the passage tells of.

    `contexts` keeps what `context` becomes for a year, so that a scan stays linear; for `clock` see `match_date`.
    """
    month = _MONTH_FIRST.match(text, dated.begin) if context.reference else None
    if month is None or context.reference is None or dated.first is None:
        return dated
    year = told.year_of(to_int(month[1]))
    if year is None or year == dated.first.year or not _reaches(text, told, dated.begin):
        return dated
    if abs(dated.first - context.reference) <= _NEAR or _PLANNED.search(text, max(0, dated.start - 6), dated.start):
        return dated
    if year not in contexts:  # from the middle of a year, its own days are the nearest
        contexts[year] = replace(context, reference=context.reference.replace(year=year, month=7, day=2))
    return match_date(text, dated.begin, contexts[year], clock=clock) or dated


def told_at_end(text: str, told: ToldYear | None) -> ToldYear | None:
    """Return the year told of where `text` ends and a term begins, its `end` counted from there."""
    if told is None or _PLANNED.search(text, max(0, len(text) - 6)):
        return None
    if said := _SAME_OR_NEXT.search(text, max(0, len(text) - 2)):
        return ToldYear(told.year + (said[0][0] in "翌次隔"), None, 0)
    return ToldYear(told.year, told.month, told.end - len(text))


def _reaches(text: str, told: ToldYear, pos: int) -> bool:
    between = text[told.end : pos] if pos - told.end <= _REACH_CHARS else "\n"
    return "\n" not in between and (told.month is not None or not any(mark in between for mark in "。！？"))
