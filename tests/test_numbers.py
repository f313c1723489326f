from datetime import date
from decimal import Decimal

import pytest

from treaty_clauses.labels import Comparator, TermRole
from treaty_clauses.numbers import normalize_term
from treaty_clauses.types import Quantity

PUBLISHED = date(2025, 11, 24)
EQ, APPROX, LE, LT, GE, GT, RANGE = Comparator


def quantity(text: str, **options: object) -> Quantity | None:
    return normalize_term(text, published=PUBLISHED, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "comparator", "value", "unit"),
    [
        ("60萬人以內", LE, 600000, "person"),
        ("不得超過8.5萬人", LE, 85000, "person"),
        ("最多三千五百名", LE, 3500, "person"),
        ("以三萬五千人為限", LE, 35000, "person"),
        ("二五○名", EQ, 250, "person"),
        ("一七○○人", EQ, 1700, "person"),
        ("近2000名", APPROX, 2000, "person"),
        ("五萬人左右", APPROX, 50000, "person"),
        ("至少10人", GE, 10, "person"),
        ("超過600名", GT, 600, "person"),
        ("3艘", EQ, 3, "item"),
        ("不得逾一百枚", LE, 100, "item"),
        ("七百一十枚為限", LE, 710, "item"),
        ("約3,000億美元", APPROX, 3 * 10**11, "USD"),
        ("3200多萬美元", GT, 32000000, "USD"),
        ("三千億美元以上", GE, 3 * 10**11, "USD"),
        ("十二億圓", EQ, 12 * 10**8, "JPY"),
        ("50%", EQ, Decimal("0.5"), "ratio"),
        ("三成", EQ, Decimal("0.3"), "ratio"),
        ("百分之十四點二", EQ, Decimal("0.142"), "ratio"),
        ("百分之二十九強", GT, Decimal("0.29"), "ratio"),
        ("半數", EQ, Decimal("0.5"), "ratio"),
        ("不得超過半數", LE, Decimal("0.5"), "ratio"),
        ("平分", EQ, Decimal("0.5"), "ratio"),
        ("各半", EQ, Decimal("0.5"), "ratio"),
        ("近半", APPROX, Decimal("0.5"), "ratio"),
        ("四分之一", EQ, Decimal("0.25"), "ratio"),
        ("100天內", LE, 100, "day"),
        ("廿四小時內", LE, 24, "hour"),
        ("半年內", LE, 6, "month"),
        ("9個半月內", LE, Decimal("9.5"), "month"),
        ("三年半內", LE, Decimal("3.5"), "year"),
        ("兩週", EQ, 2, "week"),
        ("兩年半", EQ, Decimal("2.5"), "year"),
        ("十五天後", EQ, 15, "day"),
        ("最遲18個月內", LE, 18, "month"),
        ("第22天起", GE, 22, "day"),
        ("最遲於第50天前", LE, 50, "day"),
        ("第三年以前", LE, 3, "year"),
        ("寬15公里", EQ, 15, "km"),
        ("150公里以外", GE, 150, "km"),
        ("一百五十海里", EQ, 150, "[nmi_i]"),
        ("105毫米以上", GE, Decimal("0.105"), "m"),
        ("一平方公里", EQ, 1, "km2"),
        ("至多150萬桶", LE, 1500000, "bbl"),
        ("500兆瓦", EQ, 5 * 10**8, "W"),
        ("約12億度", APPROX, 12 * 10**11, "Wh"),
        ("13萬升", EQ, 130000, "L"),
        ("五千萬立方公尺", EQ, 5 * 10**7, "m3"),
    ],
)
def test_term_has_its_value(text: str, comparator: Comparator, value: Decimal, unit: str) -> None:
    found = quantity(text, currency_hint="JPY" if unit == "JPY" else None)
    assert found == Quantity(Decimal(value), unit, comparator)


@pytest.mark.parametrize(
    ("text", "low", "high", "unit"),
    [
        ("10萬至15萬人", 100000, 150000, "person"),
        ("20%至25%", Decimal("0.2"), Decimal("0.25"), "ratio"),
        ("十二到十八個月", 12, 18, "month"),
        ("三到六個月內", 3, 6, "month"),
        ("百分之五十以上、未達百分之六十", Decimal("0.5"), Decimal("0.6"), "ratio"),
        ("500至5,500公里", 500, 5500, "km"),
        ("第10年至第15年之間", 10, 15, "year"),
        ("30天或60天", 30, 60, "day"),
    ],
)
def test_range_has_both_ends(text: str, low: Decimal, high: Decimal, unit: str) -> None:
    assert quantity(text) == Quantity(Decimal(low), unit, RANGE, Decimal(high))


@pytest.mark.parametrize(
    ("text", "comparator", "value"),
    [
        ("11月27日前", LT, "2025-11-27"),
        ("11月27日以前", LE, "2025-11-27"),
        ("截至11月27日", LE, "2025-11-27"),
        ("今年1月26日之前", LE, "2025-01-26"),
        ("5月1日起", GE, "2026-05-01"),
        ("17日零時起", GE, "2025-11-17"),
        ("13日晚10時", EQ, "2025-11-13"),
        ("8月15日前後", APPROX, "2025-08-15"),
        ("明年3月", EQ, "2026-03"),
        ("2030年前", LT, "2030"),
        ("至二○一一年為止", LE, "2011"),
        ("一九一九年十月之後", GT, "1919-10"),
        ("一九九七年內", LE, "1997-12-31"),
        ("一九八一年底前", LE, "1981-12-31"),
        ("週二（25日）", EQ, "2025-11-25"),
    ],
)
def test_date_is_iso(text: str, comparator: Comparator, value: str) -> None:
    assert quantity(text) == Quantity(value, "date", comparator)


def test_range_of_dates_keeps_the_exactness_it_was_said_with() -> None:
    assert quantity("一九九二年九月到十一月之間") == Quantity("1992-09", "date", RANGE, "1992-11")


def test_day_without_any_year_stays_open() -> None:
    assert normalize_term("11月27日前") == Quantity("--11-27", "date", LT)


def test_deadline_behind_the_article_is_the_next_year() -> None:
    published = date(1982, 4, 20)
    assert normalize_term("十二月三十一日", published=published) == Quantity("1981-12-31", "date", EQ)
    ahead = normalize_term("十二月三十一日", published=published, role=TermRole.DEADLINE)
    assert ahead == Quantity("1982-12-31", "date", EQ)


@pytest.mark.parametrize(
    ("text", "role", "unit"),
    [
        ("四萬", TermRole.TROOP_CAP, "person"),
        ("四個", TermRole.TROOP_CAP, "item"),
        ("10個", TermRole.HEADCOUNT, "person"),
        ("19具", TermRole.HEADCOUNT, "person"),
        ("10個", TermRole.QUANTITY, "item"),
    ],
)
def test_role_tells_what_is_counted(text: str, role: TermRole, unit: str) -> None:
    found = quantity(text, role=role)
    assert found is not None
    assert found.unit == unit


def test_duration_within_years_is_bounded_by_them() -> None:
    assert quantity("五年內", role=TermRole.DURATION) == Quantity(Decimal(5), "year", Comparator.LE)
    assert quantity("四日", role=TermRole.DURATION) == Quantity(Decimal(4), "day", EQ)


def test_bare_yuan_follows_the_hint_or_is_refused() -> None:
    assert quantity("五百萬元") is None
    assert quantity("五百萬元", currency_hint="TWD") == Quantity(Decimal(5000000), "TWD", EQ)
    assert quantity("三千盧比", currency_hint="NPR") == Quantity(Decimal(3000), "NPR", EQ)


@pytest.mark.parametrize(
    ("text", "role", "expected"),
    [
        ("到二○二六年二月五日", TermRole.DEADLINE, Quantity("2026-02-05", "date", LE)),
        ("一直到9月", TermRole.DEADLINE, Quantity("2026-09", "date", LE)),
        ("至少持續到2016年底", TermRole.DURATION, Quantity("2016-12-31", "date", GE)),
        ("最遲不過1955年12月31日", TermRole.DEADLINE, Quantity("1955-12-31", "date", LE)),
        ("9月11日的最後期限之前", TermRole.DEADLINE, Quantity("2026-09-11", "date", LE)),
        ("三十公里外", TermRole.DISTANCE, Quantity(Decimal(30), "km", GE)),
        ("30公里範圍內", TermRole.DISTANCE, Quantity(Decimal(30), "km", LE)),
        ("兩個月的時間裡", TermRole.DEADLINE, Quantity(Decimal(2), "month", LE)),
        ("未來60天", TermRole.DEADLINE, Quantity(Decimal(60), "day", LE)),
        ("限期三十日", TermRole.DEADLINE, Quantity(Decimal(30), "day", LE)),
        ("不得低於歲入的6%", TermRole.SHARE, Quantity(Decimal("0.06"), "ratio", GE)),
        ("不高於戰前水準的一點二倍", TermRole.SHARE, Quantity(Decimal("1.2"), "ratio", LE)),
        ("每百抽五", TermRole.SHARE, Quantity(Decimal("0.05"), "ratio", EQ)),
        ("七比三", TermRole.SHARE, Quantity(Decimal("0.7"), "ratio", EQ)),
        ("四分一", TermRole.SHARE, Quantity(Decimal("0.25"), "ratio", EQ)),
        ("限150架", TermRole.WEAPON_LIMIT, Quantity(Decimal(150), "item", LE)),
        ("五一九門以內", TermRole.WEAPON_LIMIT, Quantity(Decimal(519), "item", LE)),
        ("四處", TermRole.QUANTITY, Quantity(Decimal(4), "item", EQ)),
        ("不得在島上駐紮超過六千人", TermRole.TROOP_CAP, Quantity(Decimal(6000), "person", LE)),
        ("不得在五島駐紮超過一個", TermRole.TROOP_CAP, Quantity(Decimal(1), "item", LE)),
    ],
)
def test_words_around_the_number_bound_it(text: str, role: TermRole, expected: Quantity) -> None:
    assert quantity(text, role=role) == expected


@pytest.mark.parametrize(
    "text",
    ["約若干萬人", "若干億美元", "數以萬計", "數以百萬計的人", "成千上萬人", "千百萬人", "不知幾萬人", "無數", "若干"],
)
def test_a_count_without_a_number_is_refused(text: str) -> None:
    assert quantity(text, role=TermRole.HEADCOUNT) is None


@pytest.mark.parametrize("text", ["數千人", "好幾百人", "上萬人", "近百萬人"])
def test_a_count_of_known_size_is_not_refused(text: str) -> None:
    assert quantity(text, role=TermRole.HEADCOUNT) is not None


@pytest.mark.parametrize("text", ["10億克朗尼", "20億北嶺元", "三千德魯克", "4000卡幣", "3億盧比亞"])
def test_an_unknown_currency_is_refused_or_the_hint_for_none(text: str) -> None:
    assert quantity(text, role=TermRole.ASSET_SUM) is None
    assert quantity(text, role=TermRole.ASSET_SUM, currency_hint="USD") is None
    found = quantity(text, role=TermRole.ASSET_SUM, currency_hint="XXX")
    assert found is None or found.unit == "XXX"


def test_a_shared_currency_name_takes_the_hint_of_one_that_bears_it() -> None:
    assert quantity("800萬披索", currency_hint="COP") == Quantity(Decimal(8000000), "COP", EQ)
    assert quantity("920億克朗", currency_hint="XXX") == Quantity(Decimal(92000000000), "XXX", EQ)


@pytest.mark.parametrize("text", ["年底前", "明年", "下午5時起", "儘快", "三名代表與五輛車", "人", ""])
def test_what_would_be_a_guess_is_refused(text: str) -> None:
    assert quantity(text) is None


def test_relative_date_without_an_article_date_is_refused() -> None:
    assert normalize_term("明年3月") is None
    assert normalize_term("下週四") is None


def test_event_anchored_deadline_is_never_counted_from_the_article() -> None:
    assert quantity("三天後") == Quantity(Decimal(3), "day", EQ)


@pytest.mark.parametrize(
    ("text", "comparator"),
    [("最多設三個", Comparator.LE), ("至少放流三百億立方公尺", Comparator.GE), ("不得超過海拔五百公尺", Comparator.LE)],
)
def test_bound_that_opens_the_span_holds_for_its_number(text: str, comparator: Comparator) -> None:
    found = quantity(text)
    assert found is not None
    assert found.comparator is comparator
