"""Finds every numeric expression of a text: numbers, sums, counts, dates, spans of time, and the rest of `KINDS`.

The same grammars (`measures`, `dates`) serve the records by way of `numbers.normalize_term`. What is decided here is only
where in running text an expression begins, and what is none: names (28點方案, 第五條, G20), idioms, times of day.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from treaty_clauses.calendars import add_days
from treaty_clauses.date_periods import is_festival
from treaty_clauses.dates import CLOCK, CLOCK_AT, DateMatch, match_date
from treaty_clauses.dates_relative import add_working_days, side_after, side_before, step_date
from treaty_clauses.errors import InputError
from treaty_clauses.folding import fold
from treaty_clauses.labels import Comparator
from treaty_clauses.measures import Measure, match_measure, merge_bounds
from treaty_clauses.moments import Moment
from treaty_clauses.money import Context
from treaty_clauses.names import is_accepted_count, is_accepted_number, match_name, match_ordinal
from treaty_clauses.rows import answer_rows, text_of
from treaty_clauses.told_years import ToldYear, place_in_told_year, told_by
from treaty_clauses.triggers import TRIGGER

KINDS = (
    "number ordinal count money percent duration date date_range length area volume mass speed temperature energy power data age"
).split()
Value = Decimal | str | tuple[Decimal, Decimal] | tuple[str, str]


@dataclass(frozen=True, slots=True)
class QuantityMatch:
    """A numeric expression, `text[start:end]`.

    `value` is a Decimal in `unit`, or a pair of them for a range; an ISO date for the kind "date" (--11-27 where no year can
    be known), the first and the last day for "date_range". Percent values are percent numbers (三成 is 30). `unit` is named as
    in guidelines section 5, "%" for percent, UCUM for the rest, "date" for dates, None for plain numbers and ordinals.
    """

    start: int
    end: int
    kind: str
    comparator: Comparator
    value: Value
    unit: str | None

    def as_json(self) -> dict[str, Any]:
        """Return the fields as `treaty-clauses quantities` prints them."""
        value = self.value
        plain = [to_json_number(part) for part in value] if isinstance(value, tuple) else to_json_number(value)
        return {
            "start": self.start,
            "end": self.end,
            "kind": self.kind,
            "comparator": self.comparator.value,
            "value": plain,
            "unit": self.unit,
        }


def to_json_number(value: Decimal | str) -> int | float | str:
    """Turn a Decimal into the int or float that JSON holds; other strings stay."""
    if isinstance(value, str):
        return value
    return int(value) if value == value.to_integral_value() else float(value)


def find_quantities(text: str, reference_date: date | None = None) -> list[QuantityMatch]:
    """Find all numeric expressions of `text`, in order and without overlap.

    Args:
        text: Any text; offsets of the result count its code points.
        reference_date: The day that relative and partial dates count from, usually the article's. Without it relative dates
            are not found, and a day without a year is given as --11-27.

    >>> [(match.kind, str(match.value), match.unit) for match in find_quantities("烏軍限制在60萬人以內")]
    [('count', '600000', 'person')]
    """
    return list(QuantitySearch(text, reference_date).run())


class QuantitySearch:
    """One pass over a text from left to right; `told` is the year that it tells of where it has come to."""

    def __init__(self, text: str, reference: date | None, currency: str | None = None) -> None:
        self.text = fold(text)
        self.context = Context(self.text, reference, currency)
        self.reference = self.context.reference
        self.whole = _PUNCTUATION.sub("", self.text)
        self.end = 0  # of the last expression
        self.moment: Moment | None = None
        self.moment_end = -1
        self.last_year: int | None = None
        self.told: ToldYear | None = None
        self.told_contexts: dict[int, Context] = {}

    def run(self) -> Iterator[QuantityMatch]:
        """Yield the expressions, as `find_quantities` gives them."""
        text, pos = self.text, 0
        while match := TRIGGER.search(text, pos):
            start = match.start()
            skip = match_name(text, start)
            if skip is not None and skip > start and not is_festival(text, start):
                pos = skip
                continue
            found, end = self._at(start)
            if found is not None and found.start < self.end:
                found = _cut(found, self.end)
            if found is not None:
                self.end = found.end
                yield found
            pos = max(end, start + 1)

    def _at(self, start: int) -> tuple[QuantityMatch | None, int]:
        text = self.text
        before = (
            self.moment if text[max(0, start - 1) : start] in _LIST_MARKS and self.moment_end >= start - 1 else None
        )
        dated = match_date(text, start, self.context, before=before, last_year=self.last_year)
        if dated:
            if before is None and self.told:
                dated = place_in_told_year(text, dated, self.told, self.context, self.told_contexts)
            return self._date(dated)
        if text[start] == "第":
            ordinal = match_ordinal(text, start)
            if ordinal is None:
                return None, start + 1
            end, value = ordinal
            if value is None:
                return None, end
            return QuantityMatch(start, end, "ordinal", Comparator.EQ, value, None), end
        if not _NUMBER_START.match(text, start):
            return None, start + 1
        clock = CLOCK_AT.match(text, start)
        if clock:
            return None, clock.end()
        measure = match_measure(text, start, self.context)
        if measure is None:
            code = _CODE.match(text, start) or _DIGIT_RUN.match(text, start)
            return None, code.end() if code else start + 1
        return self._measure(start, measure)

    def _date(self, dated: DateMatch) -> tuple[QuantityMatch | None, int]:
        self.moment, self.moment_end = dated.moment, dated.end
        self.told = told_by(self.text, dated, self.told)
        if dated.last is not None:
            self.last_year = dated.last.year
        end = dated.rest
        clock = CLOCK.match(self.text, end)
        after = max(end, clock.end()) if clock else end
        repeated = _EVERY.search(self.text, max(0, dated.start - 4), dated.start)
        return date_quantity(dated) if dated.iso and not repeated else None, after

    def _measure(self, start: int, measure: Measure) -> tuple[QuantityMatch | None, int]:
        text = self.text
        if measure.kind == "duration" and (moved := self._moved_date(measure)):
            return moved, moved.end
        if "label" in measure.flags and not self._index_points(measure):
            return None, measure.end
        if measure.kind == "number" and measure.unit is None:
            if not is_accepted_number(text, start, measure, self.whole):
                code = _CODE.match(text, start)
                return None, max(measure.end, code.end() if code else 0)
        elif not is_accepted_count(text, start, measure, self.whole):
            return None, measure.end
        measure = self._bounded(measure)
        if measure.kind == "number" and _PERSONS_BEFORE.search(text, max(0, measure.start - 8), measure.start):
            measure = replace(measure, kind="count", unit="person")  # 兵力60萬
        value: Value = measure.low if measure.high is None else (measure.low, measure.high)
        return QuantityMatch(
            measure.start, measure.end, measure.kind, measure.comparator, value, measure.unit
        ), measure.end

    def _index_points(self, measure: Measure) -> bool:
        """Whether 點 counts points of an index: more than a clock or a plan would have."""
        return self.text.startswith("點", measure.numeral.end) and measure.low >= _MANY_POINTS

    def _bounded(self, measure: Measure) -> Measure:
        """Join 三年以上七年以下, and 少於30大於20, to one range."""
        if measure.comparator in (Comparator.LE, Comparator.LT):
            joint = _LOWER_BOUND.match(self.text, measure.end)
            lower = match_measure(self.text, joint.end(), self.context) if joint else None
            merged = merge_bounds(self.text, lower, replace(measure, start=lower.start)) if lower else None
            return replace(merged, start=measure.start, end=lower.end) if merged and lower else measure
        if measure.comparator not in (Comparator.GE, Comparator.GT):
            return measure
        joint = _UPPER_BOUND.match(self.text, measure.end)
        second = match_measure(self.text, joint.end(), self.context) if joint else None
        return (merge_bounds(self.text, measure, second) if second else None) or measure

    def _moved_date(self, measure: Measure) -> QuantityMatch | None:
        """Count 三天後 and 未來五年 from the reference date, unless an event is said to count from."""
        if self.reference is None or measure.unit is None:
            return None
        text = self.text
        after = side_after(text, measure.end)
        if measure.high is not None:
            return self._moved_range(measure, after) if after else None
        said = measure.comparator is not measure.numeral.comparator  # 逾兩年後 tells how long, 十多年前 when
        if after and (
            measure.comparator in (Comparator.EQ, Comparator.APPROX) or not said or text[measure.end - 1] == "多"
        ):
            end, sign = after
            if _EVENT.search(text, max(0, measure.start - 4), measure.start):
                return QuantityMatch(measure.start, end, "duration", measure.comparator, measure.low, measure.unit)
            working = _WORKING_DAYS.search(text, measure.numeral.end, measure.end)
            step = add_working_days if working else step_date
            day = step(self.reference, measure.unit, sign * measure.low)
            if day is None:
                return QuantityMatch(measure.start, end, "duration", measure.comparator, measure.low, measure.unit)
            comparator = Comparator.EQ if measure.comparator is Comparator.EQ else Comparator.APPROX
            end += 3 * text.startswith("的今天", end)
            return QuantityMatch(measure.start, end, "date", comparator, day.isoformat(), "date")
        before = side_before(text, measure.start)
        if before and measure.comparator is Comparator.EQ:
            start, sign = before
            if text.startswith("前", start) and measure.unit == "month" and measure.low >= _MONTHS_OF_YEAR:
                return None  # 前八個月 are the first eight of the year
            far = step_date(self.reference, measure.unit, sign * measure.low)
            near = add_days(self.reference, sign)
            if far is None or near is None:
                return None
            if measure.unit in ("year", "month", "week", "day"):
                first, last = (near, far) if sign > 0 else (far, near)
                return QuantityMatch(
                    start, measure.end, "date_range", Comparator.EQ, (first.isoformat(), last.isoformat()), "date"
                )
        return None

    def _moved_range(self, measure: Measure, after: tuple[int, int]) -> QuantityMatch | None:
        """Count 兩三天後 from the reference date: the first and the last day that it may be."""
        assert self.reference is not None
        assert measure.unit is not None
        assert measure.high is not None
        end, sign = after
        if _EVENT.search(self.text, max(0, measure.start - 4), measure.start):
            return None
        days = sorted(
            day
            for amount in (measure.low, measure.high)
            if (day := step_date(self.reference, measure.unit, sign * amount)) is not None
        )
        if len(days) != 2:
            return None
        span = (days[0].isoformat(), days[1].isoformat())
        return QuantityMatch(measure.start, end, "date_range", Comparator.RANGE, span, "date")


_PUNCTUATION = re.compile(r"[\s。，,.!?！？、；;:：「」『』()（）]+")
_UPPER_BOUND = re.compile(
    r"[、，,]?(?:但|且)?(?:未滿|未達|不滿|不到|低於|小於|少於|不超過|不逾|至多|最多)?(?=[0-9零一二兩三四五六七八九十百千萬億])"
)
_LOWER_BOUND = re.compile(
    r"[、，,]?(?:但|且|而)?(?:大於|多於|高於|超過|不低於|不少於|不小於)(?=[0-9零一二兩三四五六七八九十百千萬億])"
)
_WORKING_DAYS = re.compile("工作|交易|營業")
_EVERY = re.compile(r"每個?(?:(?:月|年|週|星期|禮拜)的?)?$")
_MANY_POINTS = 60
_MONTHS_OF_YEAR = 4
_PERSONS_BEFORE = re.compile(
    r"(?:兵力|人口|人數|員額)(?:總數|總額|規模)?(?:約|達|為|有|僅|共|由|從|只有|減為|增為|減至|增至)?$"
)
_LIST_MARKS = ("、", "及", "和", "與")
_NUMBER_START = re.compile(r"[0-9零〇一二兩三四五六七八九十百千萬億廿卅卌壹貳參叁肆伍陸柒捌玖拾佰仟負半對數幾好點.-]")
_DIGIT_RUN = re.compile(r"[零〇一二兩三四五六七八九]{25,}")
# The rest of a code, address or score that a number is part of: 02-2345-6789, 3-1, 192.168.0.1.
_CODE = re.compile(r"[0-9]+(?:[-.:/][0-9A-Za-z]+)*")
_EVENT = re.compile(
    r"(?:簽署|簽訂|簽字|簽約|生效|批准|通過|成立|公布|公佈|發布|宣布|停火|停戰|開始|結束|完成|執行|實施|達成|交換|就職|上任|抵達|換文|撤軍|選舉|釋放|開戰|投降|協議|議定書|條約|上路|施行|啟動|發生|爆發|事發|案發|接種|施打|逝世|去世|辭世|過世|出生|畢業|退休|離職|上市|開播|開幕|手術|出院|出獄|結婚|婚|登陸|播出|當選|被捕|起飛|入院|感染|確診|染疫|解封|航行|關閉|談判|對峙|交戰|執政|服役|服刑|羈押|關押|昏迷|住院|失蹤|潛逃|流亡|等待|停擺|中斷|休會|延誤|纏訟|審理|調查|歷經|經過|時隔|相隔|事隔|任職|就任|掌權|居住|磋商|討論|包圍|圍困|封鎖|飛行|行駛|後|隔|了|過)(?:的|之|起|後|滿)?$"
)


def date_quantity(dated: DateMatch) -> QuantityMatch:
    """Turn a date read by the grammar into a match: a bound is one day, a period without one its first and last."""
    comparator = dated.comparator
    if dated.first is None or dated.last is None:
        if dated.iso_high is not None:
            return QuantityMatch(dated.start, dated.end, "date_range", comparator, (dated.iso, dated.iso_high), "date")
        return QuantityMatch(dated.start, dated.end, "date", comparator, dated.iso, "date")
    first, last = dated.first.isoformat(), dated.last.isoformat()
    if first == last and not dated.is_range:
        return QuantityMatch(dated.start, dated.end, "date", comparator, first, "date")
    if comparator in (Comparator.LT, Comparator.GE):
        return QuantityMatch(dated.start, dated.end, "date", comparator, first, "date")
    if comparator in (Comparator.LE, Comparator.GT):
        return QuantityMatch(dated.start, dated.end, "date", comparator, last, "date")
    return QuantityMatch(dated.start, dated.end, "date_range", comparator, (first, last), "date")


def _cut(match: QuantityMatch, start: int) -> QuantityMatch:
    return QuantityMatch(start, match.end, match.kind, match.comparator, match.value, match.unit)


def quantities_jsonl(lines: Iterable[str]) -> Iterator[str]:
    """Answer JSONL `{"id", "text", "reference_date"}` with JSONL `{"id", "terms"}`, line by line and in order.

    A line that cannot be read is answered with `{"id", "error"}` (`id` null where it has none); empty lines are passed over.

    >>> list(quantities_jsonl(['{"id": 1, "text": "三成"}']))[0][:45]
    '{"id": 1, "terms": [{"start": 0, "end": 2, "k'
    """
    return answer_rows(lines, _answer)


def _answer(row: dict[str, Any], number: int) -> dict[str, Any]:
    text, day = text_of(row, number), row.get("reference_date") or None
    try:
        reference = None if day is None else date.fromisoformat(str(day)[: len("2025-11-24")])
    except ValueError as error:
        raise InputError(
            f"line {number}: reference_date {day!r} is not an ISO date; write 2025-11-24 or null"
        ) from error
    return {"terms": [match.as_json() for match in find_quantities(text, reference)]}
