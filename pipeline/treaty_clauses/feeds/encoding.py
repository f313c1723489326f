"""Bytes into text: byte order mark, UTF-8, what is declared, what reads best, in this order, and never silently."""

import codecs
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

_MARKS = (  # UTF-32 first: its little-endian mark begins with UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
#: Supersets that pages under these names are really written in (WHATWG Encoding Standard, section 4.2).
_REAL = {"big5": "big5hkscs", "gb2312": "gb18030", "gbk": "gb18030"}
#: What servers say when nobody told them anything; every byte is valid there, so they come last.
_BLIND = ("iso8859-1", "cp1252", "ascii")
#: What bytes that nobody declares may be, with the weight of what they read as. A short Big5 text read as UTF-16 is
#: Chinese by accident now and then, and UTF-16 without a byte order mark is rare: it must read much better.
_LIKELY = {
    "big5": 1.0,
    "gb18030": 0.95,
    "utf-8": 0.95,
    "utf-16-le": 0.8,
    "utf-16-be": 0.8,
    "utf-32-le": 0.8,
    "utf-32-be": 0.8,
}
#: The least share of common characters by which an encoding is believed. Right readings have 0.95 and more, wrong ones of
#: Big5 and GB 18030 about 0.4, of UTF-16 about 0.1 (corpus/written, 2026-11).
_BELIEVED = 0.7
#: Declared and read worse than `_DOUBTED`, these give way to one that is believed; others are no likely mistakes.
_MISTAKEN = ("big5", "big5hkscs", "cp950", "gb2312", "gbk", "gb18030", "utf-16", "utf-16-le", "utf-16-be")
_DOUBTED = 0.5
_JUDGED_CHARS = 20_000
#: A text with more broken places than this share of its characters is not in that encoding.
_MOST_BROKEN = 0.002
_PROLOGUE_BYTES = 2048
_META = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]{2,40})", re.IGNORECASE)
_XML = re.compile(rb"^\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9_.:-]{2,40})")


@dataclass(frozen=True, slots=True)
class Decoded:
    """A text, the encoding it was in, and what there is to say about it."""

    text: str
    encoding: str
    notes: tuple[str, ...] = ()

    @property
    def codec(self) -> str:
        """Python's name for what it is read with: a superset of the encoding that files are really written in."""
        return _REAL.get(self.encoding, self.encoding)


def decode(data: bytes, *, declared: Iterable[str | None] = ()) -> Decoded | None:
    """The text of `data`; None when no encoding fits. A byte order mark is dropped.

    `declared` are the names that a header or the document gives, best first. UTF-8 is tried before them: what is valid
    UTF-8 is hardly ever anything else, while declarations are often wrong.

    >>> decode("停火協議".encode("big5"), declared=["big5"]).encoding
    'big5'
    """
    for mark, name in _MARKS:
        if data.startswith(mark):
            text, broken = _lenient(data[len(mark) :], name)
            return _found(text, name, broken) if broken <= _MOST_BROKEN * len(text) else None
    named = [name for name in map(_codec, declared) if name is not None]
    names = [name for name in named if name not in _BLIND]
    if data.count(0) * 50 <= len(data):  # NUL bytes: UTF-16, of which all ASCII is also valid UTF-8
        text, broken = _lenient(data, "utf-8")
        if not broken or broken <= _MOST_BROKEN * sum(character > "\x7f" for character in text):
            notes = _contradiction(names, "utf-8") if any(character > "\x7f" for character in text) else ()
            return _found(text, "utf-8", broken, notes)
    best = _best(data)
    for name in names:
        text, broken = _lenient(data, _REAL.get(name, name))
        if not broken and (best is None or name not in _MISTAKEN or _share(text) >= _DOUBTED):
            return Decoded(text, name)
    if best is not None:
        return Decoded(best.text, best.encoding, (*best.notes, *_contradiction(names, best.encoding)))
    for name in named:
        text, broken = _lenient(data, _REAL.get(name, name))
        if broken <= _MOST_BROKEN * len(text):
            return _found(text, name, broken)
    return None


def declared_charset(data: bytes) -> str | None:
    """The encoding that a page or a feed names in its first bytes."""
    match = _XML.search(data[:_PROLOGUE_BYTES]) or _META.search(data[:_PROLOGUE_BYTES])
    return match.group(1).decode("ascii") if match else None


def _best(data: bytes) -> Decoded | None:
    """The likely encoding in which most characters are common ones; None when none is believed."""
    found: Decoded | None = None
    most = 0.0
    for name, weight in _LIKELY.items():
        text, broken = _lenient(data, _REAL.get(name, name))
        share = _share(text)
        if share >= _BELIEVED and broken <= _MOST_BROKEN * len(text) and share * weight > most:
            found, most = _found(text, name, broken), share * weight
    return found


def _share(text: str) -> float:
    """The share of common characters among those that are neither ASCII nor white space; 1.0 without such."""
    sample = text[:_JUDGED_CHARS]
    kinds = set(sample)
    telling = sum(map(sample.count, (kind for kind in kinds if not (" " <= kind <= "~" or kind in "\t\r\n"))))
    return sum(map(sample.count, kinds & _common())) / telling if telling else 1.0


@cache
def _common() -> frozenset[str]:
    """Characters in daily use: the first levels of Big5 and GB 2312 (5,401 and 3,755) and their punctuation."""
    rows = [("big5", 0xA1, 0xC6), ("gb2312", 0xA1, 0xA3), ("gb2312", 0xB0, 0xD7)]
    pairs = (
        (codec, bytes((lead, trail)))
        for codec, first, last in rows
        for lead in range(first, last + 1)
        for trail in range(0x40, 0xFF)
    )
    return frozenset("".join(pair.decode(codec, "ignore") for codec, pair in pairs)) - frozenset(map(chr, range(128)))


def _codec(name: str | None) -> str | None:
    try:
        return codecs.lookup(name).name if name else None
    except (LookupError, ValueError):
        return None


def _lenient(data: bytes, name: str) -> tuple[str, int]:
    try:
        return data.decode(name), 0
    except UnicodeDecodeError:
        text = data.decode(name, "replace")
        return text, text.count("\ufffd")


def _found(text: str, name: str, broken: int, notes: tuple[str, ...] = ()) -> Decoded:
    if broken:
        notes = (*notes, f"{broken} places are no valid {name} and stand as U+FFFD")
    return Decoded(text, name, notes)


def _contradiction(names: list[str], found: str) -> tuple[str, ...]:
    if not names or codecs.lookup(found).name in names:
        return ()
    return (f"declared as {names[0]}, but it is {found}",)
