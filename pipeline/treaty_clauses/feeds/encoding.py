"""Bytes into text: byte order mark, UTF-8, what is declared, what is detected, in this order, and never silently."""

import codecs
import re
from collections.abc import Iterable
from dataclasses import dataclass

from charset_normalizer import from_bytes

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
_LIKELY = ("utf_8", "big5", "big5hkscs", "cp950", "gb18030", "utf_16_le", "utf_16_be")
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
    for name in names:
        try:
            return Decoded(data.decode(_REAL.get(name, name)), name)
        except UnicodeDecodeError:
            continue
    best = from_bytes(data, cp_isolation=list(_LIKELY)).best()
    if best is not None:
        return Decoded(str(best), _plain(best.encoding), _contradiction(names, _plain(best.encoding)))
    for name in named:
        text, broken = _lenient(data, _REAL.get(name, name))
        if broken <= _MOST_BROKEN * len(text):
            return _found(text, name, broken)
    return None


def declared_charset(data: bytes) -> str | None:
    """The encoding that a page or a feed names in its first bytes."""
    match = _XML.search(data[:_PROLOGUE_BYTES]) or _META.search(data[:_PROLOGUE_BYTES])
    return match.group(1).decode("ascii") if match else None


def _codec(name: str | None) -> str | None:
    try:
        return codecs.lookup(name).name if name else None
    except (LookupError, ValueError):
        return None


def _plain(name: str) -> str:
    return name.replace("_", "-")


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
