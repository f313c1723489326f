"""Amounts said in several units: 三年六個月, 2小時30分, 5呎8吋, 一米七五; given in the smallest unit said."""

from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from treaty_clauses.labels import Comparator
from treaty_clauses.numerals import Numeral, Style, scan_numeral
from treaty_clauses.units import Unit, match_unit, units

# How many of the second unit one of the first holds. A month counts as 30 days and a year as 365 only where months or years
# are said together with days (一年兩個月二十一天).
_HOLDS = {
    ("year", "month"): 12,
    ("year", "day"): 365,
    ("month", "day"): 30,
    ("week", "day"): 7,
    ("day", "hour"): 24,
    ("hour", "min"): 60,
    ("min", "s"): 60,
    ("s", "ms"): 1000,
    ("km", "m"): 1000,
    ("m", "cm"): 100,
    ("cm", "mm"): 10,
    ("[ft_i]", "[in_i]"): 12,
    ("[mi_i]", "[ft_i]"): 5280,
    ("t", "kg"): 1000,
    ("kg", "g"): 1000,
    ("[lb_av]", "[oz_av]"): 16,
}


@dataclass(frozen=True, slots=True)
class Amount:
    """A number with its unit; `low` and `high` as said, not yet scaled to the unit's code (三成 is 3)."""

    end: int
    low: Decimal
    high: Decimal | None
    comparator: Comparator
    unit: Unit | None
    numeral: Numeral


def holds(larger: str, smaller: str) -> int | None:
    """Return how many `smaller` one `larger` holds; None where it is not larger, or of another kind.

    >>> holds("day", "min"), holds("min", "day")
    (1440, None)
    """
    direct = _HOLDS.get((larger, smaller))
    if direct:
        return direct
    for (first, second), count in _HOLDS.items():
        if first == larger and second != smaller and (rest := holds(second, smaller)):
            return count * rest
    return None


def ratio(unit: str, other: str) -> Decimal | None:
    """Return what one `unit` is in `other`, where both are of one family (500公尺至2公里)."""
    if more := holds(unit, other):
        return Decimal(more)
    fewer = holds(other, unit)
    return 1 / Decimal(fewer) if fewer else None


def scan_chain(text: str, amount: Amount) -> Amount:
    """Add the smaller units that follow an amount; 三天兩夜 are three days."""
    assert amount.unit is not None
    pos, unit, total = amount.end, amount.unit, amount.low
    while True:
        begin = pos + (text[pos : pos + 1] in ("又", "零", " "))
        numeral = scan_numeral(text, begin)
        if numeral is None or numeral.high is not None or numeral.style is Style.FRACTION:
            break
        found = match_unit(text, numeral.end)
        if found is None and unit.code == "hour" and text.startswith("分", numeral.end):
            found = numeral.end + 1, units().entries["分鐘"]
        if found is None:
            break
        end, smaller = found
        if unit.code == "day" and smaller.code == "day" and text[end - 1] in "夜晚宿":
            pos = end
            break
        count = holds(unit.code or "", smaller.code or "")
        if unit.code == smaller.code == "kg" and smaller.factor < unit.factor:  # 一斤二兩
            count = 1
        if count is None or smaller.kind not in (unit.kind, "duration" if unit.kind == "age" else unit.kind):
            break
        total = unit.scale(total) * count + smaller.scale(numeral.low)
        unit = Unit(unit.kind, smaller.code, Fraction(1), frozenset(), frozenset())
        pos = end
    return amount if pos == amount.end else replace(amount, end=pos, low=total, unit=unit)


def scan_height(text: str, amount: Amount) -> Amount:
    """Read the decimals after meters: 一米八, 1米75."""
    numeral = scan_numeral(text, amount.end)
    if numeral is None or numeral.digits not in (1, 2) or numeral.high is not None:
        return amount
    if match_unit(text, numeral.end) or text.startswith(("公", "厘", "釐", "年", "月", "日"), numeral.end):
        return scan_chain(text, amount)
    return replace(amount, end=numeral.end, low=amount.low + numeral.low / (10**numeral.digits))
