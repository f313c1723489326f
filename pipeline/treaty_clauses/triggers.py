"""Where a numeric expression may begin: one pattern that a scan of the text stops at."""

import re

from treaty_clauses.calendars import ERAS
from treaty_clauses.festivals import NAMES
from treaty_clauses.numeral_signs import FORMAL

_DIGIT = "0123456789零〇一二兩三四五六七八九十百千萬億廿卅卌"
_WEEKDAY = "[一二三四五六日天]"
_WORDS = sorted({*ERAS, *NAMES}, key=len, reverse=True)
# What begins a number or a date word: its possible first characters, and what must stand behind the first one. What it really
# is, the grammars say.
_BEGINNINGS = (
    (_DIGIT, ""),
    (FORMAL, rf"(?=[{FORMAL}拾佰仟萬億元圓零點])"),
    ("拾", "(?=[萬億])"),
    ("負-", rf"(?<![0-9A-Za-z)%年月日\]]-)(?<!正負)(?=[{_DIGIT}])"),
    (".", r"(?<![0-9A-Za-z.)]\.)(?=\d)"),
    ("數幾", "(?=[十百千萬億兆])"),
    ("好", "(?=幾[十百千萬億兆])"),
    ("半", "(?=[個小鐘年天日世公打歲數載分折斤升畝噸米坪成秒星禮英刻])"),
    ("半", "(?<=[過近逾]半)"),
    ("對", "(?=折)"),
    ("第", rf"(?=[{_DIGIT}])"),
    ("今", "(?=[天日晨早晚夜午年春夏秋冬明(])"),
    ("昨", "(?=[天日晨早晚夜午今(])"),
    ("明", "(?=[天日晨早晚午年後春夏秋冬(])"),
    (
        "前",
        "(?=[天日年晚]|[二兩三23]個?季|[4-9四五六七八九十]個月|1[01]個月|(?:[2-9]|1[01]|[二三四五六七八九十]|十一)月)",
    ),
    ("Q", r"(?<![0-9A-Za-z]Q)(?=[1-4](?![0-9A-Za-z.]))"),
    ("後", "(?=[天日年])"),
    ("去", "(?=[年夏秋冬春(])"),
    ("來", "(?=年)"),
    ("大", "(?=[前後][天年])"),
    ("即", "(?=日)"),
    ("上下", "(?=[個上下一]?[個週月季世年禮星半(])"),
    ("本這", "(?=[個一]?[個週月季年世星禮(春夏秋冬])"),
    ("當", "(?=[週月]|年[0-9一二三四五六七八九十])"),
    ("同該翌次隔", "(?=年[0-9一二三四五六七八九十年初])"),
    ("週", rf"(?={_WEEKDAY}|[1-7]|末)"),
    ("星", rf"(?=期(?:{_WEEKDAY}|[1-7]))"),
    ("禮", rf"(?=拜(?:{_WEEKDAY}|[1-7]))"),
    ("年", "(?=[底初終末中])"),
    ("月", "(?=[底初中])"),
    ("歲", "(?=末)"),
    ("元", "(?<![0-9幾多百千萬億]元)(?=月)"),
    ("首", "(?=季)"),
    ("農陰舊夏", "(?=曆)"),
    ("正臘", "(?=月)"),
)
_FIRST = "".join(sorted({char for chars, _ in _BEGINNINGS for char in chars} | {word[0] for word in _WORDS}))
# The leading look-ahead passes over most characters of a text at once; without it the scan takes three times as long.
_ANY = "|".join([*(f"[{re.escape(chars)}]{rest}" for chars, rest in _BEGINNINGS), *_WORDS])
TRIGGER = re.compile(rf"(?=[{re.escape(_FIRST)}])(?:{_ANY})")
