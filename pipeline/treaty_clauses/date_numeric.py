"""Dates in figures alone: 2025-11-20, 2025/11/20, 20251120, 114.10.22, 1141022, 2025/11, 03/07/2018, 10/21 as a day."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from treaty_clauses.calendars import ERAS, last_day, make_date, nearest_year_day
from treaty_clauses.moments import Moment, day_moment, period
from treaty_clauses.money import Context
from treaty_clauses.years import is_year

_ROC = ERAS["民國"]
_MONTH, _DAY = r"(?P<m>0?[1-9]|1[0-2])", r"(?P<d>0?[1-9]|[12]\d|3[01])"
_TWO_MONTH, _TWO_DAY = r"(?P<m>0[1-9]|1[0-2])", r"(?P<d>0[1-9]|[12]\d|3[01])"
_FROM_WORDS = re.compile(r"[於自從至到在~年月日-]$|截止$")


def _day(match: re.Match[str], context: Context) -> Moment | None:  # noqa: ARG001
    return _made(match, int(match["y"]), int(match["m"]), int(match["d"]))


def _roc_day(match: re.Match[str], context: Context) -> Moment | None:  # noqa: ARG001
    return _made(match, int(match["y"]) + _ROC, int(match["m"]), int(match["d"]))


def _year_last(match: re.Match[str], context: Context) -> Moment | None:
    first, second, year = int(match["a"]), int(match["b"]), int(match["y"])
    day_first = first > 12 or (context.bare_currency == "HKD" and second <= 12)  # Hong Kong writes the day first
    return _made(match, year, second, first) if day_first else _made(match, year, first, second)


def _fiscal(match: re.Match[str], context: Context) -> Moment | None:  # noqa: ARG001
    first = int(match["y"])
    if (first + 1) % 100 != int(match["z"]):
        return None
    return period(match.end(), date(first, 1, 1), date(first + 1, 12, 31))


def _month(match: re.Match[str], context: Context) -> Moment | None:  # noqa: ARG001
    year, month = int(match["y"]), int(match["m"])
    if not is_year(year):
        return None
    return Moment(match.end(), f"{year}-{month:02}", date(year, month, 1), last_day(year, month), year, month)


def _month_and_day(match: re.Match[str], context: Context) -> Moment | None:
    month, number = int(match["m"]), int(match["d"])
    text, end = match.string, match.end()
    if month == 1 and match[0] == text:
        return None  # 1/12 alone is a fraction
    if match.re is _IMPROPER and (month < number or context.reference is None):
        return None  # 3/4 is a fraction, 5/3 none that anyone writes
    return month_day(end + text.startswith(("日", "號"), end), None, month, number, context)


def _made(match: re.Match[str], year: int, month: int, number: int) -> Moment | None:
    day = make_date(year, month, number)
    return day_moment(match.end(), day) if day else None


def month_day(end: int, year: int | None, month: int, number: int, context: Context) -> Moment | None:
    """Make the moment of a day of a month; without its year, of the year nearest to the reference date."""
    if year is None and context.reference is None:
        valid = make_date(2000, month, number)
        return Moment(end, f"--{month:02}-{number:02}", None, None, None, month) if valid else None
    if year is None:
        assert context.reference is not None
        day = nearest_year_day(month, number, context.reference)
    else:
        day = make_date(year, month, number)
    return day_moment(end, day) if day else None


@dataclass(frozen=True, slots=True)
class NumericForm:
    """A way to write a date in figures: an example, its pattern, how the match is read, what must stand before it."""

    example: str
    pattern: re.Pattern[str]
    read: Callable[[re.Match[str], Context], Moment | None]
    before: re.Pattern[str] | None = None


_IMPROPER = re.compile(rf"(?<![\d/.]){_MONTH}/{_DAY}(?![\d/.%倍個萬億])")
_LOOKS_SO = re.compile(r"\d{1,4}[-/.]\d|\d{7}")  # saves trying all forms on every number
NUMERIC_FORMS = (
    NumericForm("2025-11-20", re.compile(rf"(?P<y>\d{{4}})(?P<sign>[-/.]){_MONTH}(?P=sign){_DAY}(?!\d)"), _day),
    NumericForm("114.10.22", re.compile(rf"(?P<y>1[0-2]\d)(?P<sign>[-/.]){_MONTH}(?P=sign){_DAY}(?![\d.%])"), _roc_day),
    NumericForm("20251120", re.compile(rf"(?P<y>19\d\d|20\d\d){_TWO_MONTH}{_TWO_DAY}(?!\d)"), _day),
    NumericForm("2019/20年度", re.compile(r"(?P<y>(?:19|20)\d\d)[/-](?P<z>\d\d)(?:財政|會計|學)?年度?(?!代)"), _fiscal),
    NumericForm("2025/11", re.compile(rf"(?P<y>\d{{4}})[/-]{_MONTH}(?![\d/.%萬億年月日至-])"), _month),
    NumericForm("03/07/2018", re.compile(r"(?P<a>\d{1,2})/(?P<b>\d{1,2})/(?P<y>\d{4})(?!\d)"), _year_last),
    NumericForm("1141022", re.compile(rf"(?P<y>1[0-4]\d){_TWO_MONTH}{_TWO_DAY}(?=\s*(?:$|\n|\)))"), _roc_day),
    NumericForm(
        "11/27前",
        re.compile(
            rf"{_MONTH}/{_DAY}(?=日|號| ?\((?:週|星期)?[一二三四五六日]\)|(?:[~-]|至|到)(?:1[0-2]|0?[1-9])/"
            r"|前(?!面|者)|後(?!面|者)|起|止|上午|下午|早上|晚|中午|凌晨)"
        ),
        _month_and_day,
    ),
    NumericForm("7/13", re.compile(rf"{_MONTH}/(?P<d>3[01]|[12]\d)(?=[^\d/.%的]|$)"), _month_and_day),
    NumericForm("5/9", re.compile(rf"{_MONTH}/{_DAY}(?![\d/.%])"), _month_and_day, _FROM_WORDS),
    NumericForm("5/3", _IMPROPER, _month_and_day),
)


def match_numeric(text: str, pos: int, context: Context) -> Moment | None:
    """Read a date in figures that begins at `pos`."""
    if not _LOOKS_SO.match(text, pos):
        return None
    for form in NUMERIC_FORMS:
        match = form.pattern.match(text, pos)
        if match and (form.before is None or form.before.search(text, max(0, pos - 2), pos)):
            return form.read(match, context)
    return None
