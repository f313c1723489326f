"""Named days: 中秋節, 感恩節, 開齋節. Moving ones come from the lunisolar calendar or the `holidays` library."""

import warnings
from datetime import date, timedelta
from functools import cache

from treaty_clauses.calendars import lunar_date, make_date
from treaty_clauses.solar_terms import SOLAR_TERMS, solar_term_date

# Fixed days of the Gregorian year: month, day.
_FIXED = {
    "元旦": (1, 1),
    "元旦節": (1, 1),
    "元旦日": (1, 1),
    "西洋情人節": (2, 14),
    "白色情人節": (3, 14),
    "情人節": (2, 14),
    "二二八和平紀念日": (2, 28),
    "和平紀念日": (2, 28),
    "婦女節": (3, 8),
    "三八婦女節": (3, 8),
    "三八國際婦女節": (3, 8),
    "六一國際兒童節": (6, 1),
    "世界衛生日": (4, 7),
    "國際護師節": (5, 12),
    "國際護士節": (5, 12),
    "世界環境日": (6, 5),
    "世界難民日": (6, 20),
    "國際和平日": (9, 21),
    "聯合國日": (10, 24),
    "世界愛滋病日": (12, 1),
    "記者節": (9, 1),
    "國父誕辰紀念日": (11, 12),
    "香港回歸紀念日": (7, 1),
    "抗戰勝利紀念日": (9, 3),
    "植樹節": (3, 12),
    "愚人節": (4, 1),
    "兒童節": (4, 4),
    "勞動節": (5, 1),
    "五一勞動節": (5, 1),
    "青年節": (3, 29),
    "五四青年節": (5, 4),
    "六一兒童節": (6, 1),
    "軍人節": (9, 3),
    "九三軍人節": (9, 3),
    "教師節": (9, 28),
    "雙十節": (10, 10),
    "雙十國慶": (10, 10),
    "雙十國慶日": (10, 10),
    "國慶日": (10, 10),
    "國慶節": (10, 1),
    "十一國慶": (10, 1),
    "光復節": (10, 25),
    "台灣光復節": (10, 25),
    "萬聖節": (10, 31),
    "萬聖夜": (10, 31),
    "五一國際勞動節": (5, 1),
    "行憲紀念日": (12, 25),
    "平安夜": (12, 24),
    "聖誕夜": (12, 24),
    "聖誕前夕": (12, 24),
    "聖誕節": (12, 25),
    "聖誕": (12, 25),
    "耶誕": (12, 25),
    "聖誕日": (12, 25),
    "耶誕節": (12, 25),
    "耶誕夜": (12, 24),
    "跨年夜": (12, 31),
    "美國獨立日": (7, 4),
    "美國國慶日": (7, 4),
    "美國國慶": (7, 4),
    "法國國慶日": (7, 14),
    "法國國慶": (7, 14),
    "韓國光復節": (8, 15),
    "南韓光復節": (8, 15),
    "烏克蘭獨立日": (8, 24),
    "世界人權日": (12, 10),
    "國際人權日": (12, 10),
    "國際勞動節": (5, 1),
    "國際婦女節": (3, 8),
    "世界地球日": (4, 22),
    "光棍節": (11, 11),
    "雙十一": (11, 11),
    "雙11": (11, 11),
    "建軍節": (8, 1),
    "退伍軍人節": (11, 11),
    "俄羅斯勝利日": (5, 9),
    "俄羅斯日": (6, 12),
    "東正教聖誕節": (1, 7),
}
# Days of the lunar year: month, day; -1 is the month's last. 除夕 closes the lunar year before.
_LUNAR = {
    "春節": (1, 1),
    "農曆新年": (1, 1),
    "農曆春節": (1, 1),
    "中國新年": (1, 1),
    "大年初一": (1, 1),
    "大年初二": (1, 2),
    "大年初三": (1, 3),
    "大年初四": (1, 4),
    "大年初五": (1, 5),
    "大年初六": (1, 6),
    "大年初七": (1, 7),
    "大年初八": (1, 8),
    "大年初九": (1, 9),
    "大年初十": (1, 10),
    "元宵節": (1, 15),
    "元宵": (1, 15),
    "上元節": (1, 15),
    "龍抬頭": (2, 2),
    "乞巧節": (7, 7),
    "盂蘭節": (7, 15),
    "盂蘭盆節": (7, 15),
    "下元節": (10, 15),
    "端午節": (5, 5),
    "端午": (5, 5),
    "七夕": (7, 7),
    "七夕節": (7, 7),
    "七夕情人節": (7, 7),
    "中元節": (7, 15),
    "佛誕": (4, 8),
    "佛誕日": (4, 8),
    "浴佛節": (4, 8),
    "中秋節": (8, 15),
    "中秋": (8, 15),
    "重陽節": (9, 9),
    "重陽": (9, 9),
    "臘八節": (12, 8),
    "除夕": (12, -1),
    "除夕夜": (12, -1),
    "大年夜": (12, -1),
    "大年三十": (12, -1),
    "農曆除夕": (12, -1),
    "小年夜": (12, -2),
}
# Days that the holidays library knows: country, the library's (English) name.
_LIBRARY = {
    "感恩節": ("US", "Thanksgiving Day"),
    "馬丁路德金恩日": ("US", "Martin Luther King Jr. Day"),
    "馬丁路德金紀念日": ("US", "Martin Luther King Jr. Day"),
    "總統日": ("US", "Washington's Birthday"),
    "陣亡將士紀念日": ("US", "Memorial Day"),
    "美國勞動節": ("US", "Labor Day"),
    "哥倫布日": ("US", "Columbus Day"),
    "耶穌受難日": ("GB", "Good Friday"),
    "開齋節": ("TR", "Eid al-Fitr"),
    "宰牲節": ("TR", "Eid al-Adha"),
    "古爾邦節": ("TR", "Eid al-Adha"),
    "排燈節": ("IN", "Diwali"),
    "贖罪日": ("IL", "Yom Kippur"),
    "猶太新年": ("IL", "Rosh Hashanah"),
    "逾越節": ("IL", "Pesach"),
    "住棚節": ("IL", "Sukkot"),
    "伊斯蘭新年": ("ID", "Islamic New Year"),
    "登霄節": ("ID", "Isra' and Mi'raj"),
    "聖紀節": ("ID", "Prophet's Birthday"),
    "阿舒拉節": ("IR", "Ashura"),
}
_EASTER = {
    "復活節": 2,
    "復活節星期日": 2,
    "復活節星期一": 3,
    "受難日": 0,
    "聖灰日": -44,
    "聖灰星期三": -44,
    "棕枝主日": -5,
    "聖枝主日": -5,
    "棕櫚主日": -5,
    "濯足節": -1,
    "聖週四": -1,
    "聖週六": 1,
    "耶穌升天節": 41,
    "耶穌升天日": 41,
    "聖靈降臨節": 51,
    "聖靈降臨日": 51,
    "三一主日": 58,
}  # days after Good Friday
# nth weekday (Monday 0) of a month.
_WEEKDAYS = {"母親節": (5, 6, 2), "父親節": (6, 6, 3)}
_TAIWAN_FATHERS_DAY = (8, 8)
_BLACK_FRIDAY = frozenset({"黑色星期五", "黑五購物節"})  # the day after 感恩節
NAMES = frozenset([*_FIXED, *_LUNAR, *_LIBRARY, *_EASTER, *_WEEKDAYS, *_BLACK_FRIDAY, *SOLAR_TERMS])


def fixed_day(name: str) -> tuple[int, int] | None:
    """Return month and day of a named day that moves in no year, else None."""
    return _TAIWAN_FATHERS_DAY if name == "父親節" else _FIXED.get(name)


@cache
def festival_date(name: str, year: int) -> date | None:
    """Return the day of the festival `name` in `year`; None where it is not known.

    >>> festival_date("中秋節", 2024), festival_date("感恩節", 2025)
    (datetime.date(2024, 9, 17), datetime.date(2025, 11, 27))
    """
    fixed = fixed_day(name)
    if fixed:
        return make_date(year, *fixed)
    if name in _LUNAR:
        month, day = _LUNAR[name]
        if day > 0:
            return lunar_date(year, month, day)
        eve = lunar_date(year - 1, month, -1)
        return eve - timedelta(-1 - day) if eve else None
    if name in _EASTER:
        friday = _library_date("GB", "Good Friday", year)
        return friday + timedelta(_EASTER[name]) if friday else None
    if name in _WEEKDAYS:
        month, weekday, nth = _WEEKDAYS[name]
        first = date(year, month, 1)
        return first + timedelta((weekday - first.weekday()) % 7 + 7 * (nth - 1))
    if name in _BLACK_FRIDAY:
        thanksgiving = festival_date("感恩節", year)
        return thanksgiving + timedelta(1) if thanksgiving else None
    if name in SOLAR_TERMS:
        return solar_term_date(name, year)
    if name in _LIBRARY:
        return _library_date(*_LIBRARY[name], year)
    return None


def _library_date(country: str, name: str, year: int) -> date | None:
    import holidays  # takes a twentieth of a second, and few articles need it

    with warnings.catch_warnings():  # the library warns of calendars that it covers for some years only
        warnings.simplefilter("ignore")
        known = holidays.country_holidays(country, years=year, observed=False, language="en_US")
    days = known.get_named(name, lookup="istartswith", split_multiple_names=True)
    return min((day for day in days if day.year == year), default=None)
