import warnings
from datetime import date, timedelta
from decimal import Decimal

import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from treaty_clauses.calendars import add_months, article_day, lunar_date, nearest_month, nearest_year_day, week_start
from treaty_clauses.date_numeric import NUMERIC_FORMS
from treaty_clauses.dates import DateMatch, match_date
from treaty_clauses.dates_relative import step_date
from treaty_clauses.festivals import NAMES, festival_date
from treaty_clauses.folding import fold
from treaty_clauses.labels import Comparator
from treaty_clauses.money import Context
from treaty_clauses.years import YEAR_FORMS, match_year

REFERENCE = date(2025, 11, 24)
DAYS = st.dates(min_value=date(1950, 1, 1), max_value=date(2049, 12, 31))
CN = "〇一二三四五六七八九"


def read(text: str, reference: date | None = REFERENCE) -> DateMatch | None:
    folded = fold(text)
    return match_date(folded, 0, Context(folded, reference))


def in_chinese(number: int) -> str:
    tens, ones = divmod(number, 10)
    return {0: "", 1: "十"}.get(tens, CN[tens] + "十") + (CN[ones] if ones or not tens else "")


@given(DAYS)
def test_every_way_to_write_a_day_gives_that_day(day: date) -> None:
    year = "".join(CN[int(digit)] for digit in str(day.year))
    forms = [
        f"{day.year}年{day.month}月{day.day}日",
        f"{day.year}年{day.month}月{day.day}號",
        f"{year}年{in_chinese(day.month)}月{in_chinese(day.day)}日",
        f"民國{day.year - 1911}年{day.month}月{day.day}日",
        f"西元{day.year}年{day.month}月{day.day}日",
        f"{day:%Y-%m-%d}",
        f"{day:%Y/%m/%d}",
        f"{day:%Y%m%d}",
    ]
    for form in forms:
        found = read(form)
        assert found is not None, form
        assert (found.first, found.last, found.end) == (day, day, len(form)), form


@given(DAYS, DAYS)
def test_day_without_a_year_is_the_nearest(day: date, reference: date) -> None:
    if (day.month, day.day) == (2, 29):
        return
    found = read(f"{day.month}月{day.day}日", reference)
    assert found is not None
    assert found.first is not None
    assert (found.first.month, found.first.day) == (day.month, day.day)
    assert abs((found.first - reference).days) <= 183


@pytest.mark.parametrize("form", YEAR_FORMS, ids=lambda form: form.example)
def test_example_of_each_year_form_is_read_by_it(form) -> None:  # type: ignore[no-untyped-def]
    match = form.pattern.match(form.example)
    assert match is not None
    assert match_year(form.example, 0, Context(form.example, REFERENCE)) is not None


@pytest.mark.parametrize("form", NUMERIC_FORMS, ids=lambda form: form.example)
def test_example_of_each_numeric_form_is_read_by_it(form) -> None:  # type: ignore[no-untyped-def]
    match = form.pattern.match(form.example)
    assert match is not None
    assert form.read(match, Context(form.example, REFERENCE)) is not None


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("昭和20年8月15日", "1945-08-15", "1945-08-15"),
        ("光緒二十一年", "1895-01-01", "1895-12-31"),
        ("民國元年", "1912-01-01", "1912-12-31"),
        ("民國前一年", "1911-01-01", "1911-12-31"),
        ("114.10.22", "2025-10-22", "2025-10-22"),
        ("03/07/2018", "2018-03-07", "2018-03-07"),
        ("九十八年五月", "2009-05-01", "2009-05-31"),
        ("08年5月", "2008-05-01", "2008-05-31"),
        ("九七年", "1997-01-01", "1997-12-31"),
        ("農曆閏六月初一", "2025-07-25", "2025-07-25"),
        ("90年代初", "1990-01-01", "1993-12-31"),
        ("二十一世紀三十年代", "2030-01-01", "2039-12-31"),
        ("2024年元旦", "2024-01-01", "2024-01-01"),
    ],
)
def test_calendar_of_its_own_is_converted(text: str, first: str, last: str) -> None:
    found = read(text)
    assert found is not None
    assert (str(found.first), str(found.last)) == (first, last)


def test_year_before_our_era_is_given_as_iso_counts_it() -> None:
    found = read("西元前221年")
    assert found is not None
    assert (found.iso, found.first) == ("-0220", None)


@pytest.mark.parametrize(
    "text", ["八九年", "10年內", "2000年歷史", "30日內", "三年", "十年", "一百年", "下午三點", "月台"]
)
def test_span_of_time_is_no_date(text: str) -> None:
    assert read(text) is None


def test_bounding_words_make_a_bound() -> None:
    words = {
        "前": "lt",
        "以前": "le",
        "之前": "le",
        "為止": "le",
        "起": "ge",
        "以來": "ge",
        "之後": "gt",
        "左右": "approx",
    }
    assert {word: str(read(f"3月5日{word}").comparator) for word in words} == words  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("3月5日至8日", "2026-03-05", "2026-03-08"),
        ("2018年12月28日至1月3日", "2018-12-28", "2019-01-03"),
        ("週五至週一", "2025-11-21", "2025-11-24"),
        ("週三至週一", "2025-11-26", "2025-12-01"),
        ("2025年11月至2月", "2025-11-01", "2026-02-28"),
        ("2018-2020年", "2018-01-01", "2020-12-31"),
    ],
)
def test_upper_end_takes_what_it_leaves_unsaid_from_the_lower(text: str, first: str, last: str) -> None:
    found = read(text)
    assert found is not None
    assert found.comparator is Comparator.RANGE
    assert (str(found.first), str(found.last)) == (first, last)


def test_relative_date_without_reference_is_read_but_not_resolved() -> None:
    found = read("明年3月5日", None)
    assert found is not None
    assert (found.iso, found.first, found.end) == ("", None, 6)


@pytest.mark.parametrize("year", range(1999, 2035))
def test_lunar_calendar_agrees_with_the_holidays_library(year: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        known = holidays.country_holidays("TW", years=year, observed=False, language="en_US")
    for name, festival in (("Mid-Autumn", "中秋節"), ("Dragon Boat", "端午節"), ("Tomb-Sweeping", "清明節")):
        assert festival_date(festival, year) in known.get_named(name, lookup="icontains"), (name, year)
    assert festival_date("春節", year) == min(known.get_named("Chinese New Year", lookup="iexact"))


def test_every_festival_has_a_day_in_a_year_of_our_time() -> None:
    assert [name for name in NAMES if festival_date(name, 2025) is None] == []


def test_lunar_year_closes_with_its_last_day() -> None:
    eve, new_year = lunar_date(2024, 12, -1), lunar_date(2025, 1, 1)
    assert eve is not None
    assert new_year == eve + timedelta(1)
    assert lunar_date(2024, 4, 1, leap=True) is None
    assert lunar_date(1800, 1, 1) is None


def test_calendar_steps() -> None:
    assert add_months(date(2024, 1, 31), 1) == date(2024, 2, 29)
    assert add_months(date(9999, 12, 1), 1) is None
    assert week_start(REFERENCE, 1) == date(2025, 12, 1)
    assert nearest_year_day(2, 29, date(2025, 3, 1)) == date(2024, 2, 29)
    assert article_day(31, date(2025, 11, 1)) == date(2025, 10, 31)
    assert nearest_month(12, date(2025, 1, 20)) == 2024
    assert step_date(REFERENCE, "year", Decimal("-0.5")) == date(2025, 5, 24)
    assert step_date(REFERENCE, "hour", Decimal(3)) is None
