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

from treaty_clauses.comparators import comparator_after, comparator_before
from treaty_clauses.labels import Comparator
from treaty_clauses.money import Context, match_currency_before, match_money_unit, scan_change
from treaty_clauses.numerals import DIGITS, Numeral, Style, borrow_scale, scan_numeral
from treaty_clauses.units import Unit, match_unit, units

HALF = Decimal("0.5")
_HUNDRED = Decimal(100)


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


@dataclass(frozen=True, slots=True)
class _Amount:
    end: int
    low: Decimal  # as said, not yet scaled to the unit's code
    high: Decimal | None
    comparator: Comparator
    unit: Unit | None
    numeral: Numeral


_PERCENT = Unit("percent", "%", Fraction(1), frozenset(), frozenset())
_NUMBER = Unit("number", None, Fraction(1), frozenset(), frozenset())
_RANGE = re.compile(r" ?(?:至|到|~|-(?!-)|—(?!—)|－|或者?(?=[零一二兩三四五六七八九十百千萬億]+[個名年月天週位小公億萬])) ?(?:約|近)?(?:US\$|NT\$|HK\$|[$€£¥])?")
_BETWEEN = re.compile(r"(?:和|與|跟|及)(?=[^，。；,;]{1,12}之?間)")
_OR = re.compile(r"或者?(?=[\d零一二兩三四五六七八九十百千萬億]+(?:天|年|個月|小時|週|日|%|公里))")
_HALVED = frozenset({"duration", "age", "length", "mass", "percent", "temperature", "number"})
_MINUTES = re.compile(r"分(?=\d{1,2}秒|[一二三四五六七八九十]{1,3}秒)")
_TIMES = {"thousand": 10**3, "million": 10**6, "mn": 10**6, "billion": 10**9, "bn": 10**9, "trillion": 10**12, "tn": 10**12}
_ENGLISH = re.compile(r" ?(thousand|million|billion|trillion|mn|bn|tn)(?![A-Za-z])", re.IGNORECASE)
_LETTER_TIMES = {"k": 10**3, "K": 10**3, "m": 10**6, "M": 10**6, "b": 10**9, "B": 10**9, "T": 10**12}
_LETTER = re.compile(r"([kKmMbBT])(?![A-Za-z0-9])")
_HALF_BEFORE_UNIT = re.compile(r"個?半個?(?=(?:小時|鐘頭|月(?!刊)|世紀|星期|禮拜|鐘|工作天|季度|百分點)(?!亮))")
_HALF_AFTER_UNIT = re.compile(r"半(?![導島價數票夜空年小場決徑途路邊面開晌官天日個成推就壁百票句點])")
_MANY_BEFORE_UNIT = re.compile(r"個?[多餘](?=(?:個|小時|鐘頭|月(?![刊亮])|世紀|星期|禮拜))")
_DISCOUNT = re.compile(r"折(?![疊扣騰磨價衷返損斷射頁衝舊算合抵現])")
_HALF_UNITS = {
    "年": ("month", 6),
    "載": ("month", 6),
    "個月": ("month", HALF),
    "個多月": ("month", HALF),
    "小時": ("hour", HALF),
    "個小時": ("hour", HALF),
    "個多小時": ("hour", HALF),
    "鐘頭": ("hour", HALF),
    "個鐘頭": ("hour", HALF),
    "分鐘": ("min", HALF),
    "天": ("day", HALF),
    "日": ("day", HALF),
    "個世紀": ("year", 50),
    "世紀": ("year", 50),
    "個星期": ("week", HALF),
    "個禮拜": ("week", HALF),
    "個學期": None,
    "公里": ("km", HALF),
    "公尺": ("m", HALF),
    "公斤": ("kg", HALF),
    "打": ("item", 6),
    "歲": ("year", HALF),
    "數": (None, HALF),
}
_HALF = re.compile(
    r"半(?P<unit>個多小時|個多月|個小時|個鐘頭|個世紀|個星期|個禮拜|個月|小時|鐘頭|分鐘|世紀|公里|公尺|公斤|年(?![級輪])|載|天(?!然)|日(?!本)|打|歲|數)"
)
_HALF_SHARE = re.compile(r"一半(?!以上下)|半(?=(?:以上|以下)?(?:$|[^\w]))")
_NOT_BEFORE_HALF = "上下前後一大多南北東西夜過兩三四五六七八九十個年"
_DEGREE = re.compile(r"氣溫|溫度|高溫|低溫|水溫|體溫|均溫|室溫|升溫|降溫|增溫|恆溫|攝氏|華氏|零下|發燒|燒到|暖化|熱浪|寒流|天氣|氣象|炎熱|酷熱|達到冰點")
_KNOTS = re.compile(r"速|船|艦|艇|航行|風|浪|颱風")
_ELECTRIC = re.compile(r"用電|發電|電量|電費|度電|供電|售電")
_NOT_DEGREE = "緯經角轉傾仰烈近視"
_SCALE_NAME_BEFORE = re.compile(r"(攝氏|華氏) ?(?:溫度)?$")
_SPEED_BEFORE = re.compile(r"(?:(?P<hour>時速|每小時|每個小時|每一小時|一小時)|(?P<second>秒速|每秒鐘?|每一秒)|(?P<minute>每分鐘?))(?:約|達|高達|超過|近|可達|可飛行|可行|行駛|前進|為|是|飛行)?$")
_SPEED_UNITS = ("km", "m", "[mi_i]", "[ft_i]", "[nmi_i]", "cm")
_ORDER = {"year": 0, "month": 1, "week": 2, "day": 3, "hour": 4, "min": 5, "s": 6, "ms": 7}
# Days, hours ... in each unit, for compound durations; a month counts as 30 days and a year as 365 only where days follow.
_IN_SMALLER = {
    ("year", "month"): 12,
    ("week", "day"): 7,
    ("day", "hour"): 24,
    ("hour", "min"): 60,
    ("min", "s"): 60,
    ("s", "ms"): 1000,
    ("month", "day"): 30,
}


def match_measure(text: str, pos: int, context: Context) -> Measure | None:
    """Read the measure whose sign or number begins at `pos` of folded text, with the words before that belong to it."""
    if text[pos] in "半對" or text.startswith("一半", pos):
        return _match_half(text, pos)
    number, sign = _scan_sign(text, pos)
    first = _amount(text, number, context)
    if first is None:
        return None
    first, second = _match_range(text, first, context)
    unit = first.unit or _NUMBER
    low, high = unit.scale(first.low) * sign, None
    comparator = first.comparator
    end = first.end
    if second is not None:
        second_unit = second.unit or _NUMBER
        low, high = low, second_unit.scale(second.low if second.high is None else second.high) * sign
        unit, comparator, end = second_unit, Comparator.RANGE, second.end
    elif first.high is not None:
        high = unit.scale(first.high) * sign
    if sign < 0 and high is not None and high < low:
        low, high = high, low
    start = pos
    kind, code = unit.kind, unit.code
    if kind in ("number", "money") and unit is not _PERCENT:
        named = match_currency_before(text, start, context)
        if named and (unit is _NUMBER or kind == "money"):
            start, code = named[0], named[1] if unit is _NUMBER or _is_bare_sum(text, end) else code
            kind = "money"
    elif kind == "temperature":
        scale = _SCALE_NAME_BEFORE.search(text, max(0, start - 6), start)
        if scale:
            start, code = scale.start(), "Cel" if scale[1] == "攝氏" else "[degF]"
    elif kind == "length" and code in _SPEED_UNITS:
        speed = _SPEED_BEFORE.search(text, max(0, start - 8), start)
        if speed:
            per = "h" if speed["hour"] else "s" if speed["second"] else "min"
            start, kind, code = speed.start(), "speed", f"{code}/{per}"
    start, end, comparator = _compare(text, start, end, first.numeral, comparator)
    return Measure(start, end, kind, comparator, low, high, code, first.numeral, unit.flags)


def _is_bare_sum(text: str, end: int) -> bool:
    return text[end - 1] in "元圓塊角分毛億萬"


def _scan_sign(text: str, pos: int) -> tuple[int, int]:
    for sign in ("負", "零下", "-", "+", "正"):
        if text.startswith(sign, pos):
            after = pos + len(sign)
            after += text[after : after + 1] == " "
            return after, 1 if sign in ("+", "正") else -1
    return pos, 1


def _match_half(text: str, pos: int) -> Measure | None:
    if (text.startswith(("對折", "半折"), pos)) and _DISCOUNT.match(text, pos + 1):
        numeral = Numeral(pos + 1, HALF, Style.FRACTION)
        return Measure(pos, pos + 2, "percent", Comparator.EQ, Decimal(50), None, "%", numeral)
    if share := _HALF_SHARE.match(text, pos):
        numeral = Numeral(share.end(), HALF, Style.FRACTION, bare_scale=True)
        start, end, comparator = _compare(text, pos, share.end(), numeral, Comparator.EQ)
        if share[0] == "半" and start == pos:
            return None
        return Measure(start, end, "number", comparator, HALF, None, None, numeral)
    match = _HALF.match(text, pos)
    if match is None or (pos and text[pos - 1] in _NOT_BEFORE_HALF and not text.startswith("超過", pos - 2)):
        if not (match and text[pos - 1 : pos] in ("過", "大", "多")):
            return None
        if text[pos - 1] != "過":
            return None
    value = _HALF_UNITS[match["unit"]]
    if value is None:
        return None
    code, low = value
    kind = "number" if code is None else "duration"
    if code in ("km", "m"):
        kind = "length"
    elif code == "kg":
        kind = "mass"
    elif code == "item":
        kind = "count"
    elif match["unit"] == "歲":
        kind = "age"
    numeral = Numeral(pos + 1, HALF, Style.FRACTION, bare_scale=True)
    comparator = Comparator.GT if "多" in match["unit"] else Comparator.EQ
    start, end, comparator = _compare(text, pos, match.end(), numeral, comparator)
    return Measure(start, end, kind, comparator, Decimal(low), None, code, numeral)


def _compare(
    text: str, start: int, end: int, numeral: Numeral, comparator: Comparator
) -> tuple[int, int, Comparator]:
    """Widen the span over the comparing words; a bound said in words is stronger than 約 or 餘."""
    before = comparator_before(text, start, bare=numeral.bare_scale)
    after = comparator_after(text, end)
    if after and after[1] in (Comparator.GT, Comparator.APPROX):  # 三年多以內, 百人左右以內
        further = comparator_after(text, after[0])
        after = further or after
    found = [comparator]
    if before:
        start = before[0]
        found.append(before[1])
    if after:
        end = after[0]
        found.append(after[1])
    if comparator is Comparator.RANGE:
        return start, end, comparator
    bounds = [word for word in found if word not in (Comparator.EQ, Comparator.APPROX)]
    words = [word for word in bounds[1 if comparator is Comparator.GT and len(bounds) > 1 else 0 :]]
    if words:
        return start, end, words[-1] if after and after[1] in words else words[0]
    return start, end, Comparator.APPROX if Comparator.APPROX in found else Comparator.EQ


def _match_range(text: str, first: _Amount, context: Context) -> tuple[_Amount, _Amount | None]:
    """Read the upper end of a range after its lower end, and give the lower one the scale and unit it leaves unsaid."""
    match = _RANGE.match(text, first.end) or _BETWEEN.match(text, first.end) or (first.unit and _OR.match(text, first.end))
    if match is None or match.end() >= len(text):
        return first, None
    number, sign = _scan_sign(text, match.end()) if text[match.end()] in "負零" else (match.end(), 1)
    if sign < 0:
        return first, None
    second = _amount(text, number, context)
    if second is None or (first.unit is not None and second.unit is None and not _continues(text, first, second)):
        return first, None
    low, unit = first.low, second.unit
    if first.unit is None:
        low = borrow_scale(low, second.numeral) if first.numeral.style is not Style.PERCENT else low
    elif unit is None:
        unit = first.unit
    elif unit.kind != first.unit.kind:
        return first, None
    elif unit.code != first.unit.code:
        ratio = _ratio(first.unit, unit)
        if ratio is None:
            return first, None
        low = low * ratio
    if first.numeral.style is Style.PERCENT and second.numeral.style is not Style.PERCENT and unit in (None, _NUMBER):
        second_low = second.low  # 百分之三十至五十
        unit = _PERCENT
        second = _Amount(second.end, second_low, second.high, second.comparator, unit, second.numeral)
    if "label" in (unit.flags if unit else ()):
        return first, None
    if second.low < low and not (second.high and second.high > low):
        return first, None
    low_amount = _Amount(first.end, low, None, Comparator.RANGE, unit, first.numeral)
    return low_amount, _Amount(second.end, second.low, second.high, Comparator.RANGE, unit, second.numeral)


def _continues(text: str, first: _Amount, second: _Amount) -> bool:
    """Whether a second number without a unit goes on a range begun with one (5%至10)."""
    assert first.unit is not None
    return first.unit.kind in ("percent", "temperature") and text[second.end : second.end + 1] in ("", "，", "。", ",", "、", ")")


def merge_bounds(text: str, first: Measure, second: Measure) -> Measure | None:
    """Join 「百分之五十以上、未達百分之六十」 to one range; None where the two do not bound one thing."""
    gap = text[first.end : second.start]
    lower = first.comparator in (Comparator.GE, Comparator.GT)
    upper = second.comparator in (Comparator.LE, Comparator.LT)
    if len(gap) > 1 + gap.startswith(("但", "且")) or gap.strip("、，,但且至到 ") or not (lower and upper):
        return None
    if first.unit != second.unit or first.high is not None or second.high is not None or first.low > second.low:
        return None
    return replace(first, end=second.end, comparator=Comparator.RANGE, high=second.low)


def _ratio(unit: Unit, other: Unit) -> Decimal | None:
    for code, factor in _LENGTHS_IN_M.items():
        if unit.code == code and other.code in _LENGTHS_IN_M:
            return factor / _LENGTHS_IN_M[other.code]
    if unit.kind == "duration" and unit.code and other.code:
        factor = _duration_factor(unit.code, other.code)
        if factor:
            return Decimal(factor)
        factor = _duration_factor(other.code, unit.code)
        return 1 / Decimal(factor) if factor else None
    return None


_LENGTHS_IN_M = {
    "mm": Decimal("0.001"),
    "cm": Decimal("0.01"),
    "m": Decimal(1),
    "km": Decimal(1000),
}


def _amount(text: str, pos: int, context: Context) -> _Amount | None:
    numeral = scan_numeral(text, pos)
    if numeral is None:
        return None
    low, high, comparator, end = numeral.low, numeral.high, numeral.comparator, numeral.end
    if numeral.style is Style.PERCENT:
        end = end + 3 if text.startswith("個百分點", end) else end
        return _Amount(end, low * 100, None if high is None else high * 100, comparator, _PERCENT, numeral)
    if _MINUTES.match(text, end):  # 5分30秒
        return _chain(text, _Amount(end + 1, low, None, comparator, units().entries["分鐘"], numeral), context)
    if end < len(text) and text[end - 1].isascii():
        english = _ENGLISH.match(text, end)
        letter = _LETTER.match(text, end) if english is None and match_currency_before(text, pos, context) else None
        if english or letter:
            low *= _TIMES[english[1].lower()] if english else _LETTER_TIMES[letter[1]]  # type: ignore[index]
            end = (english or letter).end()  # type: ignore[union-attr]
    extra = Decimal(0)
    half = _HALF_BEFORE_UNIT.match(text, end)
    if half:
        extra, end = HALF, half.end()
        end -= text[end - 1] == "個"
        found = match_unit(text, end) or match_unit("個" + text[end : end + 4], 0)
        if found is None:
            return None
        end_unit = found[0] if match_unit(text, end) else end + found[0] - 1
        return _Amount(end_unit, low + extra, None if high is None else high + extra, comparator, found[1], numeral)
    many = _MANY_BEFORE_UNIT.match(text, end)
    if many:
        found = match_unit("個" + text[many.end() : many.end() + 3], 0) or match_unit(text, many.end())
        if found and found[1].kind == "duration":
            word_end = many.end() + found[0] - 1
            return _Amount(word_end, low, high, Comparator.GT, found[1], numeral)
    unit_end = _find_unit(text, end, numeral, context)
    if unit_end is None:
        return _Amount(end, low, high, comparator, None, numeral)
    end, unit = unit_end
    amount = _Amount(end, low, high, comparator, unit, numeral)
    return _remainder(text, amount, context) if high is None else amount


def _find_unit(text: str, end: int, numeral: Numeral, context: Context) -> tuple[int, Unit] | None:
    pos = end
    if text[end : end + 1] == " " and text[end - 1].isascii():
        pos += 1
    if pos >= len(text):
        return None
    money = match_money_unit(text, pos, context)
    if money:
        return money
    if text[pos] == "折":
        return _discount(text, pos, numeral)
    found = match_unit(text, pos)
    if found is None:
        return None
    end, unit = found
    if numeral.style is Style.FRACTION and unit.kind == "count" and numeral.low < 1:
        return None
    if "context" in unit.flags:
        if unit.kind == "temperature":
            if _is_temperature(text, pos, end):
                return found
            power = numeral.low >= 1000 or _ELECTRIC.search(text, max(0, pos - 20), end + 4)
            return (end, units().entries["度電"]) if power and (context.mentions("電") or not context.guess) else None
        known = _KNOTS.search(text, max(0, pos - 14), pos) if unit.kind == "speed" else context.speaks_of_oil
        if not known:
            return end, units().entries["個"]
    if "many" in unit.flags and numeral.style is Style.CHINESE and numeral.low < 4:
        return None
    if unit.kind == "percent" and text[pos] == "成" and (numeral.low > 10 or numeral.style is Style.POSITIONAL):
        return None
    return found


def _discount(text: str, pos: int, numeral: Numeral) -> tuple[int, Unit] | None:
    match = _DISCOUNT.match(text, pos)
    if match is None or not 0 < numeral.low < 100:
        return None
    factor = Fraction(10) if numeral.low < 10 else Fraction(1)
    return match.end(), Unit("percent", "%", factor, frozenset(), frozenset())


def _is_temperature(text: str, pos: int, end: int) -> bool:
    window = text[max(0, pos - 32) : pos] + text[end : end + 16]
    begin = pos
    while begin > 0 and (text[begin - 1].isdigit() or text[begin - 1] in "零一二三四五六七八九十百點.負-下"):
        begin -= 1
    if begin and text[begin - 1] in _NOT_DEGREE:
        return False
    if begin == 0 and len(text) <= end + 1:
        return True  # nothing else is said
    return bool(_DEGREE.search(window)) or text[begin] in "負-"


def _remainder(text: str, amount: _Amount, context: Context) -> _Amount:
    """Read what refines an amount after its unit: 三年半, 三年六個月, 五塊二, 一米八, 三成五."""
    assert amount.unit is not None
    unit, end, low = amount.unit, amount.end, amount.low
    if end >= len(text):
        return amount
    if unit.kind == "money":
        end, change = scan_change(text, end, unit)
        return amount if end == amount.end else _replace(amount, end, low + change)
    if unit.kind in _HALVED and (half := _HALF_AFTER_UNIT.match(text, end)):
        if unit.code != "%" or unit.factor == 10:
            return _replace(amount, half.end(), low + HALF)
    char = text[end]
    if unit.kind == "percent" and unit.factor == 10 and (char in DIGITS or char in "123456789") and text[end - 1] == "成":
        return _replace(amount, end + 1, low + (DIGITS[char] if char in DIGITS else Decimal(char)) / Decimal(10))
    if unit.kind == "length" and text[end - 1] in "米尺" and low < 10 and unit.code == "m":
        return _height(text, amount)
    if unit.kind in ("duration", "age", "length", "mass"):
        return _chain(text, amount, context)
    return amount


def _replace(amount: _Amount, end: int, low: Decimal, unit: Unit | None = None) -> _Amount:
    return _Amount(end, low, amount.high, amount.comparator, unit or amount.unit, amount.numeral)


def _height(text: str, amount: _Amount) -> _Amount:
    numeral = scan_numeral(text, amount.end)
    if numeral is None or numeral.digits not in (1, 2) or numeral.high is not None:
        return amount
    after = text[numeral.end : numeral.end + 1]
    if after in ("公", "厘", "釐", "年", "月", "日", "人", "個") or match_unit(text, numeral.end):
        return _chain(text, amount, None)
    return _replace(amount, numeral.end, amount.low + numeral.low / (10**numeral.digits))


def _chain(text: str, amount: _Amount, context: Context | None) -> _Amount:
    """Add the smaller units that follow (三年六個月, 2小時30分, 5呎8吋), in the smallest unit said."""
    assert amount.unit is not None
    pos, unit, total = amount.end, amount.unit, amount.low
    code = unit.code or ""
    moved = False
    while True:
        begin = pos + (text[pos : pos + 1] in ("又", "零", "零", " "))
        numeral = scan_numeral(text, begin)
        if numeral is None or numeral.high is not None or numeral.style is Style.FRACTION:
            break
        found = match_unit(text, numeral.end)
        if found is None and code == "hour" and text[numeral.end : numeral.end + 1] == "分":
            found = numeral.end + 1, units().entries["分鐘"]
        if found is None:
            break
        smaller = found[1]
        if smaller.kind == "duration" and text[found[0] - 1] in "夜晚宿" and code == "day":  # 三天兩夜 is three days
            return _replace(amount, found[0], total, unit)
        same = smaller.kind == unit.kind or (unit.kind == "age" and smaller.kind == "duration")
        factor = _duration_factor(code, smaller.code or "") if unit.kind in ("duration", "age") else None
        if unit.kind in ("length", "mass"):
            factor = _SMALLER.get((code, smaller.code or ""))
        if not same or factor is None:
            break
        total = unit.scale(total) * factor + smaller.scale(numeral.low)
        code = smaller.code or ""
        unit = Unit(unit.kind, code, Fraction(1), frozenset(), frozenset())
        pos, moved = found[0], True
    return _replace(amount, pos, total, unit) if moved else amount


_SMALLER = {
    ("m", "cm"): 100,
    ("km", "m"): 1000,
    ("cm", "mm"): 10,
    ("[ft_i]", "[in_i]"): 12,
    ("[mi_i]", "[ft_i]"): 5280,
    ("kg", "g"): 1000,
    ("t", "kg"): 1000,
    ("[lb_av]", "[oz_av]"): 16,
}


def _duration_factor(larger: str, smaller: str) -> int | None:
    """How many `smaller` one `larger` holds; None where it is not larger."""
    if larger not in _ORDER or smaller not in _ORDER or _ORDER[larger] >= _ORDER[smaller]:
        return None
    if (larger, smaller) in _IN_SMALLER:
        return _IN_SMALLER[larger, smaller]
    if larger == "year" and smaller == "day":
        return 365
    for (first, second), factor in _IN_SMALLER.items():
        if first == larger and (rest := _duration_factor(second, smaller)):
            return factor * rest
    return None
