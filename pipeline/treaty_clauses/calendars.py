"""Calendar arithmetic: eras, the lunisolar calendar, steps of months and weeks, the date nearest to another."""

import calendar
from collections.abc import Iterable
from datetime import date, timedelta
from itertools import accumulate

# The year before each era's first.
ERAS = {
    "民國": 1911,
    "中華民國": 1911,
    "西元": 0,
    "公元": 0,
    "紀元": 0,
    "主後": 0,
    "昭和": 1925,
    "平成": 1988,
    "令和": 2018,
    "大正": 1911,
    "明治": 1867,
    "宣統": 1908,
    "光緒": 1874,
    "同治": 1861,
    "咸豐": 1850,
    "道光": 1820,
    "嘉慶": 1795,
    "乾隆": 1735,
    "雍正": 1722,
    "康熙": 1661,
}
ROC_FIRST_YEAR = ERAS["民國"] + 1
# So many days nearer must a day of the month before or after be, to be meant by a bare 「5日」; less for the past, which news
# tells of more.
_LAST_MONTH_DAYS, _NEXT_MONTH_DAYS = 8, 20
# The same for a month of the year before or after.
_LAST_YEAR_MONTHS, _NEXT_YEAR_MONTHS = 2, 4
_FIRST_LUNAR_YEAR = 1900
_FIRST_LUNAR_DAY = date(1900, 1, 31)
# One number for each lunar year from 1900 to 2100: bits 15 to 4 say which of the twelve months have 30 days, the lowest four
# which month is followed by a leap month, bit 16 whether that has 30 days. Computed with lunar_python 1.4.8 (MIT) and
# compared with the holidays library in the tests.
_LUNAR = (
    "04bd8 04ae0 0a570 054d5 0d260 0d950 16554 056a0 09ad0 055d2 04ae0 0a5b6 0a4d0 0d250 1d255 0b540 0d6a0 0ada2 095b0 "
    "14977 04970 0a4b0 0b4b5 06a50 06d40 1ab54 02b60 09570 052f2 04970 06566 0d4a0 0ea50 16a95 05ad0 02b60 186e3 092e0 "
    "1c8d7 0c950 0d4a0 1d8a6 0b550 056a0 1a5b4 025d0 092d0 0d2b2 0a950 0b557 06ca0 0b550 15355 04da0 0a5b0 14573 052b0 "
    "0a9a8 0e950 06aa0 0aea6 0ab50 04b60 0aae4 0a570 05260 0f263 0d950 05b57 056a0 096d0 04dd5 04ad0 0a4d0 0d4d4 0d250 "
    "0d558 0b540 0b6a0 195a6 095b0 049b0 0a974 0a4b0 0b27a 06a50 06d40 0af46 0ab60 09570 04af5 04970 064b0 074a3 0ea50 "
    "06b58 05ac0 0ab60 096d5 092e0 0c960 0d954 0d4a0 0da50 07552 056a0 0abb7 025d0 092d0 0cab5 0a950 0b4a0 0baa4 0ad50 "
    "055d9 04ba0 0a5b0 15176 052b0 0a930 07954 06aa0 0ad50 05b52 04b60 0a6e6 0a4e0 0d260 0ea65 0d530 05aa0 076a3 096d0 "
    "04afb 04ad0 0a4d0 1d0b6 0d250 0d520 0dd45 0b5a0 056d0 055b2 049b0 0a577 0a4b0 0aa50 1b255 06d20 0ada0 14b63 09370 "
    "049f8 04970 064b0 168a6 0ea50 06b20 1a6c4 0aae0 092e0 0d2e3 0c960 0d557 0d4a0 0da50 05d55 056a0 0a6d0 055d4 052d0 "
    "0a9b8 0a950 0b4a0 0b6a6 0ad50 055a0 0aba4 0a5b0 052b0 0b273 06930 07337 06aa0 0ad50 14b55 04b60 0a570 054e4 0d160 "
    "0e968 0d520 0daa0 16aa6 056d0 04ae0 0a9d4 0a2d0 0d150 0f252 0d520 "
)
_LUNAR_YEARS = tuple(int(code, 16) for code in _LUNAR.split())


def _lunar_months(year: int) -> list[tuple[int, bool, int]]:
    code = _LUNAR_YEARS[year - _FIRST_LUNAR_YEAR]
    months = []
    for month in range(1, 13):
        months.append((month, False, 30 if code >> (16 - month) & 1 else 29))
        if code & 15 == month:
            months.append((month, True, 30 if code >> 16 else 29))
    return months


_NEW_YEARS = tuple(
    _FIRST_LUNAR_DAY + timedelta(days)
    for days in accumulate(
        (sum(size for _, _, size in _lunar_months(_FIRST_LUNAR_YEAR + i)) for i in range(len(_LUNAR_YEARS))), initial=0
    )
)


def lunar_date(year: int, month: int, day: int, *, leap: bool = False) -> date | None:
    """Return the Gregorian day of a lunar one; None outside of 1900 to 2100, or if that year lacks the day.

    `day` -1 is the month's last (除夕 is the twelfth month's).

    >>> lunar_date(2025, 8, 15), lunar_date(2024, 12, -1)
    (datetime.date(2025, 10, 6), datetime.date(2025, 1, 28))
    """
    if not 0 <= year - _FIRST_LUNAR_YEAR < len(_LUNAR_YEARS):
        return None
    start = _NEW_YEARS[year - _FIRST_LUNAR_YEAR]
    for number, is_leap, size in _lunar_months(year):
        if number == month and is_leap == leap:
            day = size if day == -1 else day
            return start + timedelta(day - 1) if 1 <= day <= size else None
        start += timedelta(size)
    return None


def last_day(year: int, month: int) -> date:
    """Return the last day of a month."""
    return date(year, month, calendar.monthrange(year, month)[1])


def make_date(year: int, month: int, day: int) -> date | None:
    """Return a date, or None if there is no such day."""
    try:
        return date(year, month, day)
    except ValueError:
        return None


def add_months(day: date, months: int) -> date | None:
    """Step by calendar months; the day of the month is cut to the target month's length.

    >>> add_months(date(2025, 1, 31), 1)
    datetime.date(2025, 2, 28)
    """
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    if not date.min.year <= year <= date.max.year:
        return None
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def add_days(day: date, days: int) -> date | None:
    """Step by days; None outside of the calendar."""
    try:
        return day + timedelta(days)
    except OverflowError:
        return None


def week_start(day: date, weeks: int = 0) -> date:
    """Return the Monday of the week `weeks` after that of `day`."""
    return day - timedelta(day.weekday()) + timedelta(7 * weeks)


def nearest(candidates: Iterable[date | None], reference: date) -> date | None:
    """Return the candidate nearest to `reference`, of two equally near the earlier; None if there is none."""
    found = [candidate for candidate in candidates if candidate]
    return min(found, key=lambda day: (abs((day - reference).days), day), default=None)


def nearest_year_day(month: int, day: int, reference: date) -> date | None:
    """Return the day nearest to `reference` that has this month and day."""
    years = range(reference.year - 1, reference.year + 2)
    if month == 2 and day == 29:
        years = range(reference.year - 4, reference.year + 5)
    return nearest((make_date(year, month, day) for year in years), reference)


def article_day(day: int, reference: date) -> date | None:
    """Return the `day`-th that an article of the reference date means: of its own month unless another is much nearer.

    >>> article_day(5, date(2025, 11, 24)), article_day(30, date(2025, 11, 2))
    (datetime.date(2025, 11, 5), datetime.date(2025, 10, 30))
    """
    far = {0: 0, -1: _LAST_MONTH_DAYS, 1: _NEXT_MONTH_DAYS}
    found = [(step, candidate) for step in far if (candidate := _month_day(reference, step, day))]
    return min(found, key=lambda pair: abs((pair[1] - reference).days) + far[pair[0]], default=(0, None))[1]


def _month_day(reference: date, step: int, day: int) -> date | None:
    month = add_months(reference.replace(day=1), step)
    return make_date(month.year, month.month, day) if month else None


def nearest_month(month: int, reference: date) -> int:
    """Return the year of the month that an article of the reference date means: its own unless another's is much nearer.

    >>> nearest_month(12, date(2025, 1, 20)), nearest_month(2, date(2025, 10, 20))
    (2024, 2025)
    """
    here = reference.year * 12 + reference.month
    far = {reference.year: 0, reference.year - 1: _LAST_YEAR_MONTHS, reference.year + 1: _NEXT_YEAR_MONTHS}
    return min(far, key=lambda year: abs(year * 12 + month - here) + far[year])
