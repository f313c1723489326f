"""The date grammar: moments, ranges of them, and the words that make a moment a bound (前, 以前, 起, 截至).

date    := [bounding word] moment [range moment] [time of day bounding word | bounding word]
moment  := absolute or partial (date_parts) | relative (dates_relative)
"""

import re
from dataclasses import dataclass, replace
from datetime import date, timedelta

from treaty_clauses.date_parts import match_moment
from treaty_clauses.dates_relative import match_relative
from treaty_clauses.labels import Comparator
from treaty_clauses.moments import MONTH_NUMBER, Moment, day_moment
from treaty_clauses.money import Context

CLOCK = re.compile(
    r"(?:當地時間|格林威治時間|北京時間|台北時間|台灣時間|美東時間|莫斯科時間)?(?:凌晨|清晨|早晨|早上|上午|中午|正午|下午|傍晚|晚上|晚間|深夜|午夜|子夜|早|晚|夜間)?"
    r"(?:(?:\d{1,2}|[零〇一二兩三四五六七八九十廿]{1,3}) ?(?:時|點鐘?)(?:(?:\d{1,2}|[零〇一二三四五六七八九十]{1,3})分(?:\d{1,2}秒)?|半|整|一刻|三刻)?|\d{1,2}:\d{2})?"
    r"(?:許|整)?"
)
# A time of day where a number begins: 三點半, 15時30分, 20:30.
CLOCK_AT = re.compile(
    r"(?:(?:[01]\d|2[0-3])[0-5]\d時(?![代期候])|\d{1,2}(?:至|到|-|~)(?=\d{1,2}(?:時(?![代期候])|點(?!數|半?以)(?=\W|$))))"
    r"|(?:\d{1,2}|[零〇一二兩三四五六七八九十廿]{1,3}) ?(?:時(?![代期候])|點(?!數|半?以)(?:鐘|整|半)?(?=[多許左前後起至到-]|(?:\d{1,2}|[零〇一二三四五六七八九十]{1,3})分|一刻|三刻|[^\d零一二三四五六七八九]|$))"
    r"(?:(?:\d{1,2}|[零〇一二三四五六七八九十]{1,3})分(?![鐘之])(?:\d{1,2}秒)?|半|整|一刻|三刻)?許?|\d{1,2}:\d{2}(?::\d{2})?(?: ?[ap]\.?m\.?)?|\d{1,2} ?[ap]\.?m\.?(?![a-z])",
    re.IGNORECASE,
)
_BEFORE = re.compile(
    r"(?P<le>截至|截止到?|直到|直至|最遲(?:於|在|至|不過)?|最晚(?:於|在|不過)?|不晚於|不遲於|不得晚於|不得遲於|迄至|(?<![不甚乃以直])至(?!少|多|於))$"
    r"|(?P<lt>早於)$|(?P<ge>不早於|最快|最早(?:於)?|自從|自|從)$|(?P<gt>晚於|遲於)$|(?P<approx>大約|大概|(?<![條北合公契節紐制])約|(?<![條北公合契紐和盟締簽婚制違租續訂立誓新舊協密])約(?:於|在|莫))$"
)
_AFTER = re.compile(
    r"(?P<approx>前後|左右|上下)"
    r"|(?P<since>至今|迄今|以來至今)"
    r"|(?P<le>之前|以前|為止|止(?![血痛步不住跌境損])|之內|以內|內(?![容部心政閣陸地戰外務需向憂行賈塔湖蒙]))"
    r"|(?P<lt>前(?![往進線夕後鋒來者述半提景途任總首副言例所未身面方輩衛哨瞻車院瞻衝段]))"
    r"|(?P<ge>起(?![來源義因訴初草伏身飛事火案跳碼點步家降落居床])|以來|以降)"
    r"|(?P<gt>之後|以後|後(?![來續面方者果悔勤衛代半台座腿輪期天日年盾備]))"
)
_RANGE = re.compile(r" ?(?:(?:起|開始)?(?:至|到)|迄|~|-(?!-)|—(?!—)|－) ?(?:隔|翌)?")
_MONTH_FIRST = re.compile(rf"{MONTH_NUMBER}(?: ?月|[至到~-])")
_YEAR_IN = re.compile(r"年|\d{4}")
_WEEKDAY_NOTE = re.compile(r" ?\((?:週|星期|禮拜)?[一二三四五六日天]\)|\(農曆[^)]{1,8}\)")
_WEEKDAY_AFTER = re.compile(r"(?<=[日號]) ?(?:週|星期|禮拜)[一二三四五六日天](?![名位個項架艘])")
_DAY_NOTE = re.compile(r" ?\(((?:\d{1,2}月)?\d{1,2}日)\)")
_MONTH_DAYS = 30
_OPEN = frozenset({Comparator.LE, Comparator.LT, Comparator.GE, Comparator.GT})


@dataclass(frozen=True, slots=True)
class DateMatch:
    """A date in folded text; `last` differs from `first` for periods and ranges. For the ISO forms see `Moment`."""

    start: int
    end: int
    comparator: Comparator
    first: date | None
    last: date | None
    iso: str
    iso_high: str | None
    rest: int  # where the text goes on, after a weekday in brackets
    begin: int  # where the moment itself begins, after its bounding word
    moment: Moment  # the one read last, which a partial date after 、 continues

    @property
    def is_range(self) -> bool:
        """Whether two moments were said."""
        return self.iso_high is not None


def match_date(
    text: str,
    pos: int,
    context: Context,
    *,
    before: Moment | None = None,
    last_year: int | None = None,
    clock: bool = False,
) -> DateMatch | None:
    """Read the date that begins at `pos`, with its bounding words.

    Args:
        text: Folded text.
        pos: Where the date itself begins (not its bounding word).
        context: The reference date.
        before: The moment that a partial date continues (3月5日、8日).
        last_year: The year last spoken of, for 同年.
        clock: Whether a time of day after the date belongs to the span.
    """
    first = _moment(text, pos, context, before, last_year)
    if first is None:
        return None
    end = first.end
    after_note = _after_note(text, end)
    if first.iso.count("-") == 2 and (weekday := _WEEKDAY_AFTER.match(text, end)):  # 11月7日星期一
        first, end = replace(first, end=weekday.end()), weekday.end()
        after_note = _after_note(text, end)
    if (day_note := _DAY_NOTE.match(text, end)) and (noted := match_moment(text, day_note.start(1), context)):
        first, end = replace(noted, end=day_note.end()), day_note.end()  # 週一(22日), 今天(11月24日)
        after_note = end
    second = _range_end(text, after_note, context, first)
    if second is not None:
        first, second = _just_past(text, pos, context, first, second, before)
        end = second.end
        return _ranged(text, pos, end, first, second)
    comparator, start = Comparator.EQ, pos
    before_word = _BEFORE.search(text, max(0, pos - 6), pos)
    after_word = _after(text, after_note)
    if after_word is None and first.iso.count("-") >= 2:
        time_of_day = CLOCK.match(text, after_note)
        time_end = time_of_day.end() if time_of_day else after_note
        after_word = _after(text, time_end) if time_end > after_note else None
        if clock and time_end > after_note:
            end = time_end
    if after_word:
        end, comparator = after_word
        if comparator is Comparator.LT and text[end - 2] in "底末終":
            comparator = Comparator.LE  # the last day of the month is not yet past its end
    if before_word and (found := _before(before_word, comparator)):
        start, comparator = found
    return DateMatch(start, end, comparator, first.first, first.last, first.iso, None, max(end, after_note), pos, first)


def _after_note(text: str, end: int) -> int:
    note = _WEEKDAY_NOTE.match(text, end)
    return note.end() if note else end


def _moment(text: str, pos: int, context: Context, before: Moment | None, last_year: int | None) -> Moment | None:
    return match_relative(text, pos, context, last_year) or match_moment(text, pos, context, before)


def _after(text: str, pos: int) -> tuple[int, Comparator] | None:
    match = _AFTER.match(text, pos)
    if match is None:
        return None
    word = str(match.lastgroup)
    return match.end(), Comparator.GE if word == "since" else Comparator(word)


def _before(match: re.Match[str], comparator: Comparator) -> tuple[int, Comparator] | None:
    word = Comparator(str(match.lastgroup))
    if match[0] == "自從":
        return match.start(), Comparator.GE
    if match[0] in ("自", "從"):  # opens a span only together with 起 or 以來
        return (match.start(), Comparator.GE) if comparator is Comparator.GE else None
    if match[0] == "至" and comparator is not Comparator.LE:
        return None
    if word is Comparator.APPROX and comparator in _OPEN:
        return match.start(), comparator
    return match.start(), comparator if comparator in _OPEN and word is Comparator.GE else word


def _range_end(text: str, pos: int, context: Context, first: Moment) -> Moment | None:
    match = _RANGE.match(text, pos)
    if match is None or match.end() >= len(text):
        return None
    second = _moment(text, match.end(), context, first, first.year)
    if second is None or first.first is None or second.first is None or second.first >= first.first:
        return second
    return _later(text, match.end(), context, first, second)


def _just_past(
    text: str, pos: int, context: Context, first: Moment, second: Moment, before: Moment | None
) -> tuple[Moment, Moment]:
    """Move a range whose year is not said a year back if it then has just ended: 1至9月, told in November."""
    now, start = context.reference, first.first
    if now is None or before or start is None or start <= now or not _MONTH_FIRST.match(text, pos):
        return first, second
    if second.last is None or second.last.year != start.year or _YEAR_IN.search(text, pos, second.end):
        return first, second
    months_past = now.month - second.last.month
    if not 0 < months_past <= (start - now).days // _MONTH_DAYS + 1 or start.year == now.year:
        return first, second
    earlier = match_moment(text, pos, replace(context, reference=date(now.year, 7, 2)), None)
    last = _range_end(text, earlier.end, context, earlier) if earlier else None
    return (earlier, last) if earlier and last else (first, second)


def _later(text: str, pos: int, context: Context, first: Moment, second: Moment) -> Moment | None:
    """Move an upper end that fell before the lower one: 週五至週一 by a week, 12月至2月 to the next year."""
    assert first.first is not None
    assert second.first is not None
    assert second.last is not None
    if text.startswith(("週", "星期", "禮拜"), pos):
        moved = second.first + timedelta(7)
        return day_moment(second.end, moved) if moved >= first.first else None
    if first.year is None or second.year != first.year or text[pos : pos + 4].isdigit():
        return None
    return match_moment(text, pos, context, replace(first, year=first.year + 1))


def _ranged(text: str, pos: int, end: int, first: Moment, second: Moment) -> DateMatch:
    start = pos
    if pos and text[pos - 1] in "自從由":
        start = pos - 1
    for word in ("為止", "之間", "期間", "止", "間"):
        if text.startswith(word, end) and not (word == "止" and text[end + 1 : end + 2] in tuple("血痛步不")):
            end += len(word)
            break
    return DateMatch(
        start,
        end,
        Comparator.RANGE,
        first.first,
        second.last,
        first.iso,
        second.iso,
        _after_note(text, end),
        pos,
        second,
    )
