"""Where a numeric expression may begin: one pattern that a scan of the text stops at."""

import re

from treaty_clauses.calendars import ERAS
from treaty_clauses.festivals import NAMES
from treaty_clauses.numerals import FORMAL

_DIGIT = "0-9零〇一二兩三四五六七八九十百千萬億廿卅卌"
_WEEKDAY = "[一二三四五六日天]"
# Each alternative begins a number or a date word; what it really is, the grammars say.
_BEGINNINGS = (
    rf"[{_DIGIT}]",
    rf"[{FORMAL}](?=[{FORMAL}拾佰仟萬億元圓零點])",
    rf"(?:負|(?<![0-9A-Za-z)%年月日\]])-)(?=[{_DIGIT}])",
    r"[數幾](?=[十百千萬億兆])",
    r"半(?=[個小鐘年天日世公打歲數載分折])|對(?=折)|(?<=[過近逾])半",
    rf"第(?=[{_DIGIT}])",
    r"這個(?=[春夏秋冬])",
    r"今(?=[天日晨早晚夜午年春夏秋冬明\(])",
    r"昨(?=[天日晨早晚夜午今\(])",
    r"明(?=[天日晨早晚年後春夏秋冬\(])",
    r"前(?=[天年晚]|[二兩三23]個?季|[4-9四五六七八九十]個月|1[01]個月)",
    r"後(?=[天年])",
    r"去(?=[年夏秋冬春\(])",
    r"來年|大[前後][天年]|即日",
    r"[上下](?=[個上下一]?[個週月季世年禮星半\(])",
    r"[本這](?=[個一]?[個週月季年世星禮\(])",
    r"當(?=[週月])",
    r"[同該翌次隔]年(?=[0-9一二三四五六七八九十年初])",
    rf"(?:週|星期|禮拜)(?={_WEEKDAY}|[1-7])",
    r"年(?=[底初終])|月(?=[底初])",
    r"首季",
    r"農曆|陰曆|舊曆|夏曆|正月|臘月",
    "|".join(sorted(ERAS, key=len, reverse=True)),
    "|".join(sorted(NAMES, key=len, reverse=True)),
)
TRIGGER = re.compile("|".join(_BEGINNINGS))
