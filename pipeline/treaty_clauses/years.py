"""Years: 2018年, 二○一八年, 民國114年, 昭和20年, 西元前221年, 114年度, 九七年 - and spans of years that look like them."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from treaty_clauses.calendars import ERAS, ROC_FIRST_YEAR
from treaty_clauses.moments import MONTH_NUMBER, to_int
from treaty_clauses.money import Context
from treaty_clauses.numeral_signs import FORMAL
from treaty_clauses.numerals import scan_numeral

_CN = "零〇一二三四五六七八九"
_NOT_A_YEAR = r"(?![代級輕紀](?!末)|的?歷史|之久)"  # 90年代, 三年級, 2000年歷史
_FISCAL = r"(?P<fiscal>度(?!假))?"
_LINK = r" ?(?:至|到|~|-|—|、|和|及|與) ?"
_MONTH_OR_PART = re.compile(rf"{MONTH_NUMBER}月|[底初末]|上半年|下半年|第[1-4一二三四]季")
_SPAN = re.compile(r"[前後內來多之]|以[上內前後]|歷史|徒刑|期間?")
_YEAR_AFTER = re.compile(r"[至到~、及和與-]1[0-4]\d年")  # 110年至114年
_YEAR_BEFORE = re.compile(r"(?<!\d)1[0-4]\d年[至到~、及和與-]$")
_TOLD_BEFORE = re.compile(r"[從自於至在到迄(、]$")
_ROC = ERAS["民國"]
_FUTURE_ROC_YEARS = 30  # how far ahead of the reference a year of the Republic may lie
_ASSUMED_YEAR = 2025  # without a reference date; decides only which century 08年 is in
_PIVOT_YEARS = 10  # so many years ahead of the reference a year of two digits may lie


def _era(match: re.Match[str], text: str, context: Context) -> int | None:  # noqa: ARG001
    number = 1 if match["n"] == "元" else to_int(match["n"]) if _is_number(match["n"]) else None
    if number is None:
        return None
    if match["before"]:
        return (ROC_FIRST_YEAR if "民國" in match["era"] else 1) - number
    return ERAS[match["era"]] + number


def _full(match: re.Match[str], text: str, context: Context) -> int | None:  # noqa: ARG001
    year = to_int(match["n"])
    return year if is_year(year) else None


def _short(match: re.Match[str], text: str, context: Context) -> int | None:
    """Read a year of two or three digits: of the Republic (114年), or of the century (九七年, 08年); else a span of time."""
    written, end = match["n"], match.end()
    if not _is_number(written):
        return None
    number = to_int(written)
    dated = bool(_MONTH_OR_PART.match(text, end)) or bool(match["fiscal"])  # a month or a part of the year follows
    spans = bool(_SPAN.match(text, end))
    told = not spans and bool(_TOLD_BEFORE.search(text, max(0, match.start() - 2), match.start()))  # 於98年
    by_republic = context.counts_by_republic
    if number >= 100:
        told = (
            told
            or bool(_YEAR_AFTER.match(text, end))
            or bool(_YEAR_BEFORE.search(text, max(0, match.start() - 6), match.start()))
        )
        now = context.reference.year - _ROC if context.reference else _ASSUMED_YEAR - _ROC
        near = abs(number - now) <= _FUTURE_ROC_YEARS
        if (
            (dated and number <= now + _FUTURE_ROC_YEARS)
            or (by_republic and near and not spans)
            or (told and number < 150)
        ):
            return number + _ROC
        return None
    if match["fiscal"] or (by_republic and (dated or (told and number > 40))):
        return number + _ROC
    positional = len(written) == 2 and written[0] in _CN and written[1] in _CN
    if dated and not positional and not written.isascii():  # 九十八年五月
        return number + _ROC
    if len(written) != 2:
        return None
    said_in_pair = positional and _is_pair(written)  # 八九年: eight or nine years
    clipped = written[0] in "0零〇" or (positional and not said_in_pair)
    if not (clipped or dated):
        return None
    reference = context.reference.year if context.reference else _ASSUMED_YEAR
    return number + (2000 if number <= reference - 2000 + _PIVOT_YEARS else 1900)


@dataclass(frozen=True, slots=True)
class YearForm:
    """A way to write a year: an example, its pattern, and how the match is read (None: it is no year after all)."""

    example: str
    pattern: re.Pattern[str]
    read: Callable[[re.Match[str], str, Context], int | None]


YEAR_FORMS = (
    YearForm(
        "民國114年",
        re.compile(
            rf"(?P<era>{'|'.join(sorted(ERAS, key=len, reverse=True))}) ?(?P<before>前)? ?"
            rf"(?P<n>元|\d{{1,4}}|[{_CN}十百千兩廿卅]{{1,8}}) ?"
            r"(?:年(?![代級輕紀])度?|(?=[./-]\d)|(?=[、及和與至到~-]\d{1,3}年))"
        ),
        _era,
    ),
    YearForm(
        "2018年",
        re.compile(
            rf"(?P<n>\d{{4}}|[{_CN}{FORMAL}]{{4}}|[一二兩]千[零〇]?[一二三四五六七八九十]{{1,3}}) ?"
            rf"(?:年|財年|(?:會計|財政)年(?=度)){_NOT_A_YEAR}{_FISCAL}"
        ),
        _full,
    ),
    YearForm(
        "2018至2020年",
        re.compile(
            rf"(?P<n>1[89]\d\d|20\d\d|[一二][{_CN}]{{3}})"
            rf"(?=(?:{_LINK}\d{{4}}){{0,4}}{_LINK}(?:\d{{2}}|\d{{4}}|[{_CN}]{{4}})(?:年|期間|之間)|期間|之間|上半年|下半年|第[1-4一二三四]季|Q[1-4])"
        ),
        _full,
    ),
    YearForm(
        "2013-2014",
        re.compile(
            r"(?P<n>(?:19|20)\d\d)(?=[-~](?:19|20)\d\d(?![\w%.:/-]))"
            r"|(?<=(?:19|20)\d\d[-~])(?P<last>(?:19|20)\d\d)(?![\w%.:/-])"
        ),
        lambda match, text, context: int(match[0]),  # noqa: ARG005
    ),
    YearForm(
        "114年度", re.compile(rf"'?(?P<n>\d{{2,3}}|[{_CN}十百廿卅]{{2,5}})年(?![代級輕紀內餘多齡]){_FISCAL}"), _short
    ),
)


def is_year(year: int) -> bool:
    """Whether a bare number of four digits can be a year."""
    return 1000 <= year <= 2999


def match_year(text: str, pos: int, context: Context) -> tuple[int, int] | None:
    """Read a year at `pos`: its end, and the year of our era (0 is 1 BC, as ISO 8601 counts)."""
    for form in YEAR_FORMS:
        match = form.pattern.match(text, pos)
        if match and (year := form.read(match, text, context)) is not None:
            return match.end(), year
    return None


def _is_number(text: str) -> bool:
    numeral = scan_numeral(text, 0)
    return numeral is not None and numeral.end == len(text)


def _is_pair(text: str) -> bool:
    numeral = scan_numeral(text, 0)
    return numeral is not None and numeral.high is not None
