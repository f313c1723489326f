import json
import time
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from treaty_clauses.numbers import normalize_term
from treaty_clauses.quantities import KINDS, find_quantities, quantities_jsonl
from treaty_clauses.units import currencies, units

CASES = Path(__file__).parent / "cases"
REFERENCE = date(2025, 11, 24)
# What numbers, units and dates are made of, so that random strings reach deep into the grammars.
PIECES = (
    "零〇一二兩三四五六七八九十百千萬億兆廿卅壹貳參0123456789.,，、/-~至到年月日號時分秒天週星期個半多餘幾數約近逾第前後上下本今明昨去內以之起止底初末"
    "元塊角美港台幣%％成折倍度零下負點又分之民國昭和農曆正月春夏秋冬季世紀年代過去未來中秋節（）() \n公里尺噸歲人名位對折kmGB$US€每速時"
)
SOUP = st.text(alphabet=PIECES, max_size=40)
REFERENCES = st.none() | st.dates()


def load_cases(files: str) -> list[tuple[str, dict]]:  # type: ignore[type-arg]
    return [
        (f"{path.stem.removeprefix('quantities_')}-{number}", json.loads(line))
        for path in sorted(CASES.glob(files))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
    ]


LOADED = load_cases("quantities_*.jsonl")
# Single expressions and short sentences, as test suites of other libraries have them.
SUITES = load_cases("suites_*.jsonl")


@pytest.mark.parametrize("case", [case for _, case in LOADED], ids=[name for name, _ in LOADED])
def test_case(case: dict) -> None:  # type: ignore[type-arg]
    check(case)


@pytest.mark.parametrize("case", [case for _, case in SUITES], ids=[name for name, _ in SUITES])
def test_case_in_the_manner_of_other_suites(case: dict) -> None:  # type: ignore[type-arg]
    check(case)


def check(case: dict) -> None:  # type: ignore[type-arg]
    found = [match.as_json() for match in find_quantities(case["text"], date.fromisoformat(case["reference_date"]))]
    expected = [term | {"value": approximately(term["value"])} for term in case["terms"]]
    assert found == expected


def approximately(value: object) -> object:
    """Let floats differ by their last digits."""
    if isinstance(value, list):
        return [approximately(part) for part in value]
    return pytest.approx(value, rel=1e-9) if isinstance(value, float) else value


def test_cases_are_many_of_every_kind_and_mostly_sentences() -> None:
    terms = [term for _, case in LOADED for term in case["terms"]]
    without = [case for _, case in LOADED if not case["terms"]]
    assert len(LOADED) >= 600
    assert len(without) >= 100
    assert {term["kind"] for term in terms} == set(KINDS)
    assert 2 * sum(is_sentence(case) for _, case in LOADED) >= len(LOADED)


def is_sentence(case: dict) -> bool:  # type: ignore[type-arg]
    """Whether a case says more than its terms."""
    around = len(case["text"]) - sum(term["end"] - term["start"] for term in case["terms"])
    return around >= (8 if case["terms"] else 10)


@settings(deadline=None, max_examples=300)
@given(SOUP, REFERENCES)
def test_any_string_is_read_without_a_crash_and_offsets_slice(text: str, reference: date | None) -> None:
    end = 0
    for match in find_quantities(text, reference):
        assert end <= match.start < match.end <= len(text)
        assert match.kind in KINDS
        json.dumps(match.as_json())
        end = match.end
    normalize_term(text, published=reference)


@settings(deadline=None)
@given(st.text(max_size=100))
def test_any_unicode_is_read_without_a_crash(text: str) -> None:
    find_quantities(text, REFERENCE)


@settings(deadline=None, max_examples=50)
@given(SOUP, SOUP)
def test_what_stands_in_another_paragraph_changes_no_offset_before_it(first: str, second: str) -> None:
    text = "軍費 5 億美元。\n\n" + first
    head = [match for match in find_quantities(text, REFERENCE) if match.end <= 10]
    again = [match for match in find_quantities(text + "\n\n" + second, REFERENCE) if match.end <= 10]
    assert [(match.start, match.end) for match in head] == [(match.start, match.end) for match in again]


@pytest.mark.parametrize(
    "unit",
    [
        "1",
        "一",
        "十",
        "九萬",
        "1,000",
        "一又二分之一",
        "1-",
        "10日、",
        "3月5日至",
        "民國1",
        "五分之",
        "個半",
        "約約",
        "98年",
        "3盧比",
        "1億",
    ],
)
def test_time_grows_no_faster_than_the_text(unit: str) -> None:
    def seconds(length: int) -> float:
        text = (unit * length)[:length]
        runs = []
        for _ in range(3):
            start = time.process_time()
            find_quantities(text, REFERENCE)
            runs.append(time.process_time() - start)
        return min(runs)

    seconds(100)
    assert seconds(8000) < 16 * seconds(1000) + 0.05


@pytest.mark.parametrize(
    "name", ["28點方案", "四川", "第五條", "G20", "三軍", "五角大廈", "七大工業國", "F-16", "九一一恐怖攻擊"]
)
@pytest.mark.parametrize("frame", ["{}", "他提到{}。", "關於{}的報導", "「{}」", "{}與{}"])
def test_no_expression_is_found_inside_a_name(name: str, frame: str) -> None:
    assert find_quantities(frame.format(name, name), REFERENCE) == []


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("香港居民可領500元", 500, "HKD"),
        ("北京市民可領500元", 500, "CNY"),
        ("台北市民可領500元", 500, "TWD"),
        ("人民幣貶值，台灣買家多付500元", 500, "CNY"),
        ("尼泊爾政府發500盧比", 500, "NPR"),
        ("巴黎的公車漲為2法郎", 2, "CHF"),
    ],
)
def test_bare_currency_follows_the_text(text: str, value: int, unit: str) -> None:
    (match,) = find_quantities(text, REFERENCE)
    assert (match.value, match.unit) == (value, unit)


def test_relative_dates_are_not_found_without_a_reference() -> None:
    assert find_quantities("代表團明年3月5日抵達，下週四離境") == []


def test_day_without_a_year_stays_open_without_a_reference() -> None:
    (match,) = find_quantities("停火自11月27日生效")
    assert (match.kind, match.value) == ("date", "--11-27")


def test_jsonl_is_answered_line_by_line() -> None:
    lines = [
        '{"id": "a", "text": "限制在60萬人以內", "reference_date": "2025-11-24"}\n',
        "\n",
        '{"id": 7, "text": "沒有數字"}',
        "not json",
        '{"id": "b"}',
        '{"id": "c", "text": "三天後", "reference_date": "soon"}',
        "[1]",
    ]
    answers = [json.loads(line) for line in quantities_jsonl(lines)]
    term = {"start": 0, "end": 9, "kind": "count", "comparator": "le", "value": 600000, "unit": "person"}
    assert answers[0] == {"id": "a", "terms": [term]}
    assert answers[1] == {"id": 7, "terms": []}
    assert [answer["id"] for answer in answers[2:]] == [None, "b", "c", None]
    assert answers[2]["error"].startswith("line 4: not JSON")
    assert answers[3]["error"] == 'line 5: "text" is NoneType; give the text as a string'
    assert answers[4]["error"] == "line 6: reference_date 'soon' is not an ISO date; write 2025-11-24 or null"
    assert answers[5]["error"] == 'line 7: found list; write one object {"id", "text"} a line'


def test_every_currency_code_has_three_letters() -> None:
    assert all(len(code) == 3 and code.isupper() for code in currencies().entries.values())


def test_every_unit_is_of_a_known_kind() -> None:
    assert {unit.kind for unit in units().entries.values()} <= set(KINDS)
