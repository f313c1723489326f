"""A number with its unit and what refines it: 兩個半小時, 三年多, 三成五, $1.5 million, 攝氏零下五度, 85折."""

import re
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from treaty_clauses.compounds import Amount, scan_chain, scan_height
from treaty_clauses.labels import Comparator
from treaty_clauses.money import Context, match_currency_before, match_money_unit, scan_change
from treaty_clauses.numeral_signs import DIGITS
from treaty_clauses.numerals import Numeral, Style, scan_numeral
from treaty_clauses.units import Unit, match_unit, units

HALF = Decimal("0.5")
PERCENT = Unit("percent", "%", Fraction(1), frozenset(), frozenset())
_TENTHS = Unit("percent", "%", Fraction(10), frozenset(), frozenset())
_TIMES = {
    "thousand": 10**3,
    "million": 10**6,
    "mn": 10**6,
    "billion": 10**9,
    "bn": 10**9,
    "trillion": 10**12,
    "tn": 10**12,
}
_ENGLISH = re.compile(rf" ?({'|'.join(_TIMES)})(?![A-Za-z])", re.IGNORECASE)
# Letters count only after a currency sign: $5m.
_LETTER_TIMES = {"k": 10**3, "K": 10**3, "m": 10**6, "M": 10**6, "b": 10**9, "B": 10**9, "T": 10**12}
_LETTER = re.compile(rf"([{''.join(_LETTER_TIMES)}])(?![A-Za-z0-9])")
_MINUTES = re.compile(r"分(?=(?:\d{1,2}|[一二三四五六七八九十]{1,3})秒)")
_HALF_MINUTE = re.compile(r"分半(?:鐘|(?=$|[，。、；後內]))")
_SPAN = r"(?:小時|鐘頭|月(?![刊亮球])|世紀|星期|禮拜)"
_HALF_BEFORE_UNIT = re.compile(rf"個?半(?:個(?={_SPAN}))?(?={_SPAN}|鐘|工作天|季度|百分點)")
_MANY_BEFORE_UNIT = re.compile(rf"個?[多餘]個?(?={_SPAN})")
_HALF_AFTER_UNIT = re.compile(r"半(?![導島價數票夜空年小場決徑途路邊面開晌官天日個成推就壁百句點])")
_HALVED_KINDS = frozenset({"duration", "age", "length", "mass", "percent", "temperature", "number"})
_COMPOUND_KINDS = frozenset({"duration", "age", "length", "mass"})
_DISCOUNT = re.compile(r"折(?![疊扣騰磨價衷返損斷射頁衝舊算合抵現])")
_PIECE_AND_A_HALF = re.compile(r"半(?=$|[，。、；！？)])")
_DECADES_OF_LIFE = 5  # 七旬 is an age, 兩旬 are twenty days
# What 度 and 節 mean is told by words nearby: degrees or kilowatt-hours, knots or items.
_DEGREES = re.compile(
    r"氣溫|溫度|高溫|低溫|水溫|體溫|均溫|室溫|升溫|降溫|增溫|恆溫|攝氏|華氏|零下|發燒|燒到|暖化|熱浪|寒流|天氣|氣象|炎熱|酷熱|冰點"
)
_RATE = re.compile(r"[升降加減調]息|利率|調升|調降")
_STEP_OF_RATE = Unit("percent", "%", Fraction(1, 4), frozenset(), frozenset())
_LONE = re.compile(r"(?:高於|低於|超過|少於|不到|至少|最多|大約|約|近|逾)?[\d零一二三四五六七八九十百點.負至到~-]*")
_NOT_DEGREES_AFTER = "緯經角轉傾仰烈近視"
_ELECTRICITY = re.compile(r"用電|發電|電量|電費|度電|供電|售電")
_MUCH_ELECTRICITY = 1000  # so many 度 are no temperature
_KNOTS = re.compile(r"速|船|艦|艇|航行|風|浪")


def scan_amount(text: str, pos: int, context: Context) -> Amount | None:
    """Read the number at `pos` of folded text with its unit, if it has one, and what refines it."""
    numeral = scan_numeral(text, pos)
    if numeral is None:
        return None
    if numeral.style is Style.PERCENT:
        end = numeral.end + 3 * text.startswith("個百分點", numeral.end)
        return Amount(end, numeral.low * 100, _times(numeral.high, 100), numeral.comparator, PERCENT, numeral)
    amount = Amount(numeral.end, numeral.low, numeral.high, numeral.comparator, None, numeral)
    if _MINUTES.match(text, numeral.end):  # 5分30秒
        return scan_chain(text, replace(amount, end=numeral.end + 1, unit=units().entries["分鐘"]))
    if half := _HALF_MINUTE.match(text, numeral.end):  # 一分半鐘
        return replace(amount, end=half.end(), low=amount.low + HALF, unit=units().entries["分鐘"])
    if text[numeral.end - 1].isascii():
        amount = _scan_times(text, pos, amount, context)
    if refined := _scan_before_unit(text, amount):
        return refined
    found = _match_any_unit(text, amount.end, numeral, context)
    if found is None:
        return amount
    amount = Amount(found[0], amount.low, amount.high, amount.comparator, found[1], numeral)
    return _scan_remainder(text, amount) if amount.high is None else amount


def _times(value: Decimal | None, factor: int) -> Decimal | None:
    return None if value is None else value * factor


def _scan_times(text: str, pos: int, amount: Amount, context: Context) -> Amount:
    """Read million after figures, or m after a currency sign and figures."""
    factor, end = 1, amount.end
    if english := _ENGLISH.match(text, end):
        factor, end = _TIMES[english[1].lower()], english.end()
    elif (letter := _LETTER.match(text, end)) and (
        match_currency_before(text, pos, context) or (pos == 0 and letter.end() == len(text) and letter[1] in "kKM")
    ):  # 100K stands for a number only alone
        factor, end = _LETTER_TIMES[letter[1]], letter.end()
    if end == amount.end:
        return amount
    return replace(amount, end=end, low=amount.low * factor, high=_times(amount.high, factor))


def _scan_before_unit(text: str, amount: Amount) -> Amount | None:
    """Read 半 and 多 between a number and a unit of time: 一個半小時, 兩個多月."""
    for pattern, extra, comparator in (
        (_HALF_BEFORE_UNIT, HALF, amount.comparator),
        (_MANY_BEFORE_UNIT, Decimal(0), Comparator.GT),
    ):
        match = pattern.match(text, amount.end)
        if match is None:
            continue
        end = match.end()
        found = match_unit(text, end)
        # 月 alone is a month of the year: the unit is 個月, whose 個 stands before the 半.
        unit = units().entries.get(f"個{text[end : found[0]]}") if found else None
        if found and (unit or found[1]).kind in ("duration", "percent"):
            high = None if amount.high is None else amount.high + extra
            return replace(
                amount, end=found[0], low=amount.low + extra, high=high, comparator=comparator, unit=unit or found[1]
            )
    return None


def _match_any_unit(text: str, end: int, numeral: Numeral, context: Context) -> tuple[int, Unit] | None:
    pos = end + (text.startswith(" ", end) and text[end - 1].isascii())
    if pos >= len(text):
        return None
    if money := match_money_unit(text, pos, context):
        return money
    if text[pos] == " " and text[pos - 1] in "萬億兆" and (money := match_money_unit(text, pos + 1, context)):
        return money  # 100 億 美元
    if text[pos] == "折":
        return match_discount(text, pos, numeral.low)
    found = match_unit(text, pos)
    if found is None:
        return None
    if text[pos] == "碼" and _RATE.search(text, max(0, pos - 10), pos):
        return found[0], _STEP_OF_RATE  # 升息兩碼
    end, unit = found
    if numeral.style is Style.FRACTION and unit.kind == "count" and numeral.low < 1:
        return None  # 三分之一人口
    if "context" in unit.flags:
        return _match_by_context(text, pos, end, unit, numeral, context)
    if "many" in unit.flags and numeral.style is Style.CHINESE and numeral.low < 4:
        return None
    if text[pos] == "旬" and numeral.low < _DECADES_OF_LIFE:
        return end, units().entries["個旬"]
    if text[pos] == "成" and (numeral.low > 10 or numeral.style is Style.POSITIONAL):
        return None
    return found


def match_discount(text: str, pos: int, value: Decimal) -> tuple[int, Unit] | None:
    """Read the 折 of a discount as percent: 九折 and 90折 leave 90 percent of the price."""
    match = _DISCOUNT.match(text, pos)
    if match is None or not 0 < value < 100:
        return None
    return match.end(), _TENTHS if value < 10 else PERCENT


def _match_by_context(
    text: str, pos: int, end: int, unit: Unit, numeral: Numeral, context: Context
) -> tuple[int, Unit] | None:
    if unit.kind == "temperature":
        if _are_degrees(text, pos, end):
            return end, unit
        electric = numeral.low >= _MUCH_ELECTRICITY or _ELECTRICITY.search(text, max(0, pos - 20), end + 4)
        known = context.mentions("電") or not context.guess
        return (end, units().entries["度電"]) if electric and known else None
    near_ship = bool(_KNOTS.search(text, max(0, pos - 14), pos))
    known = near_ship if unit.kind == "speed" else context.speaks_of_oil
    return end, unit if known else units().entries["個"]


def _are_degrees(text: str, pos: int, end: int) -> bool:
    begin = pos
    while begin > 0 and (text[begin - 1].isdigit() or text[begin - 1] in "零一二三四五六七八九十百點.負-下"):
        begin -= 1
    if begin and text[begin - 1] in _NOT_DEGREES_AFTER:
        return False
    if len(text) <= end + 1 and (begin == 0 or _LONE.fullmatch(text, 0, begin)):
        return True  # nothing else is said
    return (
        bool(_DEGREES.search(text, max(0, pos - 32), pos) or _DEGREES.search(text, end, end + 16))
        or text[begin] in "負-"
    )


def _scan_remainder(text: str, amount: Amount) -> Amount:
    """Read what refines an amount after its unit: 三年半, 三年六個月, 五塊二, 一米八, 三成五."""
    assert amount.unit is not None
    unit, end = amount.unit, amount.end
    if end >= len(text):
        return amount
    if unit.kind == "money":
        end, change = scan_change(text, end, unit)
        return amount if end == amount.end else replace(amount, end=end, low=amount.low + change)
    if text[end - 1] == "個" and (piece := _PIECE_AND_A_HALF.match(text, end)):  # 兩個半
        return replace(amount, end=piece.end(), low=amount.low + HALF)
    tenths = unit.kind == "percent" and unit.factor == 10
    half = _HALF_AFTER_UNIT.match(text, end) if unit.kind in _HALVED_KINDS else None
    if half and (unit.code != "%" or tenths):
        return replace(amount, end=half.end(), low=amount.low + HALF)
    if tenths and text[end - 1] == "成" and (digit := DIGITS.get(text[end], _ascii_digit(text[end]))) is not None:
        return replace(amount, end=end + 1, low=amount.low + Decimal(digit) / 10)
    if unit.code == "m" and text[end - 1] in "米尺" and amount.low < 10:
        return scan_height(text, amount)
    return scan_chain(text, amount) if unit.kind in _COMPOUND_KINDS else amount


def _ascii_digit(char: str) -> int | None:
    return int(char) if char in "123456789" else None
