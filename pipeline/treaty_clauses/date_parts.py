"""Dates said in full or in part: 2018年3月5日, 民國114年, 11月, 27日, 2020年初, 第三季, 90年代, 農曆八月十五.

`match_moment` reads one moment or period. What is not said comes from the moment before (3月5日至8日), else from the reference
date: the day, month or year nearest to it (guidelines section 5).
"""

import re
from dataclasses import dataclass
from datetime import date

from treaty_clauses.calendars import (
    ERAS,
    ROC_FIRST_YEAR,
    article_day,
    last_day,
    lunar_date,
    make_date,
    nearest,
    nearest_month,
    nearest_year_day,
)
from treaty_clauses.festivals import NAMES, festival_date, fixed_day
from treaty_clauses.money import Context
from treaty_clauses.numerals import scan_numeral
from treaty_clauses.units import Lexicon


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


_LAST_YEAR = 9000  # beyond it periods would run out of the calendar
_DAY_NUMBER = r"(?:3[01]|[12]\d|0?[1-9](?!\d)|三十一?|二十[一二三四五六七八九]?|廿[一二三四五六七八九]?|卅一?|十[一二三四五六七八九]?|[一二三四五六七八九](?!十))"
_MONTH_NUMBER = r"(?:1[0-2]|0?[1-9](?!\d)|十[一二]?|[一二三四五六七八九])"
# Words that a 日 or 號 begins without being a day of the month; after a month they are days all the same (3月5日報).
DAY_MARK = r"(?:日(?!本(?![土案次報屆月季週院局地會校已將])|元(?![首旦件])|[圓常期益薪語光偽誌曬曆遊份晷])|號(?![碼稱誌角召令子線店公機電樓院館風球颱艦艇艙提文決選候案議法廠井])|号)"
_ERA = re.compile(rf"({'|'.join(sorted(ERAS, key=len, reverse=True))}) ?(前)? ?(元|\d{{1,4}}|[零〇一二三四五六七八九十百千兩廿卅]{{1,8}}) ?(年(?![代級輕紀])|(?=[./-]\d))")
_YEAR = re.compile(r"(\d{4}|[零〇一二三四五六七八九]{4}|[一二]千(?:零|〇)?[一二三四五六七八九十]{1,3}|兩千(?:零|〇)?[一二三四五六七八九十]{1,3}) ?年(?![代級輕紀](?!末))(?:度(?!假))?")
_SHORT_YEAR = re.compile(r"'?(\d{2,3}|[零〇一二三四五六七八九十百廿卅]{2,5})年(?![代級輕紀來內餘多齡])(?P<fiscal>度(?!假))?")
_MONTH = re.compile(rf"({_MONTH_NUMBER}) ?月(?![餅球亮刊台薪嫂租費息])(?:份)?")
_DAY = re.compile(rf"({_DAY_NUMBER}) ?{DAY_MARK}")
_LISTED_DAY = re.compile(rf"({_DAY_NUMBER})(?=(?:日?[、及和與~至到-]|-|—)(?:{_DAY_NUMBER}[、])*{_DAY_NUMBER}(?:日|號))")
_LISTED_MONTH = re.compile(rf"({_MONTH_NUMBER})(?=[、及和與~至到-]{_MONTH_NUMBER}月)")
_LISTED_YEAR = re.compile(r"(1[89]\d\d|20\d\d|[一二][零〇一二三四五六七八九]{3})(?= ?(?:至|到|~|-|—|、|和|及|與) ?(?:\d{2}|\d{4}|[零〇一二三四五六七八九]{4})(?:年|期間|之間)|期間|之間|上半年|下半年|第[1-4一二三四]季|Q[1-4])")
# What makes 30日 a span of thirty days.
_SPAN_AFTER = re.compile(r"[之以]?內(?!蒙)|[之以]?後|以上|以下|間(?!隔)|期(?:限|間)?|左右")
_DATED = re.compile(r"(?:^|[\W於在自從由至到定月年])$")
_MONTHS_LONG = re.compile(r"以[上下內]|未滿|有期|徒刑")
_SPAN_BEFORE = re.compile(r"(?:最長為|最長|期間為|未及|公告|公示|公開展覽|為期|長達|歷時|連續|持續|維持|延長|展延|每隔?|滿|逾|超過|近|約|至少|最多|未滿|不到|共|達|多|少|前|後|限|僅|再)$")
_NUMERIC = re.compile(
    r"(?P<y>\d{4})(?P<s>[-/.])(?P<m>\d{1,2})(?P=s)(?P<d>\d{1,2})(?!\d)"
    r"|(?P<ry>1[0-2]\d)(?P<rs>[-/.])(?P<rm>0?[1-9]|1[0-2])(?P=rs)(?P<rd>[0-2]?\d|3[01])(?![\d.%])"
    r"|(?P<y8>19\d\d|20\d\d)(?P<m8>0[1-9]|1[0-2])(?P<d8>0[1-9]|[12]\d|3[01])(?!\d)"
    r"|(?P<my>\d{4})[/-](?P<mm>0?[1-9]|1[0-2])(?![\d/.%萬億年月日至-])"
    r"|(?P<am>\d{1,2})/(?P<ad>\d{1,2})/(?P<ay>\d{4})(?!\d)"
)
_ROC_STAMP = re.compile(r"(1[0-4]\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?=\s*(?:$|\n|[)）]))")
_SLASHED = re.compile(r"(1[0-2]|0?[1-9])/(?:(3[01]|[12]\d|0?[1-9])(?=日|號| ?\((?:週|星期)?[一二三四五六日]\)|(?:[~-]|至|到)(?:1[0-2]|0?[1-9])/|前(?!面|者)|後(?!面|者)|起|止|上午|下午|早上|晚|中午|凌晨)|(3[01]|[12]\d)(?=[^\d/.%的]|$))")
# Before these, 5/9 is a day rather than a fraction.
_SLASHED_AFTER = re.compile(r"[於自從至到在～~年月日]$|截止$")
_ANY_SLASHED = re.compile(r"(1[0-2]|0?[1-9])/(3[01]|[12]\d|0?[1-9])(?![\d/.%])")
_LUNAR = re.compile(
    rf"(?:農曆|陰曆|舊曆|夏曆)(?P<y>\d{{4}}年)?(?P<leap>閏)?(?P<m>正|臘|冬|{_MONTH_NUMBER})月(?P<d>初[一二三四五六七八九十]|{_DAY_NUMBER})?[日號]?"
    r"|(?P<m2>正|臘)月(?P<d2>初[一二三四五六七八九十]|[十廿二三][一二三四五六七八九十]{1,2}|十)[日號]?"
)
_LUNAR_MONTHS = {"正": 1, "冬": 11, "臘": 12}
_YEAR_PART = re.compile(
    r"年?(?P<half>上半年|前半年|下半年|後半年|上半|下半)"
    r"|年?的?(?:第(?P<quarter>[1-4一二三四])(?:季度|季)|(?P<first_quarter>首季)|(?P<last_quarter>末季)|Q(?P<q>[1-4])|(?P<bare_quarter>[一二三四1-4])季度)"
    r"|年?前(?P<quarters>[二兩三23])(?:個季度|季度?)|年?前(?P<months>\d{1,2}|[一二三四五六七八九十]{1,2}|兩)個?月"
    r"|年?的?(?P<season>春|夏|秋|冬)(?:天|季(?!票))"
    r"|年?(?P<edge>初(?!期|步|一|二|三|級|夏|春|秋|冬)|底(?!下|薪|部)|末(?!期)|終|中期|中旬|中(?![國央東共學華南西小美俄日韓旬的歐方立部心]))"
)
_SEASONS = {"春": (3, 5), "夏": (6, 8), "秋": (9, 11), "冬": (12, 14)}
_MONTH_PART = re.compile(r"(?P<part>上旬|中旬|下旬|初(?![一二三步期級])|底(?![下部薪])|末(?!期)|中(?![國央東共學華南西美俄日韓方部歐的心間途立])|上半月|下半月|上半|下半)")
_DECADE = re.compile(r"(?:(?P<century>\d{1,2}|[一二]?十[一二三四五六七八九]?)世紀|(?P<last>上個?世紀|本世紀))?的?(?P<years>\d{4}|[零〇一二三四五六七八九]{4}|\d{2}|[零〇一二三四五六七八九]{2}|[一二三四五六七八九]十)年代(?P<part>初期?|中期|末期?|後期)?")
_CENTURY = re.compile(r"(?:西元|公元)?(?P<n>\d{1,2}|[一二]?十[一二三四五六七八九]?|[一二三四五六七八九])世紀(?P<part>初|末|中葉|上半葉|下半葉)?|(?P<rel>本世紀|上個?世紀|下個?世紀)(?P<rpart>初|末|中葉|上半葉|下半葉)?")
_FESTIVALS = Lexicon(dict.fromkeys(NAMES, True))
_YEAR_BEFORE = re.compile(r"[從自於至在到迄(、]$")


def to_int(text: str) -> int:
    """Read a small whole number written in digits or in Chinese."""
    numeral = scan_numeral(text, 0)
    if numeral is None or numeral.end != len(text):
        raise ValueError(f"{text!r} is not a whole number")
    if numeral.high is not None:  # 八九年 said of a year, not of a span
        return int("".join(str(int(scan_numeral(char, 0).low)) for char in text))  # type: ignore[union-attr]
    return int(numeral.low)


def match_moment(text: str, pos: int, context: Context, before: Moment | None = None) -> Moment | None:
    """Read the date or period that begins at `pos` with a digit, an era, a festival or 第, or return None.

    Args:
        text: Folded text.
        pos: Where it begins.
        context: The reference date.
        before: The moment that a partial date continues: the lower end of a range, or the year just spoken of.
    """
    char = text[pos]
    if char.isdigit() and char.isascii() and (numeric := _numeric(text, pos, context)):
        return numeric
    if char in "農陰舊夏正臘" and (lunar := _lunar(text, pos, context)):
        return lunar
    if decade := _match_decade(text, pos, context):
        return decade
    if year := _match_year(text, pos, context):
        return within_year(text, year[0], year[1], context)
    month = _MONTH.match(text, pos) or _LISTED_MONTH.match(text, pos)
    if month and not _MONTHS_LONG.match(text, month.end()):
        number = to_int(month[1])
        if not 1 <= number <= 12:
            return None
        return within_month(text, month.end(), before.year if before else None, number, context)
    day = _DAY.match(text, pos) or _LISTED_DAY.match(text, pos)
    if day:
        spans = _SPAN_AFTER.match(text, day.end()) or (_SPAN_BEFORE.search(text, max(0, pos - 4), pos) and not before)
        if day[1] == "一" and before is None and not _DATED.search(text, max(0, pos - 1), pos):
            return None  # 一日 is one day, unless a clause begins with it
        if context.reference is None and before is None and text.startswith("前", day.end()):
            return None
        return None if spans else _day_only(day.end(), to_int(day[1]), context, before)
    if quarter := _quarter_only(text, pos, context):
        return quarter
    return match_festival(text, pos, None, context)


def period(end: int, first: date, last: date, *, iso: str | None = None, year: int | None = None) -> Moment:
    """Make the moment of a period without a shorter ISO form of its own."""
    return Moment(end, iso or first.isoformat(), first, last, year or first.year, first.month)


def day_moment(end: int, day: date) -> Moment:
    """Make the moment of one day."""
    return Moment(end, day.isoformat(), day, day, day.year, day.month)


def _numeric(text: str, pos: int, context: Context) -> Moment | None:
    match = _NUMERIC.match(text, pos)
    if match is None:
        stamp = _ROC_STAMP.match(text, pos)
        if stamp and (day := make_date(int(stamp[1]) + ERAS["民國"], int(stamp[2]), int(stamp[3]))):
            return day_moment(stamp.end(), day)
        slashed = _SLASHED.match(text, pos)
        if slashed is None and _SLASHED_AFTER.search(text, max(0, pos - 2), pos):
            slashed = _ANY_SLASHED.match(text, pos)
        if slashed is None or (slashed[1] == "1" and slashed[0] == text):  # 1/12 alone is a fraction
            return None
        end = slashed.end() + (text[slashed.end() : slashed.end() + 1] in ("日", "號"))
        return _month_day(end, None, int(slashed[1]), int(slashed[slashed.lastindex or 2]), context)
    if match["my"]:
        year, month = int(match["my"]), int(match["mm"])
        if not _is_year(year):
            return None
        return Moment(match.end(), f"{year}-{month:02}", date(year, month, 1), last_day(year, month), year, month)
    if match["ry"]:
        parts = int(match["ry"]) + ERAS["民國"], int(match["rm"]), int(match["rd"])
    elif match["y8"]:
        parts = int(match["y8"]), int(match["m8"]), int(match["d8"])
    elif match["ay"]:
        month, number = int(match["am"]), int(match["ad"])
        day_first = month > 12 or (context.bare_currency == "HKD" and number <= 12)
        parts = (int(match["ay"]), number, month) if day_first else (int(match["ay"]), month, number)
    else:
        parts = int(match["y"]), int(match["m"]), int(match["d"])
    day = make_date(*parts)
    return day_moment(match.end(), day) if day else None


def _is_year(year: int) -> bool:
    return 1000 <= year <= 2999


def _match_year(text: str, pos: int, context: Context) -> tuple[int, int] | None:
    """Read a year at `pos`: the end, and the year of our era (1 minus the year before it, as ISO 8601 counts)."""
    match = _ERA.match(text, pos)
    if match:
        number = 1 if match[3] == "元" else to_int(match[3]) if _is_number(match[3]) else None
        if number is None:
            return None
        if match[2]:
            return match.end(), (ROC_FIRST_YEAR if "民國" in match[1] else 1) - number
        return match.end(), ERAS[match[1]] + number
    match = _YEAR.match(text, pos)
    if match:
        year = to_int(match[1])
        return (match.end(), year) if _is_year(year) else None
    match = _LISTED_YEAR.match(text, pos)
    if match:
        return match.end(), to_int(match[1])
    match = _SHORT_YEAR.match(text, pos)
    if match and _is_number(match[1]):
        year_of = _short_year(text, match, context)
        number = to_int(match[1])
        told = _YEAR_BEFORE.search(text, max(0, pos - 2), pos) and not _is_span(text, match.end())
        if year_of is None and told and (100 <= number < 150 or (40 < number < 100 and context.counts_by_republic)):
            year_of = to_int(match[1]) + ERAS["民國"]  # 從107年以來
        return (match.end(), year_of) if year_of else None
    return None


def _is_number(text: str) -> bool:
    numeral = scan_numeral(text, 0)
    return numeral is not None and numeral.end == len(text)


def _short_year(text: str, match: re.Match[str], context: Context) -> int | None:
    """Read a year of two or three digits: of the Republic (114年), or of the century (九七年, 08年); else a span of time."""
    written, end = match[1], match.end()
    number = to_int(written)
    follows = bool(_MONTH.match(text, end)) or bool(re.match(r"[底初末]|上半年|下半年|第[1-4一二三四]季", text[end : end + 4]))
    roc_now = context.reference.year - ERAS["民國"] if context.reference else 110
    evidence = bool(match["fiscal"]) or context.counts_by_republic
    if number >= 100:
        if number <= roc_now + 30 and (follows or (evidence and abs(number - roc_now) <= 30 and not _is_span(text, end))):
            return number + ERAS["民國"]
        return None
    if len(written) != 2:
        return number + ERAS["民國"] if (follows or match["fiscal"]) and not written.isascii() else None
    positional = written[0] in "零〇一二三四五六七八九" and written[1] in "零〇一二三四五六七八九"
    if (evidence and follows) or match["fiscal"]:
        return number + ERAS["民國"]
    pair = positional and ord(written[0]) and scan_numeral(written, 0).high is not None  # type: ignore[union-attr]
    clipped = written[0] in "0零〇" or (positional and not pair)
    if not (clipped or follows):
        return None
    if follows and not positional and not written.isascii():  # 九十八年五月
        return number + ERAS["民國"]
    pivot = (context.reference.year if context.reference else 2025) - 2000 + 10
    return number + (2000 if number <= pivot else 1900)


def _is_span(text: str, end: int) -> bool:
    return bool(re.match(r"前|後|內|來|多|之|以[上內前後]|歷史|徒刑|期間?", text[end : end + 3]))


def within_year(text: str, pos: int, year: int, context: Context) -> Moment | None:
    """Read what follows a year: month and day, a part of the year, a festival; or the year alone."""
    if not 1 <= year <= _LAST_YEAR:
        return Moment(pos, f"{year:05}" if year < 0 else f"{year:04}")
    after = pos + (text[pos : pos + 1] in (" ", "的"))
    month = _MONTH.match(text, after) or _LISTED_MONTH.match(text, after)
    if month:
        return within_month(text, month.end(), year, to_int(month[1]), context)
    part = _YEAR_PART.match(text, after)
    if part and part[0]:
        return _year_part(part, year)
    if festival := match_festival(text, after, year, context):
        return festival
    if lunar := _LUNAR.match(text, after):
        return _lunar_moment(lunar, year)
    first, last = date(year, 1, 1), date(year, 12, 31)
    return Moment(pos, f"{year:04}", first, last, year)


def _year_part(part: re.Match[str], year: int) -> Moment:
    end = part.end()
    months: tuple[int, int]
    if part["half"]:
        months = (1, 6) if part["half"][0] in "上前" else (7, 12)
    elif part["quarter"] or part["first_quarter"] or part["last_quarter"] or part["q"] or part["bare_quarter"]:
        number = 1 if part["first_quarter"] else 4 if part["last_quarter"] else 0
        number = number or to_int(part["quarter"] or part["q"] or part["bare_quarter"])
        months = (3 * number - 2, 3 * number)
    elif part["quarters"]:
        months = (1, 3 * to_int(part["quarters"]))
    elif part["months"]:
        months = (1, min(12, to_int(part["months"])))
    elif part["season"]:
        months = _SEASONS[part["season"]]
    elif part["edge"] in ("底", "末", "終"):
        return day_moment(end, date(year, 12, 31))
    else:
        months = (1, 1) if part["edge"] == "初" else (6, 7)
    return months_of(end, year, *months)


def months_of(end: int, year: int, first: int, last: int) -> Moment:
    """Make the period from one month to another; a month above 12 lies in the next year."""
    last_year, last_month = (year + 1, last - 12) if last > 12 else (year, last)
    return period(end, date(year, first, 1), last_day(last_year, last_month), year=year)


def _quarter_only(text: str, pos: int, context: Context) -> Moment | None:
    part = _YEAR_PART.match(text, pos)
    if part is None or not (part["quarter"] or part["first_quarter"] or part["bare_quarter"] or part["quarters"]):
        return None
    if context.reference is None:
        return Moment(part.end(), "")
    return _year_part(part, context.reference.year)


def within_month(text: str, pos: int, year: int | None, month: int, context: Context) -> Moment | None:
    """Read what follows a month: a day, a third, beginning or end; or the month alone."""
    after = pos + (text[pos : pos + 1] == " ")
    day = _DAY_AFTER_MONTH.match(text, after) or _LISTED_DAY.match(text, after)
    if day:
        return _month_day(day.end(), year, month, to_int(day[1]), context)
    if year is None and context.reference:
        year = nearest_month(month, context.reference)
    part = _MONTH_PART.match(text, pos)
    if year is None:
        return Moment(part.end() if part else pos, f"--{month:02}", None, None, None, month)
    end_of_month = last_day(year, month)
    if part:
        word, end = part["part"], part.end()
        if word in ("底", "末"):
            return day_moment(end, end_of_month)
        first, last = _MONTH_PARTS[word]
        return period(end, date(year, month, first), end_of_month if last == 0 else date(year, month, last))
    return Moment(pos, f"{year:04}-{month:02}", date(year, month, 1), end_of_month, year, month)


_DAY_AFTER_MONTH = re.compile(rf"({_DAY_NUMBER}) ?(?:日(?![本圓元](?!.{{0,2}}軍))|號)|(\d\d?)(?=\()")
_MONTH_PARTS = {"初": (1, 10), "上旬": (1, 10), "中旬": (11, 20), "中": (11, 20), "下旬": (21, 0), "上半月": (1, 15), "上半": (1, 15), "下半月": (16, 0), "下半": (16, 0)}


def _month_day(end: int, year: int | None, month: int, number: int, context: Context) -> Moment | None:
    if year is None and context.reference is None:
        valid = make_date(2000, month, number)
        return Moment(end, f"--{month:02}-{number:02}", None, None, None, month) if valid else None
    if year is None:
        assert context.reference is not None
        day = nearest_year_day(month, number, context.reference)
    else:
        day = make_date(year, month, number)
    return day_moment(end, day) if day else None


def _day_only(end: int, number: int, context: Context, before: Moment | None) -> Moment | None:
    if not 1 <= number <= 31:
        return None
    if before and before.month:
        if before.year is None:
            return Moment(end, f"--{before.month:02}-{number:02}", None, None, None, before.month)
        day = make_date(before.year, before.month, number)
    elif context.reference:
        day = article_day(number, context.reference)
    else:
        return Moment(end, f"---{number:02}")
    return day_moment(end, day) if day else None


def match_festival(text: str, pos: int, year: int | None, context: Context) -> Moment | None:
    """Read a named day; without a year, the one nearest to the reference date."""
    found = _FESTIVALS.match(text, pos)
    if found is None or (text[found[0] : found[0] + 1] in ("連", "檔", "聯", "晚", "特", "公") and text[found[0]] in "聯晚特公"):
        return None
    end, name = found[0], text[pos : found[0]]
    if year is not None:
        day = festival_date(name, year)
    elif context.reference:
        around = context.reference.year
        day = nearest((festival_date(name, number) for number in (around - 1, around, around + 1)), context.reference)
    else:
        fixed = fixed_day(name)
        return Moment(end, f"--{fixed[0]:02}-{fixed[1]:02}", None, None, None, fixed[0]) if fixed else None
    return day_moment(end, day) if day else None


def _lunar(text: str, pos: int, context: Context) -> Moment | None:
    match = _LUNAR.match(text, pos)
    if match is None:
        return None
    if match["y"]:
        return _lunar_moment(match, int(match["y"][:-1]))
    if context.reference is None:
        return None
    around = [_lunar_moment(match, context.reference.year + step) for step in (-1, 0, 1)]
    day = nearest((moment.first for moment in around if moment), context.reference)
    return next((moment for moment in around if moment and moment.first == day), None)


def _lunar_moment(match: re.Match[str], year: int) -> Moment | None:
    month_word, day_word = match["m"] or match["m2"], match["d"] or match["d2"]
    month = _LUNAR_MONTHS.get(month_word) or to_int(month_word)
    leap = bool(match["leap"])
    if day_word:
        day = lunar_date(year, month, to_int(day_word.lstrip("初")), leap=leap)
        return day_moment(match.end(), day) if day else None
    first, last = lunar_date(year, month, 1, leap=leap), lunar_date(year, month, -1, leap=leap)
    return period(match.end(), first, last) if first and last else None


def _match_decade(text: str, pos: int, context: Context) -> Moment | None:
    match = _DECADE.match(text, pos)
    if match:
        years = to_int(match["years"])
        if match["century"]:
            base = (to_int(match["century"]) - 1) * 100
        elif match["last"] and context.reference:
            base = context.reference.year // 100 * 100 - (0 if match["last"] == "本世紀" else 100)
        else:
            base = 2000 if years < 30 and context.reference and context.reference.year > 2035 else 1900
            base = 2000 if years <= 10 else base
        first = years if years >= 1000 else base + years
        if first % 10 or not _is_year(first):
            return None
        low, high = {"初": (0, 3), "中": (4, 6), "末": (7, 9), "後": (5, 9)}.get((match["part"] or " ")[0], (0, 9))
        return period(match.end(), date(first + low, 1, 1), date(first + high, 12, 31))
    match = _CENTURY.match(text, pos)
    if match is None:
        return None
    if match["n"]:
        number = to_int(match["n"])
    elif context.reference:
        number = (context.reference.year - 1) // 100 + 1 + {"本": 0, "上": -1, "下": 1}[match["rel"][0]]
    else:
        return None
    if not 1 <= number <= 30:
        return None
    low, high = _CENTURY_PARTS.get(match["part"] or match["rpart"] or "", (1, 100))
    base = (number - 1) * 100
    return period(match.end(), date(base + low, 1, 1), date(base + high, 12, 31))


_CENTURY_PARTS = {"初": (1, 10), "末": (91, 100), "中葉": (41, 60), "上半葉": (1, 50), "下半葉": (51, 100)}
