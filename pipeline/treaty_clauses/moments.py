"""A moment or period read from a text, and how one is made."""

from dataclasses import dataclass
from datetime import date

from treaty_clauses.calendars import last_day
from treaty_clauses.numerals import scan_numeral

_PLAIN_DIGITS = str.maketrans("壹貳參叁叄肆伍陸柒捌玖拾元", "一二三三三四五六七八九十一")
# Days and months of the year in digits or Chinese, as parts of patterns.
ONES = "[一二三四五六七八九]"
_FORMAL_ONES = "[壹貳參叁叄肆伍陸柒捌玖]"  # as on checks and in contracts
_FORMAL_DAY = rf"[貳參叁叄]?拾{_FORMAL_ONES}?(?=日)|{_FORMAL_ONES}(?=日)"
_FORMAL_MONTH = rf"(?:拾[壹貳]?|{_FORMAL_ONES}|元)(?=月)"
DAY_NUMBER = rf"(?:3[01]|[12]\d|0?[1-9](?!\d)|三十一?|二十{ONES}?|廿{ONES}?|卅一?|十{ONES}?|{ONES}(?!十)|{_FORMAL_DAY})"
MONTH_NUMBER = rf"(?:1[0-2]|0?[1-9](?!\d)|十[一二]?|[一二三四五六七八九]|{_FORMAL_MONTH})"


@dataclass(frozen=True, slots=True)
class Moment:
    """A day or a period, from `first` to `last` inclusive; both None where its year cannot be known.

    `iso` is as exact as what was said: "2018", "2018-03", "2018-03-05", "--03-05". `year` and `month` are what a
    following partial date inherits.
    """

    end: int
    iso: str
    first: date | None = None
    last: date | None = None
    year: int | None = None
    month: int | None = None


def to_int(text: str) -> int:
    """Read a small whole number written in digits or in Chinese."""
    text = text.translate(_PLAIN_DIGITS)
    numeral = scan_numeral(text, 0)
    if numeral is None or numeral.end != len(text):
        raise ValueError(f"{text!r} is not a whole number")
    if numeral.high is not None:  # 八九年 said of a year, not of a span
        return int("".join(str(int(scan_numeral(char, 0).low)) for char in text))  # type: ignore[union-attr]
    return int(numeral.low)


def period(end: int, first: date, last: date, *, iso: str | None = None, year: int | None = None) -> Moment:
    """Make the moment of a period without a shorter ISO form of its own."""
    return Moment(end, iso or first.isoformat(), first, last, year or first.year, first.month)


def day_moment(end: int, day: date) -> Moment:
    """Make the moment of one day."""
    return Moment(end, day.isoformat(), day, day, day.year, day.month)


def months_of(end: int, year: int, first: int, last: int) -> Moment:
    """Make the period from one month to another; a month above 12 lies in the next year."""
    last_year, last_month = (year + 1, last - 12) if last > 12 else (year, last)
    return period(end, date(year, first, 1), last_day(last_year, last_month), year=year)
