"""Amounts said with 半 and no number: 半年, 半個小時, 半數, 一半, 過半, 對折."""

import re
from dataclasses import dataclass
from decimal import Decimal

_HALF = Decimal("0.5")


@dataclass(frozen=True, slots=True)
class HalfMatch:
    """What a word with 半 amounts to; `many` is 半個多小時."""

    end: int
    kind: str
    unit: str | None
    value: Decimal
    many: bool = False


# What follows 半: kind, unit, value. Half a year is six months (contract/example.yaml).
_UNITS = {
    "年": ("duration", "month", Decimal(6)),
    "載": ("duration", "month", Decimal(6)),
    "個月": ("duration", "month", _HALF),
    "小時": ("duration", "hour", _HALF),
    "個小時": ("duration", "hour", _HALF),
    "鐘頭": ("duration", "hour", _HALF),
    "個鐘頭": ("duration", "hour", _HALF),
    "個鐘": ("duration", "hour", _HALF),
    "分鐘": ("duration", "min", _HALF),
    "天": ("duration", "day", _HALF),
    "日": ("duration", "day", _HALF),
    "世紀": ("duration", "year", Decimal(50)),
    "個世紀": ("duration", "year", Decimal(50)),
    "個星期": ("duration", "week", _HALF),
    "個禮拜": ("duration", "week", _HALF),
    "公里": ("length", "km", _HALF),
    "公尺": ("length", "m", _HALF),
    "公斤": ("mass", "kg", _HALF),
    "斤": ("mass", "kg", Decimal("0.3")),
    "公噸": ("mass", "t", _HALF),
    "噸": ("mass", "t", _HALF),
    "公升": ("volume", "L", _HALF),
    "升": ("volume", "L", _HALF),
    "公頃": ("area", "har", _HALF),
    "米": ("length", "m", _HALF),
    "英里": ("length", "[mi_i]", _HALF),
    "成": ("percent", "%", Decimal(5)),
    "秒": ("duration", "s", _HALF),
    "秒鐘": ("duration", "s", _HALF),
    "星期": ("duration", "week", _HALF),
    "打": ("count", "item", Decimal(6)),
    "歲": ("age", "year", _HALF),
    "數": ("number", None, _HALF),
}
_MANY = {"個多月": "個月", "個多小時": "個小時"}
_FORM = re.compile(
    rf"半(?P<unit>{'|'.join(sorted([*_UNITS, *_MANY], key=len, reverse=True))})(?<!半年(?=[級輪]))(?<!半天(?=然))(?<!半日(?=本))(?<!半成(?=品))"
)
# 上半年, 大半年, 三年半: 半 that belongs to what stands before it.
_NOT_AFTER = "上下前後一大多南北東西夜兩三四五六七八九十個年"
_SHARE = re.compile(r"一半|半(?=(?:以上|以下)?(?:$|[^\w]))")
# 過半 and 近半 go on as shares before most words; 過半年 and 通過半導體 do not.
_OVER = re.compile(r"(?:(?<![通經超度渡越])過|[逾近])$")
_SHARE_OVER = re.compile(r"半(?![年月天日夜小個世百歲路途公票空價導島山身生成推打斤徑決鐘數])")


def match_half(text: str, pos: int) -> HalfMatch | None:
    """Read an amount with 半 that begins at `pos`: a unit's half, or a share (一半; 過半 only after such a word)."""
    if text.startswith(("對折", "半折"), pos):
        return HalfMatch(pos + 2, "percent", "%", Decimal(50))
    share = _SHARE.match(text, pos) or (
        _SHARE_OVER.match(text, pos) if _OVER.search(text, max(0, pos - 2), pos) else None
    )
    if share:
        return HalfMatch(share.end(), "number", None, _HALF)
    match = _FORM.match(text, pos)
    if match is None or (pos and text[pos - 1] in _NOT_AFTER):
        return None
    word = match["unit"]
    kind, unit, value = _UNITS[_MANY.get(word, word)]
    return HalfMatch(match.end(), kind, unit, value, word in _MANY)
