"""Dates said in full or in part: 2018年3月5日, 民國114年, 11月, 27日, 2020年初, 第三季.

`match_moment` reads one moment or period. What is not said comes from the moment before (3月5日至8日), else from the reference
date: the day, month or year nearest to it (guidelines section 5).
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta

from treaty_clauses.calendars import article_day, last_day, make_date, nearest_month
from treaty_clauses.date_numeric import match_numeric, month_day
from treaty_clauses.date_periods import LUNAR, lunar_moment, match_age, match_festival, match_lunar
from treaty_clauses.moments import DAY_NUMBER, MONTH_NUMBER, ONES, Moment, day_moment, months_of, period, to_int
from treaty_clauses.money import Context
from treaty_clauses.units import Lexicon
from treaty_clauses.years import match_year

_LAST_YEAR = 9000  # beyond it periods would run out of the calendar
# 日 and 號 that are no days of the month where no month stands before them (日本, 號碼).
_DAY_MARK = (
    r"(?:日(?!本(?![土案次報屆月季週院局地會校已將])|元(?![首旦件])|[圓常期益薪語光偽誌曬曆遊份晷])"
    r"|號(?!病房)(?![碼稱誌角召令子線店公機電樓院館風球颱艦艇艙提文決選候案議法廠井]))"
)
_MONTH = re.compile(rf"({MONTH_NUMBER}) ?月(?![餅球亮刊台薪嫂租費息])(?:份)?")
_DAY = re.compile(rf"({DAY_NUMBER}) ?{_DAY_MARK}")
_DAY_AFTER_MONTH = re.compile(rf"({DAY_NUMBER}) ?(?:日(?![本圓元](?!.{{0,2}}軍))|號)|(\d\d?)(?=\()")
# 12月25 without 日, at the end of a part of the sentence or before a bound.
_DAY_UNMARKED = re.compile(
    rf"(1\d|2\d|3[01]|[1-9](?!\d)|二十{ONES}?|三十一?|廿{ONES}?|十{ONES}?)(?=$|[\s，。、；：,;:)」至到~-]|[之以][前後]|前[，。 ]|起)(?!-\d|[,.]\d)"
)
# The first of several that share their 月 or 日: 10月15、16日, 3至5月.
_LISTED_DAY = re.compile(rf"({DAY_NUMBER})(?=(?:日?[、及和與~至到-]|-|—)(?:{DAY_NUMBER}[、])*{DAY_NUMBER}(?:日|號))")
_LISTED_MONTH = re.compile(rf"({MONTH_NUMBER})(?=[、及和與~至到—-]{MONTH_NUMBER}月)")
# What makes 30日 a span of thirty days, 六月 one of six months, and 一日 a day of the month.
_SPAN_AFTER = re.compile(r"[之以]?內(?!蒙)|[之以]?後|以上|以下|間(?!隔)|期(?:限|間)?|左右")
_SPAN_BEFORE = re.compile(
    r"(?:最長為|最長|期間為|未及|公告|公示|公開展覽|為期|長達|歷時|逾期|寬限|居留|停留|羈押|拘留|隔離|連續|持續|維持|延長|展延|每隔?|滿|逾|超過|近|約|至少|最多"
    r"|未滿|不到|共|達|多|少|前|後|限|僅|再)$"
)
_MONTHS_LONG = re.compile(r"以[上下內]|未滿|有期|徒刑")
_SENTENCED = re.compile(r"(?:徒刑|拘役|刑期)$")
_UPRISING = re.compile("革命|起義")  # 二月革命 is no month
_BEFORE_NUMBER_DAY = re.compile(r"(?:^|[\W在於是到至從自的定])$")
_AFTER_NUMBER_DAY = re.compile(r"$|[\W上下早晚中凌半前後起到至回去來離抵召將要在就才]")
_NUMBERED_BEFORE = re.compile(
    "(?:國道|省道|縣道|公路|航廈|月台|碼頭|倉庫|出口|法案|議案|提案|公投|決議|公報|機組|反應爐|病房|教室|選區|背號|門牌|專機"
    "|衛星|火箭|隧道|[路街巷弄段線艙座井館樓房店令橋])$"
)
_FIRST_OF_MONTH = re.compile(r"(?:^|[\W於在自從由至到定月年])$")


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a year or month: its first and last month or day (0 the last there is), and what must not follow it."""

    first: int
    last: int
    not_before: str = ""


_QUARTERS = {
    f"{mark}{number}{unit}": _Part(3 * quarter - 2, 3 * quarter)
    for quarter, numbers in enumerate(("1一", "2二", "3三", "4四"), start=1)
    for number in numbers
    for mark, unit in (("第", "季"), ("第", "季度"), ("", "季度"), ("Q", ""))
} | {"首季": _Part(1, 3), "末季": _Part(10, 12)}
_QUARTERS |= {
    f"前{number}{unit}": _Part(1, 3 * quarters)
    for quarters, numbers in ((2, "2二兩"), (3, "3三"))
    for number in numbers
    for unit in ("季", "季度", "個季度")
}
_YEAR_PARTS: Lexicon[_Part] = Lexicon(
    {
        **_QUARTERS,
        **{
            f"前{count}個月": _Part(1, to_int(count))
            for count in "1 2 3 4 5 6 7 8 9 10 11 一 二 兩 三 四 五 六 七 八 九 十 十一".split()
        },
        **{
            f"前{count}月": _Part(1, to_int(count))
            for count in "2 3 4 5 6 7 8 9 10 11 二 三 四 五 六 七 八 九 十 十一".split()
        },
        **{word: _Part(1, 6) for word in ("上半年", "前半年", "上半")},
        **{word: _Part(7, 12) for word in ("下半年", "後半年", "下半")},
        **{f"春{word}": _Part(3, 5) for word in "天季"},
        **{f"夏{word}": _Part(6, 8) for word in "天季"},
        **{f"秋{word}": _Part(9, 11) for word in "天季"},
        **{f"冬{word}": _Part(12, 14) for word in "天季"},  # months 13 and 14 lie in the next year
        "春": _Part(3, 5, "節耕運聯遊捲風酒暉雨鬥夏播種小"),
        "夏": _Part(6, 8, "令威曆季至糧收種"),
        "秋": _Part(9, 11, "鬥收節冬糧種播"),
        "冬": _Part(12, 14, "奧至令季小種"),
        "最後一天": _Part(0, 0),
        "最後一日": _Part(0, 0),
        "年中": _Part(6, 7, "無"),
        "年末": _Part(0, 0),
        "初": _Part(1, 1, "期步一二三級夏春秋冬"),
        "中": _Part(6, 7, "國央東共學華南西小美俄日韓旬的歐方立部心"),
        "中期": _Part(6, 7),
        "底": _Part(0, 0, "下薪部"),
        "末": _Part(0, 0, "期"),
        "終": _Part(0, 0),
        "年底": _Part(0, 0),
        "年初": _Part(1, 1),
    }
)
_MONTH_PARTS: Lexicon[_Part] = Lexicon(
    {
        "初": _Part(1, 10, "一二三步期級"),
        "上旬": _Part(1, 10),
        "中": _Part(11, 20, "國央東共學華南西美俄日韓方部歐的心間途立"),
        "中旬": _Part(11, 20),
        "下旬": _Part(21, 0),
        "最後一天": _Part(0, 0),
        "最後一日": _Part(0, 0),
        "第一天": _Part(1, 1),
        "上半月": _Part(1, 15),
        "上半": _Part(1, 15),
        "下半月": _Part(16, 0),
        "下半": _Part(16, 0),
        "底": _Part(0, 0, "下部薪"),
        "末": _Part(0, 0, "期"),
    }
)


_NUMERIC_REST = re.compile(r"(?P<sign>[./-])(?P<m>1[0-2]|0?[1-9])(?P=sign)(?P<d>3[01]|[12]\d|0?[1-9])(?!\d)")
_LAST_DAYS: Lexicon[_Part] = Lexicon({"最後一天": _Part(0, 0), "最後一日": _Part(0, 0), "第一天": _Part(1, 1)})
_NTH_WEEKDAY = re.compile(r"(?:第(?P<n>[1-5一二三四五])|最後一)個?(?:週|星期|禮拜)(?P<day>[一二三四五六日天])")
_NOT_FIRST_MONTHS = re.compile("[滿期選任職婚產戰賽考日事生死停開終截之以目先此年月效署票前眼空從史]")
_TODAY = re.compile("的?今[天日]")
_MANY_MONTHS = 4  # 前八個月 are the year's first; 前三個月 may be the last three


def match_moment(text: str, pos: int, context: Context, before: Moment | None = None) -> Moment | None:
    """Read the date or period that begins at `pos` with a figure, an era, a festival or 第, or return None.

    Args:
        text: Folded text.
        pos: Where it begins.
        context: The reference date.
        before: The moment that a partial date continues: the lower end of a range, or the item before in a list.
    """
    char = text[pos]
    if char.isascii() and (numeric := match_numeric(text, pos, context)):
        return numeric
    if (char in "農陰舊夏正臘" or "月初" in text[pos : pos + 4]) and (lunar := match_lunar(text, pos, context)):
        return lunar
    if age := match_age(text, pos, context):
        return age
    if year := match_year(text, pos, context):
        return within_year(text, year[0], year[1], context)
    if (month := _MONTH.match(text, pos) or _LISTED_MONTH.match(text, pos)) and not _MONTHS_LONG.match(
        text, month.end()
    ):
        if _UPRISING.match(text, month.end()):
            return Moment(month.end(), "")
        if _SENTENCED.search(text, max(0, pos - 2), pos):
            return None
        return within_month(text, month.end(), before.year if before else None, to_int(month[1]), context)
    if day := _DAY.match(text, pos) or _LISTED_DAY.match(text, pos):
        return None if _is_span(text, day, context, before) else _day_only(day.end(), to_int(day[1]), context, before)
    return _quarter_only(text, pos, context) or match_festival(text, pos, None, context)


def within_year(text: str, pos: int, year: int, context: Context) -> Moment | None:
    """Read what follows a year: month and day, a part of the year, a festival; or the year alone."""
    if not 1 <= year <= _LAST_YEAR:
        return Moment(pos, f"{year:05}" if year < 0 else f"{year:04}")
    if (
        (today := _TODAY.match(text, pos))
        and context.reference
        and (day := make_date(year, context.reference.month, context.reference.day))
    ):
        return day_moment(today.end(), day)
    if numeric := _NUMERIC_REST.match(text, pos):  # 民國105.11.7
        return month_day(numeric.end(), year, int(numeric["m"]), int(numeric["d"]), context)
    after = pos + (text[pos : pos + 1] in (" ", "的"))
    if month := _MONTH.match(text, after) or _LISTED_MONTH.match(text, after):
        return within_month(text, month.end(), year, to_int(month[1]), context)
    if festival := match_festival(text, after, year, context):
        return festival
    if part := _match_part(_YEAR_PARTS, text, after):
        return _year_part(part, year)
    if lunar := LUNAR.match(text, after):
        return lunar_moment(lunar, year)
    return Moment(pos, f"{year:04}", date(year, 1, 1), date(year, 12, 31), year)


def within_month(text: str, pos: int, year: int | None, month: int, context: Context) -> Moment | None:
    """Read what follows a month: a day, a third, beginning or end; or the month alone."""
    after = pos + (text[pos : pos + 1] in (" ", "的"))
    if weekday := _NTH_WEEKDAY.match(text, after):
        return _nth_weekday(weekday, year, month, context)
    if day := _DAY_AFTER_MONTH.match(text, after) or _LISTED_DAY.match(text, after) or _DAY_UNMARKED.match(text, pos):
        moment = month_day(day.end(), year, month, to_int(day[day.lastindex or 1]), context)
        return moment or (Moment(day.end(), "") if text[day.end() - 1] in "日號" else None)  # 6月31日
    if year is None and context.reference:
        year = nearest_month(month, context.reference)
    found = _match_part(_MONTH_PARTS, text, pos) or (_match_part(_LAST_DAYS, text, after) if after > pos else None)
    if year is None:
        return Moment(found[0] if found else pos, f"--{month:02}", None, None, None, month)
    if found is None:
        return Moment(pos, f"{year:04}-{month:02}", date(year, month, 1), last_day(year, month), year, month)
    end, part = found
    last = date(year, month, part.last) if part.last else last_day(year, month)
    return period(end, date(year, month, part.first), last) if part.first else day_moment(end, last)


def _nth_weekday(match: re.Match[str], year: int | None, month: int, context: Context) -> Moment | None:
    """Read 第二個週三, 最後一個星期日 of a month."""
    if year is None and context.reference:
        year = nearest_month(month, context.reference)
    if year is None:
        return Moment(match.end(), "")
    weekday = "一二三四五六日".index(match["day"].replace("天", "日"))
    first = date(year, month, 1)
    day = first + timedelta((weekday - first.weekday()) % 7)
    weeks = (last_day(year, month) - day).days // 7 if match["n"] is None else to_int(match["n"]) - 1
    day += timedelta(7 * weeks)
    return day_moment(match.end(), day) if day.month == month else None


def _match_part(parts: Lexicon[_Part], text: str, pos: int) -> tuple[int, _Part] | None:
    for end, part in parts.match_all(text, pos):
        if not (part.not_before and text[end : end + 1] in tuple(part.not_before)):
            return end, part
    return None


def _year_part(found: tuple[int, _Part], year: int) -> Moment:
    end, part = found
    return months_of(end, year, part.first, part.last) if part.first else day_moment(end, date(year, 12, 31))


def _quarter_only(text: str, pos: int, context: Context) -> Moment | None:
    """Read a quarter, or 前八個月, without its year: that of the reference date."""
    found = _match_part(_YEAR_PARTS, text, pos) if text[pos] in "第前首Q1234一二三四" else None
    if found is None:
        return None
    said = text[pos : found[0]]
    first_months = text[pos] == "前" and said.endswith("月")
    if first_months and _NOT_FIRST_MONTHS.search(text, max(0, pos - 1), pos):
        return None  # 期滿前六個月
    if said not in _QUARTERS and not (first_months and ("個" not in said or found[1].last >= _MANY_MONTHS)):
        return None
    return _year_part(found, context.reference.year) if context.reference else Moment(found[0], "")


def _is_span(text: str, day: re.Match[str], context: Context, before: Moment | None) -> bool:
    """Whether 30日 are thirty days: by the words around it."""
    start, end = day.span()
    if _SPAN_AFTER.match(text, end) or (before is None and _SPAN_BEFORE.search(text, max(0, start - 4), start)):
        return True
    if before is not None:
        return False
    if text[end - 1] == "號" and _NUMBERED_BEFORE.search(text, max(0, start - 3), start):
        return True  # 國道1號
    if text[end - 1] == "號" and not (_BEFORE_NUMBER_DAY.search(text, 0, start) or _AFTER_NUMBER_DAY.match(text, end)):
        return True  # 神舟十八號
    if day[1] == "一" and not _FIRST_OF_MONTH.search(text, max(0, start - 1), start):
        return True
    return context.reference is None and text.startswith("前", end)


def _day_only(end: int, number: int, context: Context, before: Moment | None) -> Moment | None:
    if before and before.month:
        if before.year is None:
            return Moment(end, f"--{before.month:02}-{number:02}", None, None, None, before.month)
        day = make_date(before.year, before.month, number)
    elif context.reference:
        day = article_day(number, context.reference)
    else:
        return Moment(end, f"---{number:02}")
    return day_moment(end, day) if day else None
