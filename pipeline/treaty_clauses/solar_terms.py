"""Days of the solar terms (清明, 冬至), from the sun's ecliptic longitude.

The longitude is the low-accuracy formula of Jean Meeus, Astronomical Algorithms (1998), chapter 25, good to 0.01 degrees: a
quarter of an hour. The day is that of Taiwan and China, UTC+8.
"""

from datetime import date, timedelta
from functools import cache
from math import radians, sin

# Degrees of longitude at which a term begins. 雨水, 小雪, 大雪 and 小滿 are left out: they are more often weather or names.
SOLAR_TERMS = {
    "立春": 315,
    "驚蟄": 345,
    "春分": 0,
    "清明": 15,
    "清明節": 15,
    "掃墓節": 15,
    "民族掃墓節": 15,
    "穀雨": 30,
    "立夏": 45,
    "芒種": 75,
    "夏至": 90,
    "小暑": 105,
    "大暑": 120,
    "立秋": 135,
    "處暑": 150,
    "白露": 165,
    "秋分": 180,
    "寒露": 195,
    "霜降": 210,
    "立冬": 225,
    "冬至": 270,
    "小寒": 285,
    "大寒": 300,
}
_EPOCH = date(2000, 1, 1)  # its noon is Julian day 2451545
_CENTURY_DAYS = 36525
_UTC_OFFSET_DAYS = 8 / 24
_EQUINOX_DAY = 79  # days from the beginning of the year to longitude 0, within two
_YEAR_DAYS = 365.2422


def _longitude(day: date) -> float:
    """Return the sun's apparent longitude in degrees when `day` begins in Taiwan."""
    t = ((day - _EPOCH).days - 0.5 - _UTC_OFFSET_DAYS) / _CENTURY_DAYS
    mean = 280.46646 + 36000.76983 * t + 0.0003032 * t * t
    anomaly = radians(357.52911 + 35999.05029 * t - 0.0001537 * t * t)
    center = (1.914602 - 0.004817 * t) * sin(anomaly) + 0.019993 * sin(2 * anomaly) + 0.000289 * sin(3 * anomaly)
    return (mean + center - 0.00569 - 0.00478 * sin(radians(125.04 - 1934.136 * t))) % 360


@cache
def solar_term_date(name: str, year: int) -> date | None:
    """Return the day on which a solar term begins in a year of our era; None for a word that is none.

    >>> solar_term_date("清明", 2025), solar_term_date("冬至", 2021)
    (datetime.date(2025, 4, 4), datetime.date(2021, 12, 21))
    """
    if name not in SOLAR_TERMS:
        return None
    goal = SOLAR_TERMS[name]
    day = date(year, 1, 1) + timedelta((_EQUINOX_DAY + goal / 360 * _YEAR_DAYS) % _YEAR_DAYS - 6)
    while (_longitude(day + timedelta(1)) - goal) % 360 > 180:  # not yet reached when the day ends
        day += timedelta(1)
    return day
