"""Decades, centuries, festivals and days of the lunar calendar: 上世紀90年代, 21世紀初, 去年感恩節, 農曆八月十五."""

import re
from datetime import date

from treaty_clauses.calendars import lunar_date, nearest
from treaty_clauses.festivals import NAMES, festival_date, fixed_day
from treaty_clauses.moments import DAY_NUMBER, MONTH_NUMBER, Moment, day_moment, period, to_int
from treaty_clauses.money import Context
from treaty_clauses.units import Lexicon

LUNAR = re.compile(
    rf"(?:農曆|陰曆|舊曆|夏曆)(?P<y>\d{{4}}年)?(?P<leap>閏)?(?P<m>正|臘|冬|{MONTH_NUMBER})月"
    rf"(?P<d>初[一二三四五六七八九十]|{DAY_NUMBER})?[日號]?"
    r"|(?P<m2>正|臘)月(?P<d2>初[一二三四五六七八九十]|[十廿二三][一二三四五六七八九十]{1,2}|十)[日號]?"
    r"|(?P<m3>十[一二]?|[一二三四五六七八九])月(?P<d3>初[一二三四五六七八九十])"
)
_LUNAR_MONTHS = {"正": 1, "冬": 11, "臘": 12}
_TENS = "[一二]?十[一二三四五六七八九]?"
_CN = "[零〇一二三四五六七八九]"
_DECADE = re.compile(
    rf"(?:(?P<century>\d{{1,2}}|{_TENS})世紀|(?P<last>上個?世紀|本世紀))?的?"
    rf"(?P<years>\d{{4}}|{_CN}{{4}}|\d{{2}}|{_CN}{{2}}|[一二三四五六七八九]十)(?:年代|(?=[、至到~和及-](?:[1-9]0|[一二三四五六七八九]十)年代))(?P<part>初期?|中期|末期?|後期)?"
)
_CENTURY_PART = "初|末|中葉|上半葉|下半葉"
_CENTURY = re.compile(
    rf"(?:(?:(?:西元|公元)(?P<bc>前)?)?(?P<n>\d{{1,2}}|{_TENS}|[一二三四五六七八九])世紀|(?P<said>本世紀|上個?世紀|下個?世紀))(?P<part>{_CENTURY_PART})?"
)
# First and last year of the part, counted from the decade's or the century's first.
_DECADE_PARTS = {"初": (0, 3), "中": (4, 6), "末": (7, 9), "後": (5, 9)}
_CENTURY_PARTS = {"初": (0, 9), "末": (90, 99), "中葉": (40, 59), "上半葉": (0, 49), "下半葉": (50, 99)}
_CENTURY_STEPS = {"本": 0, "上": -1, "下": 1}
_NO_DAY_AFTER = ("聯", "晚", "特", "公")  # 春節聯歡, 聖誕公公
_NO_CHRISTMAS_AFTER = frozenset("樹老卡禮歌島市城花燈裝派餐紅帽襪購檔快舞音套主")
_FESTIVALS = Lexicon(dict.fromkeys(NAMES, True))


def match_festival(text: str, pos: int, year: int | None, context: Context) -> Moment | None:
    """Read a named day; without a year, the one nearest to the reference date."""
    found = _FESTIVALS.match(text, pos)
    if found is None or text[found[0] : found[0] + 1] in _NO_DAY_AFTER:
        return None
    end, name = found[0], text[pos : found[0]]
    if name in ("聖誕", "耶誕") and text[end : end + 1] in _NO_CHRISTMAS_AFTER:
        return None
    if year is not None:
        day = festival_date(name, year)
    elif context.reference:
        around = context.reference.year
        day = nearest((festival_date(name, number) for number in (around - 1, around, around + 1)), context.reference)
    else:
        fixed = fixed_day(name)
        return Moment(end, f"--{fixed[0]:02}-{fixed[1]:02}", None, None, None, fixed[0]) if fixed else None
    return day_moment(end, day) if day else None


def is_festival(text: str, pos: int) -> bool:
    """Whether a named day begins at `pos`."""
    return _FESTIVALS.match(text, pos) is not None


def match_lunar(text: str, pos: int, context: Context) -> Moment | None:
    """Read a day or month of the lunar calendar; without its year, the one nearest to the reference date."""
    match = LUNAR.match(text, pos)
    if match is None:
        return None
    if match["y"]:
        return lunar_moment(match, int(match["y"][:-1]))
    if context.reference is None:
        return None
    around = [lunar_moment(match, context.reference.year + step) for step in (-1, 0, 1)]
    day = nearest((moment.first for moment in around if moment), context.reference)
    return next((moment for moment in around if moment and moment.first == day), None)


def lunar_moment(match: re.Match[str], year: int) -> Moment | None:
    """Make the moment of a match of `LUNAR` in a lunar year."""
    month_word, day_word = match["m"] or match["m2"] or match["m3"], match["d"] or match["d2"] or match["d3"]
    month = _LUNAR_MONTHS.get(month_word) or to_int(month_word)
    leap = bool(match["leap"])
    if day_word:
        day = lunar_date(year, month, to_int(day_word.lstrip("初")), leap=leap)
        return day_moment(match.end(), day) if day else None
    first, last = lunar_date(year, month, 1, leap=leap), lunar_date(year, month, -1, leap=leap)
    return period(match.end(), first, last) if first and last else None


def match_age(text: str, pos: int, context: Context) -> Moment | None:
    """Read a decade (90年代) or a century (21世紀初); the first century of our era began with the year 1."""
    if match := _DECADE.match(text, pos):
        return _decade(match, context)
    match = _CENTURY.match(text, pos)
    if match is None:
        return None
    if match["bc"]:
        return Moment(match.end(), "")
    if match["n"]:
        number = to_int(match["n"])
    elif context.reference:
        number = (context.reference.year - 1) // 100 + 1 + _CENTURY_STEPS[match["said"][0]]
    else:
        return None
    if not 1 <= number <= 30:
        return None
    low, high = _CENTURY_PARTS.get(match["part"] or "", (0, 99))
    first = (number - 1) * 100 + 1
    return period(match.end(), date(first + low, 1, 1), date(first + high, 12, 31))


def _decade(match: re.Match[str], context: Context) -> Moment | None:
    years = to_int(match["years"])
    if match["century"]:
        years += (to_int(match["century"]) - 1) * 100
    elif match["last"] and context.reference:
        years += context.reference.year // 100 * 100 - (0 if match["last"] == "本世紀" else 100)
    elif years < 1000:
        years += 1900 if years > 10 else 2000
    if years % 10 or not 1000 <= years <= 2999:
        return None
    low, high = _DECADE_PARTS.get((match["part"] or " ")[0], (0, 9))
    return period(match.end(), date(years + low, 1, 1), date(years + high, 12, 31))
