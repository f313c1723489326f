from datetime import date

import pytest

from treaty_clauses.labels import TermRole
from treaty_clauses.numbers import normalize_term
from treaty_clauses.quantities import find_quantities
from treaty_clauses.surroundings import Surroundings

PUBLISHED = date(2025, 11, 24)


def read_day(text: str, term: str) -> object:
    start = text.index(term)
    told = Surroundings(text, PUBLISHED).told(start)
    quantity = normalize_term(term, published=PUBLISHED, role=TermRole.DEADLINE, told=told)
    return quantity.value if quantity else None


@pytest.mark.parametrize(
    ("text", "term", "value"),
    [
        ("雙方2018年9月簽署備忘錄，坦克在10月10日前撤出。", "10月10日前", "2018-10-10"),
        ("協議於2020年11月10日生效，法軍翌年4月1日前撤離。", "4月1日前", "2021-04-01"),
        ("2022年12月停火，2月1日前換俘。", "2月1日前", "2023-02-01"),
        ("雙方2018年9月簽署備忘錄，將於3月10日前檢討。", "3月10日前", "2026-03-10"),
        ("雙方2018年9月簽署備忘錄。\n坦克在3月10日前撤出。", "3月10日前", "2026-03-10"),
        ("2018年9月簽署，今年再談，坦克在3月10日前撤出。", "3月10日前", "2026-03-10"),
        ("自2014年以來的戰事，4月10日前落幕。", "4月10日前", "2026-04-10"),
        ("2022年2月開戰，須於11月27日前答覆。", "11月27日前", "2025-11-27"),
    ],
)
def test_day_is_in_the_year_that_the_paragraph_tells_of(text: str, term: str, value: str) -> None:
    assert read_day(text, term) == value


def test_quantities_keep_the_year_told() -> None:
    found = find_quantities("2014年4月衝突爆發，9月5日簽署議定書，去年底破局，3月復談。", PUBLISHED)
    assert [match.value for match in found] == [
        ("2014-04-01", "2014-04-30"),
        "2014-09-05",
        "2024-12-31",
        ("2025-03-01", "2025-03-31"),
    ]


@pytest.mark.parametrize(
    ("text", "term", "currency"),
    [
        ("1000億美元用於重建，歐洲另出300億。", "300億", "USD"),
        ("各國承諾300億，其中歐元為主：先付50億歐元。", "300億", "EUR"),
        ("行政院編列300億元，美方出資10億美元。", "300億元", "TWD"),
        ("援助共50億歐元，首期8億元。", "8億元", "EUR"),
        ("尼泊爾政府發放三千盧比。", "三千盧比", "NPR"),
        ("雙方同意支付300億元。", "300億元", None),
    ],
)
def test_sum_takes_the_currency_that_the_article_speaks_of(text: str, term: str, currency: str | None) -> None:
    start = text.index(term)
    assert Surroundings(text, None).currency(start, start + len(term)) == currency


def test_reading_records_stays_linear_in_the_number_of_terms() -> None:
    text = "停火自2022年3月1日起，10億美元。" * 200
    surroundings = Surroundings(text, PUBLISHED)
    assert {surroundings.currency(start, start + 5) for start in range(0, len(text), 20)} <= {"USD"}
