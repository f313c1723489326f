from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from treaty_clauses.folding import fold
from treaty_clauses.labels import Comparator
from treaty_clauses.numerals import Style, borrow_scale, parse_number, scan_numeral

DIGITS = "零一二三四五六七八九"
FORMAL = str.maketrans("一二三四五六七八九十百千", "壹貳參肆伍陸柒捌玖拾佰仟")
TO_16_DIGITS = st.integers(min_value=0, max_value=10**16)


def in_chinese(number: int) -> str:
    """Write a number the standard way, zeros between groups said once: 10005 is 一萬零五."""
    if number == 0:
        return "零"
    groups = []
    while number:
        number, group = divmod(number, 10**4)
        groups.append(group)
    text = ""
    for place in reversed(range(len(groups))):
        group = groups[place]
        if group == 0:
            continue
        skipped = text and (group < 1000 or (place + 1 < len(groups) and groups[place + 1] == 0))
        text += ("零" if skipped else "") + four_digits(group) + ["", "萬", "億", "兆", "京"][place]
    return text


def four_digits(number: int) -> str:
    text, zero = "", False
    for scale, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, number = divmod(number, scale)
        if digit == 0:
            zero = bool(text)
            continue
        text += ("零" if zero else "") + DIGITS[digit] + name
        zero = False
    return text


def in_mixed(number: int) -> str:
    """Write the groups in Arabic digits: 123456789 is 1億2345萬6789, 100000001 is 1億零1 (1億1 is 1.1億)."""
    text = ""
    for place in reversed(range(5)):
        group = number // 10 ** (4 * place) % 10**4
        if group:
            text += ("零" if text and group < 1000 else "") + f"{group}{['', '萬', '億', '兆', '京'][place]}"
    return text or "0"


@given(TO_16_DIGITS)
def test_arabic_numbers_are_read_back(number: int) -> None:
    assert parse_number(str(number)) == number


@given(TO_16_DIGITS)
def test_numbers_with_commas_are_read_back(number: int) -> None:
    assert parse_number(f"{number:,}") == number


@given(TO_16_DIGITS)
def test_full_width_numbers_are_read_back(number: int) -> None:
    assert parse_number(str(number).translate({ord("0") + i: ord("０") + i for i in range(10)})) == number


@given(TO_16_DIGITS)
def test_chinese_numbers_are_read_back(number: int) -> None:
    assert parse_number(in_chinese(number)) == number


@given(TO_16_DIGITS)
def test_formal_numbers_are_read_back(number: int) -> None:
    formal = in_chinese(number).translate(FORMAL)
    if len(formal) > 1:  # alone, 參 and 陸 are words
        assert parse_number(formal) == number


@given(st.integers(min_value=100, max_value=10**16))
def test_positional_numbers_are_read_back(number: int) -> None:
    assert parse_number("".join("〇一二三四五六七八九"[int(digit)] for digit in str(number))) == number


@given(TO_16_DIGITS)
def test_mixed_numbers_are_read_back(number: int) -> None:
    assert parse_number(in_mixed(number)) == number


@given(st.integers(min_value=0, max_value=10**12), st.integers(min_value=1, max_value=10**6))
def test_chinese_decimals_are_read_back(whole: int, fraction: int) -> None:
    decimals = str(fraction)
    text = in_chinese(whole) + "點" + "".join(DIGITS[int(digit)] for digit in decimals)
    assert parse_number(text) == Decimal(f"{whole}.{decimals}")


@given(st.integers(min_value=1, max_value=10**15))
def test_negative_numbers_are_read_back(number: int) -> None:
    assert parse_number("負" + in_chinese(number)) == parse_number(f"-{number}") == -number


@given(st.text(max_size=60))
def test_folding_keeps_offsets(text: str) -> None:
    assert len(fold(text)) == len(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("廿四", 24),
        ("卅", 30),
        ("六百卅七", 637),
        ("兩千", 2000),
        ("二○○萬", 2000000),
        ("一五○億", 15000000000),
        ("8.5萬", 85000),
        ("1億2千3百萬", 123000000),
        ("3千4百", 3400),
        ("一百二", 120),
        ("三萬五", 35000),
        ("一千零五", 1005),
        ("三萬億", 3 * 10**12),
        ("二萬萬", 2 * 10**8),
        ("廿二．二", Decimal("22.2")),
        ("2點5億", 250000000),
        ("四又二分之一", Decimal("4.5")),
        ("百分之五", Decimal("0.05")),
        ("1,000", 1000),
        ("１２，３４５", 12345),
        ("100 億", 10**10),
    ],
)
def test_number_is_read(text: str, value: Decimal) -> None:
    assert parse_number(text) == value


@pytest.mark.parametrize(
    ("text", "low", "high", "comparator"),
    [
        ("十餘萬", 100000, None, Comparator.GT),
        ("10餘萬", 100000, None, Comparator.GT),
        ("二十多", 20, None, Comparator.GT),
        ("數千", 1000, None, Comparator.GT),
        ("十幾", 10, None, Comparator.GT),
        ("三四十", 30, 40, Comparator.RANGE),
        ("兩三萬", 20000, 30000, Comparator.RANGE),
        ("二十七八", 27, 28, Comparator.RANGE),
        ("三五", 3, 5, Comparator.RANGE),
    ],
)
def test_estimate_keeps_its_bounds(text: str, low: int, high: int | None, comparator: Comparator) -> None:
    numeral = scan_numeral(text, 0)
    assert numeral is not None
    assert (numeral.end, numeral.low, numeral.high, numeral.comparator) == (len(text), low, high, comparator)


@pytest.mark.parametrize("text", ["", "人", "十幾", "三個", "兩三萬", "點", "萬人"])
def test_what_is_no_exact_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not one exact number"):
        parse_number(text)


@pytest.mark.parametrize(
    ("text", "end"), [("三點五分", 1), ("三點二十", 1), ("500兆瓦", 3), ("3億2億", 2), ("三億兩", 2)]
)
def test_numeral_stops_before_what_is_none(text: str, end: int) -> None:
    numeral = scan_numeral(text, 0)
    assert numeral is not None
    assert numeral.end == end


@pytest.mark.parametrize(
    ("low", "high", "value"),
    [
        (100, "200億", 10**10),
        (3, "五百萬", 3 * 10**6),
        (500, "一千萬", 5 * 10**6),
        (3, "五十", 3),
        (8000, "一萬", 8000),
    ],
)
def test_lower_end_borrows_the_scale_of_the_upper(low: int, high: str, value: int) -> None:
    numeral = scan_numeral(high, 0)
    assert numeral is not None
    assert borrow_scale(Decimal(low), numeral) == value


def test_style_tells_how_a_numeral_is_written() -> None:
    styles = [scan_numeral(text, 0) for text in ("12", "十二", "一二三", "三分之一", "百分之一")]
    assert [numeral and numeral.style for numeral in styles] == [
        Style.ARABIC,
        Style.CHINESE,
        Style.POSITIONAL,
        Style.FRACTION,
        Style.PERCENT,
    ]
