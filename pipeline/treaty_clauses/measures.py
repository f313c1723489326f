"""The quantity grammar: sign, number, unit, remainder, range, comparing words, in that order.

    measure := [comparing word] [currency] amount [range amount] [comparing word]
    amount  := [sign] numeral [unit] [remainder]      remainder: 半, a smaller unit (三年六個月, 五塊二, 一米八, 三成五)
    range   := 至 | 到 | ~ | -

`match_measure` reads one measure where its number begins. Whether a number without a unit is a term at all is decided by
`quantities`.
"""

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from treaty_clauses.amounts import HALF, PERCENT, scan_amount
from treaty_clauses.comparators import comparator_after, comparator_before
from treaty_clauses.compounds import Amount, ratio
from treaty_clauses.halves import match_half
from treaty_clauses.labels import Comparator
from treaty_clauses.moments import to_int
from treaty_clauses.money import Context, match_currency_before
from treaty_clauses.numerals import Numeral, Style, borrow_scale
from treaty_clauses.units import Unit


@dataclass(frozen=True, slots=True)
class Measure:
    """A quantity found in folded text; `high` is set where `comparator` is RANGE.

    `numeral` is the (first) number as written, `flags` those of its unit; both tell whether it is a term in running text.
    """

    start: int
    end: int
    kind: str
    comparator: Comparator
    low: Decimal
    high: Decimal | None
    unit: str | None
    numeral: Numeral
    flags: frozenset[str] = frozenset()


_NUMBER = Unit("number", None, Fraction(1), frozenset(), frozenset())
_SIGNS = (("負", -1), ("零下", -1), ("-", -1), ("+", 1))
_CHINESE_UNIT = r"[零一二兩三四五六七八九十百千萬億]+[個名年月天週位小公億萬]"
_RANGE = re.compile(
    rf" ?(?:至|到|~|-(?!-)|—(?!—)|或者?(?={_CHINESE_UNIT})) ?(?:約|近)?(?:US\$|NT\$|HK\$|[$€£¥])?"
    r"|(?:和|與|跟|及)(?=[^，。；,;]{1,12}之?間)"
)
_OR = re.compile(r"或者?(?=[\d零一二兩三四五六七八九十百千萬億]+(?:天|年|個月|小時|週|日|%|公里))")
# 若干萬, 數以萬計, 成千上萬 say no number that could be compared with another; 數萬 and 上萬 do (guidelines section 5).
_VAGUE_BEFORE = re.compile(r"(?:若干|多少|無數|不知|數以)[幾十百千萬億兆]*$")
_BEYOND = re.compile(r"外(?![交長國圍資部籍圈海側出加來])")  # 三十公里外
_ABOUT = re.compile(
    r"、(?=[\d一兩二三四五六七八九](?:個|名|人|年(?![級前代])|天|週|次|倍|成|歲|小時|分鐘|公里|十(?!年代)|萬|億|百|千))"
)
_RANGE_OPENERS = ("介於", "介乎", "從", "由", "自")
_CHANGED = re.compile(r"(?<!幅)(?:[升漲跌降增加減裁擴縮]|增加|減少|調高|調低|提高|下調|上調)了?$")
_MANY_TIMES = 3
_MOST_DECIMALS = 6
_ENDS_OF_ALL = ("", "，", "。", ",", "、", ")")
_SUM_END = "元圓塊角分毛億萬"  # how a sum ends whose currency stands before it
_TEMPERATURE_BEFORE = re.compile(r"(?P<name>攝氏|華氏) ?(?:溫度)?$")
_TEMPERATURES = {"攝氏": "Cel", "華氏": "[degF]"}
_SPEED_BEFORE = re.compile(
    r"(?:(?P<h>時速|每小時|每個小時|每一小時)|(?P<s>秒速|每秒鐘?|每一秒)|(?P<min>每分鐘?))"
    r"(?:約|達|高達|超過|近|可達|可飛行|可行|行駛|前進|為|是|飛行)?$"
)


def match_measure(text: str, pos: int, context: Context) -> Measure | None:
    """Read the measure whose sign or number begins at `pos` of folded text, with the words before that belong to it."""
    if text[pos] in "半對" or text.startswith("一半", pos):
        return _match_half(text, pos)
    number, sign = _scan_sign(text, pos)
    first = scan_amount(text, number, context)
    if first is None or (first.numeral.bare_scale and _VAGUE_BEFORE.search(text, max(0, number - 8), number)):
        return None
    measure = _match_range(text, pos, first, context) if sign > 0 else None
    if measure is None:
        unit = first.unit or _NUMBER
        low, high = unit.scale(first.low) * sign, None if first.high is None else unit.scale(first.high) * sign
        if high is not None and high < low:
            low, high = high, low
        measure = Measure(pos, first.end, unit.kind, first.comparator, low, high, unit.code, first.numeral, unit.flags)
    return _compare(text, _with_words_before(text, measure, context))


def _scan_sign(text: str, pos: int) -> tuple[int, int]:
    for word, sign in _SIGNS:
        if text.startswith(word, pos):
            after = pos + len(word)
            return after + text.startswith(" ", after), sign
    return pos, 1


def _match_half(text: str, pos: int) -> Measure | None:
    half = match_half(text, pos)
    if half is None:
        return None
    numeral = Numeral(half.end, HALF, Style.FRACTION, bare_scale=True)
    comparator = Comparator.GT if half.many else Comparator.EQ
    measure = _compare(text, Measure(pos, half.end, half.kind, comparator, half.value, None, half.unit, numeral))
    if text[pos : half.end] == "半" and measure.start == pos:
        return None  # 半 is a share only in 過半, 近半
    return measure


def _with_words_before(text: str, measure: Measure, context: Context) -> Measure:
    """Take the words before a number that say its unit: 新台幣, US$, 攝氏, 時速."""
    start = measure.start
    if measure.kind in ("number", "money") and measure.flags <= {"times"}:
        named = match_currency_before(text, start, context) if "times" not in measure.flags else None
        if named and (measure.kind == "number" or text[measure.end - 1] in _SUM_END):
            return replace(measure, start=named[0], kind="money", unit=named[1])
        return replace(measure, start=named[0]) if named and measure.kind == "money" else measure
    if measure.kind == "temperature" and (scale := _TEMPERATURE_BEFORE.search(text, max(0, start - 6), start)):
        return replace(measure, start=scale.start(), unit=_TEMPERATURES[scale["name"]])
    if measure.kind == "length" and (speed := _SPEED_BEFORE.search(text, max(0, start - 8), start)):
        return replace(measure, start=speed.start(), kind="speed", unit=f"{measure.unit}/{speed.lastgroup}")
    return measure


def _compare(text: str, measure: Measure) -> Measure:
    """Widen the span over the comparing words; a bound said in words is stronger than 約 or 餘."""
    start, end, comparator = measure.start, measure.end, measure.comparator
    before = comparator_before(text, start, bare=measure.numeral.bare_scale)
    after = comparator_after(text, end)
    if after and after[1] in (Comparator.GT, Comparator.APPROX):  # 三年多以內
        after = comparator_after(text, after[0]) or after
    if (
        after
        and text[after[0] - 1] in "強弱"
        and measure.kind == "number"
        and measure.numeral.style is not Style.FRACTION
    ):
        after = None  # 十二強
    if after is None and measure.kind == "length" and (beyond := _BEYOND.match(text, end)):
        after = beyond.end(), Comparator.GE
    start, end = before[0] if before else start, after[0] if after else end
    if comparator is Comparator.RANGE:
        for word in _RANGE_OPENERS:
            if text.endswith(word, 0, start):
                start -= len(word)
                break
        return replace(measure, start=start, end=end + 2 * text.startswith("之間", end))
    said = [found[1] for found in (before, after) if found]
    bounds = [word for word in said if word is not Comparator.APPROX]
    if bounds:
        comparator = bounds[-1]
    elif comparator is Comparator.EQ and said:
        comparator = Comparator.APPROX
    if (start, end, comparator) == (measure.start, measure.end, measure.comparator):
        return measure
    return replace(measure, start=start, end=end, comparator=comparator)


def _match_range(text: str, start: int, first: Amount, context: Context) -> Measure | None:
    """Read the upper end of a range after its lower end, and give the lower one the scale and unit it leaves unsaid."""
    match = _RANGE.match(text, first.end) or (_OR.match(text, first.end) if first.unit else None)
    about = None if match or first.unit or first.numeral.digits != 1 else _ABOUT.match(text, first.end)
    after = match or about
    second = scan_amount(text, after.end(), context) if after and after.end() < len(text) else None
    if after is None or second is None:
        return None
    if about:  # 兩、三年, 6、7名, 三、四十萬
        digit = to_int(text[about.end()])
        if digit != first.low + 1:
            return None
        first = replace(first, low=first.low * second.low / digit)
    bounds = _bounds(text, first, second)
    if bounds is None:
        return None
    low, high, unit = bounds
    if high < low or "label" in unit.flags or _is_change(text, start, first, second, high >= _MANY_TIMES * low):
        return None
    return Measure(start, second.end, unit.kind, Comparator.RANGE, low, high, unit.code, first.numeral, unit.flags)


def _is_change(text: str, start: int, first: Amount, second: Amount, much_more: bool) -> bool:
    """Whether the first amount is a change and the second what it leads to: 升4個基點至4.13%, 漲5元至85元."""
    if first.unit is None or second.unit is None:
        return False
    if text[first.end - 1] in "點碼" and text[second.end - 1] != text[first.end - 1]:
        return True
    return much_more and bool(_CHANGED.search(text, max(0, start - 3), start))


def _bounds(text: str, first: Amount, second: Amount) -> tuple[Decimal, Decimal, Unit] | None:
    """Return both ends of a range in the unit they share; None where they share none."""
    top = second.low if second.high is None else second.high
    if first.unit is None:
        unit = second.unit or _NUMBER
        return unit.scale(borrow_scale(first.low, second.numeral)), unit.scale(top), unit
    unit = first.unit
    low = unit.scale(first.low)
    if second.unit is None:
        percent = first.numeral.style is Style.PERCENT  # 百分之三十至五十
        goes_on = (
            unit.kind in ("percent", "temperature") and text[second.end : second.end + 1] in _ENDS_OF_ALL
        )  # 5%至10
        return (low, PERCENT.scale(top) if percent else unit.scale(top), unit) if percent or goes_on else None
    if second.unit.kind != unit.kind:
        return None
    if second.unit.code != unit.code:
        factor = ratio(unit.code or "", second.unit.code or "")
        if factor is None:
            return None
        if round(low * factor, _MOST_DECIMALS) != low * factor:  # 三天至一週: a day is no decimal part of a week
            return low, second.unit.scale(top) * (ratio(second.unit.code or "", unit.code or "") or 1), unit
        low *= factor
    return low, second.unit.scale(top), second.unit


def merge_bounds(text: str, first: Measure, second: Measure) -> Measure | None:
    """Join 「百分之五十以上、未達百分之六十」 to one range; None where the two do not bound one thing."""
    gap = text[first.end : second.start]
    lower = first.comparator in (Comparator.GE, Comparator.GT)
    upper = second.comparator in (Comparator.LE, Comparator.LT)
    if len(gap) > 1 + gap.startswith(("但", "且")) or gap.strip("、，,但且至到 ") or not (lower and upper):
        return None
    if first.kind != second.kind or first.high is not None or second.high is not None:
        return None
    factor = 1 if first.unit == second.unit else ratio(second.unit or "", first.unit or "")  # 六月以上五年以下
    if factor is None or first.low > second.low * factor:
        return None
    return replace(first, end=second.end, comparator=Comparator.RANGE, high=second.low * factor)
