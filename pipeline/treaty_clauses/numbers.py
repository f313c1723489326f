"""The value of a numeric term that was marked in an article (guidelines section 5), or a refusal."""

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal

from treaty_clauses.comparators import comparator_after, comparator_before
from treaty_clauses.dates import CLOCK_AT, DateMatch, match_date
from treaty_clauses.dates_relative import side_after
from treaty_clauses.folding import fold
from treaty_clauses.labels import Comparator, TermRole
from treaty_clauses.measures import Measure, match_measure, merge_bounds
from treaty_clauses.money import NO_CURRENCY, Context
from treaty_clauses.numerals import Numeral, Style, scan_numeral
from treaty_clauses.told_years import ToldYear, place_in_told_year
from treaty_clauses.triggers import TRIGGER
from treaty_clauses.types import Quantity

# Shares that are said without a number.
_EQUAL_SHARE = re.compile(
    r"平分|對分|均分|各半|對半|五五分帳|五五分|參半|減半|攤分|一半|(?:^|(?<=[近逾過超約各]))半(?=$|以上|以下)"
)
_HALF = Decimal("0.5")
_NTH = re.compile(r"第(?=[\d零〇一二兩三四五六七八九十百廿卅])")
_NTH_UNITS = {
    "天": "day",
    "日": "day",
    "週": "week",
    "個月": "month",
    "月": "month",
    "年": "year",
    "個小時": "hour",
    "小時": "hour",
}
_NTH_UNIT = re.compile("|".join(_NTH_UNITS))
# A deadline further back than this is meant for the year after. Six weeks: the article may tell of one just missed.
_PAST_DAYS = 45
_UNSAID_YEAR = re.compile(r"[^\d一二三四五六七八九十]*(?:1[0-2]|[1-9]|十[一二]?|[一二三四五六七八九])月")
_PERIOD_BEFORE = re.compile(r"(?:限期|期限為?|為期|時限為?)$")
_DAY_ONLY = re.compile(r"[\d一二三四五六七八九十廿卅]+日")
_LIMIT = re.compile(r"為(?:上|度)?限$|為度$")
_AT_LEAST_UNTIL = re.compile(r"(?:至少|最少)\D{0,2}[到至]")
_AHEAD = re.compile(r"未來|今後|往後|接下來")
_BEFORE_LIMIT = re.compile(r"的?(?:最後)?[期時]限(?:之|以)?前$")
_UNTIL = re.compile(r"[至到迄]$")
_SPLIT = re.compile(r"(?P<mine>[一二三四五六七八九1-9])[比:](?P<yours>[一二三四五六七八九1-9])")  # 七比三
_TENTHS = 10
_IDIOM = re.compile(r"成[千百](?:上[千萬]|成萬)|上千上萬|千千萬萬|萬萬千千|千百萬|幾千幾萬")
_INSIDE = re.compile(r"\D{1,6}[內裡]$")  # 兩週時間內, 30公里範圍內
_NOT_MORE = re.compile(r"不(?:得|能|可|應|許|准)\D{1,12}(?:超過|逾|多於)")
_LEVY = re.compile(r"每(?P<of>[十百千])抽(?P<part>[一二三四五六七八九]|\d)$")  # 每百抽五
_SMALL_LENGTHS = {"mm": Decimal("0.001"), "cm": Decimal("0.01"), "dm": Decimal("0.1")}
_WITHIN = re.compile(r"內$")
# A bound that opens the span with other words before the number: 最多設三個, 不得超過海拔五百公尺, 至少要增至十億.
_LEADING = re.compile(
    r"(?P<ge>至少|最少|最低|起碼|不得?少於|不得?低於)"
    r"|(?P<le>最多|至多|最高|不得超過|不超過|不得?多於|不得?高於|不得?大於|上限|限(?=[\d一二三四五六七八九十百千]))|(?P<gt>超過|逾|多於)|(?P<lt>少於|低於|未滿|不到)"
)
_NTH_RANGE = re.compile(
    rf"第([\d零〇一二兩三四五六七八九十百廿卅]+)({_NTH_UNIT.pattern}|)(?:至|到|-|~)第?([\d零〇一二兩三四五六七八九十百廿卅]+)({_NTH_UNIT.pattern})"
)
_NEXT_DAY = re.compile(r"(?:翌日|次日|隔日|隔天)(?:零時|\d+時|凌晨|上午)?(?P<from>起)?$")
_LATEST = re.compile(r"不得?晚於|不得?遲於|最遲|最晚|至遲")


def normalize_term(
    text: str,
    *,
    published: date | None = None,
    currency_hint: str | None = None,
    role: TermRole | None = None,
    told: ToldYear | None = None,
) -> Quantity | None:
    """Read the exact span of a numeric term as a value in record units, or None where that would be a guess.

    Args:
        text: The span, comparing words included: 60萬人以內, 約3,000億美元, 100天內, 11月27日前.
        published: The article's date; completes partial dates and resolves relative ones (明年3月). A span that counts from
            it or from an event (100天內, 三天後) stays relative.
        currency_hint: ISO 4217 code of bare 元; without it bare 元 is refused.
        role: What the term fixes, where known: a plain count that is a troop cap or a headcount counts persons.
        told: The year that the passage tells of before the span; a month without a year is in it.

    >>> normalize_term("不得超過8.5萬人")
    Quantity(value=Decimal('85000'), unit='person', comparator=<Comparator.LE: 'le'>, high=None)
    >>> normalize_term("11月27日前", published=date(2025, 11, 24)).value, normalize_term("年底前") is None
    ('2025-11-27', True)
    """
    folded = fold(text)
    context = Context(folded, published, currency_hint, guess=False)
    if _IDIOM.search(folded):
        return None
    share = _EQUAL_SHARE.search(folded)
    if share:
        return _equal_share(folded, share.start(), share.end())
    if levy := _LEVY.search(folded):
        part, whole = scan_numeral(levy["part"], 0), scan_numeral(levy["of"], 0)
        return Quantity(part.low / whole.low, "ratio", Comparator.EQ) if part and whole else None
    if role is TermRole.SHARE and (split := _SPLIT.fullmatch(folded)):
        parts = [scan_numeral(split[group], 0) for group in ("mine", "yours")]
        if parts[0] and parts[1] and parts[0].low + parts[1].low == _TENTHS:
            return Quantity(parts[0].low / _TENTHS, "ratio", Comparator.EQ)
    if match := _NEXT_DAY.match(folded):
        return Quantity(Decimal(1), "day", Comparator.GE if match["from"] else Comparator.EQ)
    if match := _NTH.search(folded):
        nth = _nth(folded, match)
        if nth:
            return nth
    found = _scan(folded, context, spans=role is TermRole.DURATION)
    if len(found) == 2 and isinstance(found[0], Measure) and isinstance(found[1], Measure):
        merged = merge_bounds(folded, found[0], found[1])
        found = [merged] if merged else found
    if len(found) > 1:  # the 一 of 一直到9月, the 五 of 在五島超過一個
        found = [term for term in found if isinstance(term, DateMatch) or term.unit or not _is_lone_digit(term.numeral)]
    if len(found) != 1:
        return None
    term = found[0]
    if isinstance(term, DateMatch):
        placed = place_in_told_year(folded, term, told, context, {}, clock=True) if told else term
        if placed is not term:
            term = placed
        elif role is TermRole.DEADLINE and published:
            term = _ahead(folded, term, published)
        bounds = role in (TermRole.DEADLINE, TermRole.DURATION) and term.comparator is Comparator.EQ
        if _AT_LEAST_UNTIL.match(folded):
            term = replace(term, comparator=Comparator.GE)
        elif bounds and (_UNTIL.search(folded, 0, term.start) or _BEFORE_LIMIT.match(folded, term.end)):
            term = replace(term, comparator=Comparator.LE)
        return _date_quantity(folded, term)
    return _quantity(folded, term, role, currency_hint)


def _is_lone_digit(numeral: Numeral) -> bool:
    return numeral.digits == 1 and numeral.style is Style.CHINESE


def _ahead(text: str, term: DateMatch, published: date) -> DateMatch:
    """Read a deadline whose year is not said, and that the nearest year would put into the past, as the next year's."""
    if term.first is None or (published - term.first).days < _PAST_DAYS or not _UNSAID_YEAR.match(text, term.start):
        return term
    later = match_date(text, term.begin, Context(text, term.first.replace(year=term.first.year + 1, day=1)), clock=True)
    return later or term


def _scan(text: str, context: Context, *, spans: bool) -> list[DateMatch | Measure]:
    found: list[DateMatch | Measure] = []
    pos = 0
    while match := TRIGGER.search(text, pos):
        start = match.start()
        clock = CLOCK_AT.match(text, start)
        if clock:
            pos = clock.end()
            continue
        dated = match_date(text, start, context, clock=True)
        if dated and (spans or _PERIOD_BEFORE.search(text, 0, start)) and _DAY_ONLY.match(text, start):
            dated = None  # 四日停火 lasts four days, 限期三十日 too
        term = dated or match_measure(text, start, context)
        if term is None:
            pos = start + 1
        else:
            found.append(term)
            pos = max(term.end, start + 1)
    return found


def _equal_share(text: str, start: int, end: int) -> Quantity:
    comparator = Comparator.EQ
    if before := comparator_before(text, start, bare=True):
        comparator = before[1]
    if after := comparator_after(text, end):
        comparator = after[1]
    return Quantity(_HALF, "ratio", comparator)


def _nth(text: str, match: re.Match[str]) -> Quantity | None:
    """Read 第22天起, 第三年以前: so many days or years after an event that the span does not name."""
    if between := _NTH_RANGE.search(text):
        low, high = scan_numeral(between[1], 0), scan_numeral(between[3], 0)
        if low and high and between[2] in (between[4], ""):
            return Quantity(low.low, _NTH_UNITS[between[4]], Comparator.RANGE, high.low)
    numeral = scan_numeral(text, match.end())
    unit = _NTH_UNIT.match(text, numeral.end) if numeral else None
    if numeral is None or unit is None or numeral.comparator is not Comparator.EQ:
        return None
    comparator = Comparator.EQ
    side = side_after(text, unit.end())
    if _LATEST.search(text, 0, match.start()):
        comparator = Comparator.LE
    elif side and side[1] < 0:
        comparator = Comparator.LT if side[0] == unit.end() + 1 else Comparator.LE  # 前, 以前
    elif after := comparator_after(text, unit.end()):
        comparator = after[1]
    return Quantity(numeral.low, _NTH_UNITS[unit[0]], comparator)


def _date_quantity(text: str, term: DateMatch) -> Quantity | None:
    if not term.iso or term.iso.startswith("---") or (term.first is None and term.comparator is Comparator.RANGE):
        return None
    if _VAGUE.match(text, term.start):
        return None
    if term.iso_high is not None:
        return Quantity(term.iso, "date", Comparator.RANGE, term.iso_high)
    if term.first is None or term.last is None or term.first == term.last:
        return Quantity(term.iso, "date", term.comparator)
    if term.comparator is Comparator.LE and _WITHIN.search(text, term.start, term.end):
        return Quantity(term.last.isoformat(), "date", term.comparator)
    if len(term.iso) < len("2025-11-27"):
        return Quantity(term.iso, "date", term.comparator)
    if term.comparator in (Comparator.EQ, Comparator.APPROX):
        return Quantity(term.iso, "date", Comparator.RANGE, term.last.isoformat())
    day = term.first if term.comparator in (Comparator.LT, Comparator.GE) else term.last
    return Quantity(day.isoformat(), "date", term.comparator)


# Time words without a number are no terms (guidelines section 8).
_VAGUE = re.compile(
    r"(?:[年月][底初終]|[本這上下]個?[週月季年]|今年|明年|去年)(?![\d一二三四五六七八九十])(?:底|初)?(?:以?前|以?後|之前|之後|內|起)?$"
)


def _quantity(text: str, term: Measure, role: TermRole | None, currency_hint: str | None) -> Quantity | None:
    unit, low, high = term.unit, term.low, term.high
    if term.kind == "percent":
        unit, low, high = "ratio", low / 100, None if high is None else high / 100
    elif term.kind == "number" and unit is None:
        share = (
            term.numeral.style is Style.FRACTION
            or text[term.end - 1 : term.end] == "倍"
            or "倍" in text[term.start : term.end]
        )
        # 20億北嶺元: what follows may be a currency that no table knows.
        unknown = text[term.end :].strip() and currency_hint != NO_CURRENCY
        hint = None if unknown else currency_hint
        unit = "ratio" if share else hint if role is TermRole.ASSET_SUM else "item"
    elif term.kind == "money" and unit is None:
        return None
    if unit == "item" and (role is TermRole.HEADCOUNT or (role is TermRole.TROOP_CAP and term.kind == "number")):
        unit = "person"
    if unit in _SMALL_LENGTHS:
        unit, low, high = "m", low * _SMALL_LENGTHS[unit], None if high is None else high * _SMALL_LENGTHS[unit]
    if unit is None or "label" in term.flags or (term.kind == "number" and text.startswith("分", term.end)):
        return None  # 三七分帳 has no one value
    comparator = term.comparator
    if comparator is Comparator.EQ and (_INSIDE.match(text, term.end) or text.startswith("限期")):
        comparator = Comparator.LE
    if comparator is Comparator.EQ and role is TermRole.DEADLINE and _AHEAD.match(text):
        comparator = Comparator.LE
    if comparator is Comparator.GT and _NOT_MORE.search(text, 0, term.end):
        comparator = Comparator.LE
    if comparator is Comparator.EQ and _LIMIT.search(text):
        comparator = Comparator.LE
    if comparator is Comparator.EQ and (leading := _LEADING.match(text)):
        comparator = Comparator(leading.lastgroup or "eq")
    return Quantity(_plain(low), unit, comparator, None if high is None else _plain(high))


def _plain(value: Decimal) -> Decimal:
    """Drop trailing zeros, without an exponent: Decimal('85000.0') is 85000."""
    return Decimal(int(value)) if value == value.to_integral_value() else value.normalize()
