"""Dates relative to the reference date: 昨日, 下週四, 本月底, 去年8月, 三天後, 未來五年."""

import re
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from treaty_clauses.calendars import ERAS, add_days, add_months, last_day, nearest, week_start
from treaty_clauses.date_parts import within_month, within_year
from treaty_clauses.moments import Moment, day_moment, months_of, period
from treaty_clauses.money import Context

_YEARS = {
    "大前": -3,
    "前": -2,
    "去": -1,
    "上": -1,
    "上一": -1,
    "下一": 1,
    "今": 0,
    "本": 0,
    "明": 1,
    "來": 1,
    "後": 2,
    "大後": 3,
}
_MONTHS = {
    "上上": -2,
    "前": -2,
    "上": -1,
    "上一": -1,
    "下一": 1,
    "本": 0,
    "這": 0,
    "這一": 0,
    "今": 0,
    "下": 1,
    "下下": 2,
}
_DAYS = {
    **{f"今{word}": 0 for word in ("天", "日", "晨", "早", "晚", "夜", "午")},
    **{f"昨{word}": -1 for word in ("天", "日", "晨", "早", "晚", "夜", "午")},
    **{f"明{word}": 1 for word in ("天", "日", "晨", "早", "晚", "午")},
    **{f"前{word}": -2 for word in ("天", "日", "晚")},
    **{f"後{word}": 2 for word in ("天", "日")},
    "大前天": -3,
    "大後天": 3,
    "即日": 0,
}
_YEAR = re.compile(
    r"(?P<word>大前|大後|上一|下一|上(?=年[底末])|前|去|今|本|明|來|後)(?:\((?P<number>\d{2,4})\))?年(?P<fiscal>度)?(?![級輕齡代])"
)
_SAME_YEAR = re.compile(r"(?P<word>同|該|當|翌|次|隔)年(?=\d{1,2}月|[一二三四五六七八九十]{1,2}月|年?底|年?初)")
_SEASON = re.compile(r"(?P<word>今|去|明|前|這個|這)(?P<season>[春夏秋冬])(?![節運聯遊耕播糧收種至令])(?:天|季)?")
_SEASON_MONTHS = {"春": (3, 5), "夏": (6, 8), "秋": (9, 11), "冬": (12, 14)}
_MONTH = re.compile(
    r"(?P<word>上上|下下|上一|下一|這一|上|下|這|本|今|前)(?P<piece>個)?(?:\((?P<number>\d{1,2})\))?月(?![球亮餅刊台薪費線])"
)
_DAY = re.compile(
    r"(?P<word>大前天|大後天|[今昨][天日晨早晚夜午]|明[天日晨早晚午]|前天|前晚|後天|即日)(?![報線后免媒體])"
    r"|(?P<formal>(?<![目之以此先年月天前生空跟眼日近])前日|(?<![之以此先年月天前生空背日])後日)(?![本軍方圓元韓美中俄系籍皇報內常])"
    r"|(?P<short>[今昨明])(?:天|日)?\((?P<number>\d{1,2})日?\)(?:日|天|晚|晨)?"
)
_TWO_DAYS = re.compile(r"今明(?:兩|二)?(?P<unit>天|日|年)|昨今兩[天日]|明後(?:兩)?[天日]")
_WEEK = re.compile(
    r"(?P<word>上上|下下|上一|下一|這一|上|下|這|本|當)?(?P<piece>個)?(?P<week>週|星期|禮拜)(?P<day>[一二三四五六日天末]|[1-7](?![\d日]))?"
)
_WEEKDAYS = {char: number for number, char in enumerate("一二三四五六日")} | {"天": 6}
_NOT_AFTER_WEEKDAY = "名位個架艘枚輛件項條種艇萬千百十億成次場架隻間家票席套"
# What says that a weekday is yet to come: 將於週五, 週五前.
_AHEAD_BEFORE = re.compile(r"(?:將|會|要|擬|打算|預[定計]|訂於|定於|可望|計[畫劃])[^，。]{0,4}$")
_AHEAD_AFTER = re.compile(r"[上下早晚中凌]?[午上]?(?:[之以]?前(?!往)|將|會(?![談議晤見面]))")
_TIME_OF_DAY = re.compile(r"[早上中下午傍晚夜間凌清晨深點時分半整許\d零一二三四五六七八九十:]*")
_WEEKEND_BEFORE = re.compile(r"(?:^|[在於到至從自趁])$")
_EVERY_WEEK = re.compile(r"每個?(?:週|星期|禮拜)[一二三四五六日天][至到、和及]$")  # 每週一至週五
_NOT_BEFORE_WEEK = "逢每一二兩三四五六七八九十0123456789數幾整單雙多"
_PERIOD = re.compile(r"(?P<word>上|本|這|下)(?:一|個|一個)?(?P<unit>季度|季(?!節)|半年(?!度報)|半月|年度)")
_EDGE = re.compile(
    r"(?P<unit>年|月|歲)(?P<edge>底(?!下)|初|終(?![獎尾聚慰紅評考回晚一二兩三四五六七八九十\d])|末(?!期))(?![一二三步期級])"
)
_MIDDLE = re.compile(
    r"(?:^|(?<=[於在到至從自今明去，。、；：的 ]))(?P<unit>年|月)中(?=$|[，。、；： 前起將即可時再已就才以之舉啟])"
)
_NEXT = re.compile(r"(?P<word>過去|最近|未來|今後|往後|接下來|近|前|後)(?:的)?(?P<this>這)?$")
_LATER = re.compile(
    r"(?:之|以)?(?P<side>前|後)(?![續來期半面方者往進線院鋒台勤代人果悔夕衛述提景途任總首副言例所瞻衝世盾備段輩])"
)


def match_relative(text: str, pos: int, context: Context, last_year: int | None = None) -> Moment | None:
    """Read a date word that counts from the reference date at `pos`; None without one, or without a reference date.

    `last_year` is the year last spoken of, which 同年3月 and 翌年初 mean.
    """
    if context.reference is None:
        return _unresolved(text, pos, context, last_year)
    reference = context.reference
    char = text[pos]
    if char in "同該當翌次隔":
        return _same_year(text, pos, context, last_year) or _week(text, pos, reference)
    if char in "年月歲":
        return _edge(text, pos, reference)
    if match := _TWO_DAYS.match(text, pos):
        return _two(match, reference)
    if (match := _DAY.match(text, pos)) and (moment := _day(match, reference)):
        return moment
    if match := _YEAR.match(text, pos):
        year = reference.year + _YEARS[match["word"]]
        if match["number"]:
            number = int(match["number"])
            year = number if number > 1000 else number + ERAS["民國"]
        return within_year(text, match.end(), year, context)
    if match := _SEASON.match(text, pos):
        year = reference.year + _YEARS.get(match["word"], 0)
        return months_of(match.end(), year, *_SEASON_MONTHS[match["season"]])
    if (match := _MONTH.match(text, pos)) and (match["piece"] or match["word"] not in ("這", "這一", "前")):
        month = add_months(reference.replace(day=1), _MONTHS[match["word"]])
        return within_month(text, match.end(), month.year, month.month, context) if month else None
    if match := _PERIOD.match(text, pos):
        return _period(match, reference)
    return _week(text, pos, reference)


def _unresolved(text: str, pos: int, context: Context, last_year: int | None) -> Moment | None:
    """Read a relative date that nothing resolves, so that its parts are not taken for dates of their own."""
    moment = match_relative(text, pos, replace(context, reference=date(2000, 1, 1)), last_year)
    return Moment(moment.end, "") if moment else None


def _day(match: re.Match[str], reference: date) -> Moment | None:
    if word := match["word"] or match["formal"]:
        day = add_days(reference, _DAYS[word])
        return day_moment(match.end(), day) if day else None
    number = int(match["number"])
    around = (add_days(reference, step + {"今": 0, "昨": -1, "明": 1}[match["short"]]) for step in (-2, -1, 0, 1, 2))
    day = nearest((day for day in around if day and day.day == number), reference)
    return day_moment(match.end(), day) if day else None


def _two(match: re.Match[str], reference: date) -> Moment | None:
    if match["unit"] == "年":
        return period(match.end(), date(reference.year, 1, 1), date(reference.year + 1, 12, 31))
    start = add_days(reference, {"今": 0, "昨": -1, "明": 1}[match[0][0]])
    end = add_days(start, 1) if start else None
    return period(match.end(), start, end) if start and end else None


def _same_year(text: str, pos: int, context: Context, last_year: int | None) -> Moment | None:
    match = _SAME_YEAR.match(text, pos)
    if match is None:
        return None
    moment = within_year(text, match.end(), (last_year or 2000) + (match["word"] in "翌次隔"), context)
    return Moment(moment.end, "") if moment and last_year is None else moment


def _edge(text: str, pos: int, reference: date) -> Moment | None:
    if middle := _MIDDLE.match(text, pos):
        if middle["unit"] == "年":
            return months_of(middle.end(), reference.year, 6, 7)
        return period(middle.end(), reference.replace(day=11), reference.replace(day=20))
    match = _EDGE.match(text, pos)
    if match is None:
        return None
    if match["unit"] in "年歲":
        if match["edge"] == "初":
            return months_of(match.end(), reference.year, 1, 1)
        return day_moment(match.end(), date(reference.year, 12, 31))
    if match["edge"] == "初":
        first = reference.replace(day=1)
        return period(match.end(), first, first.replace(day=10))
    return day_moment(match.end(), last_day(reference.year, reference.month)) if match["edge"] in "底末" else None


def _period(match: re.Match[str], reference: date) -> Moment | None:
    step = {"上": -1, "本": 0, "這": 0, "下": 1}[match["word"]]
    unit = match["unit"]
    if unit == "年度":
        return months_of(match.end(), reference.year + step, 1, 12)
    if unit == "半月":
        if match["word"] in "本這":
            return None
        first, last = reference.replace(day=1), last_day(reference.year, reference.month)
        middle = first.replace(day=15)
        return (
            period(match.end(), first, middle)
            if match["word"] == "上"
            else period(match.end(), first.replace(day=16), last)
        )
    if unit == "半年":  # 上半年: the first half, not the last one
        return None if match["word"] in "本這" else months_of(match.end(), reference.year, *_HALVES[match["word"]])
    quarter = reference.year * 4 + (reference.month - 1) // 3 + step
    year, number = divmod(quarter, 4)
    return months_of(match.end(), year, 3 * number + 1, 3 * number + 3)


_HALVES = {"上": (1, 6), "下": (7, 12)}


def _week(text: str, pos: int, reference: date) -> Moment | None:
    match = _WEEK.match(text, pos)
    if match is None:
        return None
    word, day, end = match["word"], match["day"], match.end()
    after = text[end : end + 1]
    if day and day not in "末天日" and after and after in _NOT_AFTER_WEEKDAY:  # 上週三名, 上週 一名
        day, end = None, match.start("day")
    elif day is None and after and after in "年刊邊遭期報轉全圍歲恩星":
        return None
    if word is None and day == "末":
        alone = end == len(text) or not text[end].isalnum() or text[end] in "將前起舉"
        if not (alone and _WEEKEND_BEFORE.search(text, max(0, pos - 1), pos)):
            return None
    elif word is None and (match["piece"] or day is None or (pos and text[pos - 1] in _NOT_BEFORE_WEEK)):
        return None
    weeks = 0 if word is None else {"上上": -2, "上": -1, "上一": -1, "下": 1, "下一": 1, "下下": 2}.get(word, 0)
    monday = week_start(reference, weeks)
    if day is None:
        return period(end, monday, monday + timedelta(6))
    if day == "末":
        return period(end, monday + timedelta(5), monday + timedelta(6))
    number = int(day) - 1 if day.isdigit() and day.isascii() else _WEEKDAYS[day]
    if word is None:
        if _EVERY_WEEK.search(text, max(0, pos - 7), pos):
            return None
        around = [monday + timedelta(number + 7 * step) for step in (-1, 0, 1)]
        if pos == 0 and _TIME_OF_DAY.fullmatch(text, end):
            return day_moment(end, around[1])  # nothing tells: the week of the reference
        if _AHEAD_BEFORE.search(text, max(0, pos - 8), pos) or _AHEAD_AFTER.match(text, end):
            around = [day for day in around if day >= reference]
        found = nearest(around, reference)
        return day_moment(end, found) if found else None
    return day_moment(end, monday + timedelta(number))


def step_date(reference: date, unit: str, amount: Decimal) -> date | None:
    """Step from a day by years, months, weeks or days; halves of years are months, of months 15 days."""
    if unit == "year":
        return add_months(reference, int(amount * 12))
    if unit == "month":
        stepped = add_months(reference, int(amount))
        days = int((amount - int(amount)) * 30)
        return add_days(stepped, days) if stepped else None
    if unit in ("week", "day"):
        limit = Decimal(10**6)
        if abs(amount) > limit:
            return None
        return add_days(reference, int(amount * (7 if unit == "week" else 1)))
    return None


def add_working_days(reference: date, unit: str, amount: Decimal) -> date | None:
    """Step from a day by days from Monday to Friday; public holidays are not known here."""
    weeks, rest = divmod(abs(int(amount)), 5)
    if unit != "day" or weeks > 10**5:
        return None
    sign = 1 if amount > 0 else -1
    day = add_days(reference, sign * 7 * weeks)
    while day and (rest or day.weekday() >= 5):
        day = add_days(day, sign)
        rest -= bool(day and rest and day.weekday() < 5)
    return day


def side_after(text: str, end: int) -> tuple[int, int] | None:
    """Read 前, 後, 之前, 以後 … after a span of time: where it ends, and -1 or 1."""
    match = _LATER.match(text, end)
    return (match.end(), -1 if match["side"] == "前" else 1) if match else None


def side_before(text: str, start: int) -> tuple[int, int] | None:
    """Read 過去, 未來, 最近 … before a span of time: where it begins, and -1 or 1. 近 alone compares."""
    match = _NEXT.search(text, max(0, start - 5), start)
    if match is None or match["word"] == "近":
        return None
    start, word = match.start(), match["word"]
    if word in ("前", "後") and start and text[start - 1] not in "，。、；:( 在於的\n":
        return None  # 開戰前三天 does not count from the reference
    return start, -1 if word in ("過去", "最近", "前") else 1
