"""Local files into items: text, pages, rows, archives, feeds; one item in memory at a time."""

import bz2
import codecs
import gzip
import itertools
import lzma
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, cast

from treaty_clauses.feeds.encoding import decode
from treaty_clauses.feeds.syndication import ReadsFeeds, read_feed
from treaty_clauses.feeds.tables import read_csv, read_parquet
from treaty_clauses.feeds.warc import read_warc
from treaty_clauses.items import (
    Fault,
    Form,
    Hints,
    Ignored,
    Item,
    Limits,
    Lost,
    Problem,
    Skipped,
    SourceRead,
    item_id,
    source_item,
)

Event = Item | Lost | Ignored | SourceRead | Skipped

_PACKABLE: dict[str, tuple[str, ...]] = {"lines": (".jsonl", ".ndjson"), "table": (".csv", ".tsv")}
_PLAIN: dict[str, tuple[str, ...]] = {
    "text": (".txt", ".text", ".md"),
    "page": (".html", ".htm", ".xhtml"),
    "feed": (".xml", ".rss", ".atom"),
    "parquet": (".parquet",),
}
_PACKED = (".gz", ".xz", ".bz2")
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Kind:
    """What a file is by its name: `form` is "text", "page", "lines", "table", "parquet", "warc" or "feed"."""

    form: str
    packed: str = ""


def file_kind(path: Path) -> Kind | None:
    """What a file is by its name; None when the name does not tell.

    >>> file_kind(Path("a.jsonl.gz")), file_kind(Path("a.exe"))
    (Kind(form='lines', packed='.gz'), None)
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    packed = suffixes.pop() if suffixes and suffixes[-1] in _PACKED else ""
    suffix = suffixes[-1] if suffixes else ""
    if suffix == ".warc":
        return Kind("warc")  # the reader knows its own compression
    for form, names in _PACKABLE.items():
        if suffix in names:
            return Kind(form, packed)
    for form, names in _PLAIN.items():
        if suffix in names and not packed:
            return Kind(form)
    return None


def walk(folder: Path) -> Iterator[Path]:
    """The files under a folder, sorted within each; links to folders are not followed, hidden names are left out."""
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith("."):
                yield Path(root) / name


def read_path(path: Path, *, source: str, limits: Limits, feeds: ReadsFeeds = read_feed) -> Iterator[Event]:
    """The items of a file, or of all files under a folder. A file that cannot be read is lost by itself."""
    if not path.is_dir():
        kind = file_kind(path)
        if kind is None and path.suffix and path.exists():
            reason = f"files named *{path.suffix} are not read; a plain text must be named *.txt"
            yield Lost(source_item(source, str(path)), Problem(Fault.CONTENT_TYPE, f"{path}: {reason}"))
            return
        yield from _read_file(path, kind or Kind("text"), source=source, limits=limits, feeds=feeds)
        return
    for name in walk(path):
        kind = file_kind(name)
        if kind is None:
            yield Ignored(source, str(name), f"files named *{name.suffix}")
        else:
            yield from _read_file(name, kind, source=source, limits=limits, feeds=feeds)


def _read_file(path: Path, kind: Kind, *, source: str, limits: Limits, feeds: ReadsFeeds) -> Iterator[Event]:
    whole = source_item(source, str(path))
    fine = True
    try:
        for event in _open(path, kind, source=source, limits=limits, feeds=feeds):
            fine = fine and not (isinstance(event, Lost) and event.item.item_id == whole.item_id)
            yield event
    except FileNotFoundError:
        yield Lost(whole, Problem(Fault.MISSING, f"{path}: there is no such file; check the path"))
    except Exception as error:  # whatever a parser raises on a damaged file is this file's fault
        message = f"{path}: cannot be read to its end: {type(error).__name__}: {error}"
        yield Lost(whole, Problem(Fault.UNREADABLE, message))
    else:
        if fine:
            yield SourceRead(whole.item_id, source)


def _open(path: Path, kind: Kind, *, source: str, limits: Limits, feeds: ReadsFeeds) -> Iterator[Event]:
    if kind.form == "parquet":
        yield from read_parquet(path, source=source, limits=limits)
        return
    if kind.form not in ("lines", "table", "warc"):
        yield from _read_document(path, kind, source=source, limits=limits, feeds=feeds)
        return
    read = {"lines": _read_lines, "table": read_csv, "warc": read_warc}[kind.form]
    with path.open("rb") as raw, _unpacked(raw, kind.packed) as stream:
        yield from _measured(read(path, stream, source=source, limits=limits), raw.tell)


def _measured(events: Iterable[Event], position: Callable[[], int]) -> Iterator[Event]:
    """Events, each item with the bytes that were read of the file since the one before."""
    before = 0
    for event in events:
        if isinstance(event, Item | Lost):
            size, before = position() - before, position()
            if isinstance(event, Item):
                yield replace(event, read_bytes=size)
            else:
                yield replace(event, item=replace(event.item, read_bytes=size))
        else:
            yield event


def _read_document(path: Path, kind: Kind, *, source: str, limits: Limits, feeds: ReadsFeeds) -> Iterator[Event]:
    with path.open("rb") as stream:
        data = stream.read(limits.max_bytes + 1)
    whole = source_item(source, str(path))
    if len(data) > limits.max_bytes:
        yield Lost(whole, Problem(Fault.TOO_LARGE, f"{path}: more than {limits.max_bytes:,} bytes; see --max-bytes"))
    elif kind.form == "feed":
        for entry in feeds(data, source=source, locator=str(path)):
            yield Lost(whole, entry) if isinstance(entry, Problem) else entry
    else:
        form = Form.HTML if kind.form == "page" else Form.TEXT
        hints = Hints(external_id=path.stem)
        yield Item(item_id(str(path), data), source, str(path), form, data, hints, read_bytes=len(data))


def _unpacked(raw: IO[bytes], packed: str) -> IO[bytes]:
    if packed == ".gz":
        return cast(IO[bytes], gzip.open(raw, "rb"))
    if packed == ".xz":
        return cast(IO[bytes], lzma.open(raw, "rb"))
    if packed == ".bz2":
        return cast(IO[bytes], bz2.open(raw, "rb"))
    return raw


def _read_lines(path: Path, stream: IO[bytes], *, source: str, limits: Limits) -> Iterator[Event]:
    for number, line in enumerate(_lines(stream, limits.max_bytes), start=1):
        locator = f"{path}:{number}"
        if number == 1 and (line[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) or b"\0" in line[:2]):
            reason = "lines in UTF-16 cannot be told apart; convert the file to UTF-8, for instance with iconv"
            yield Lost(source_item(source, str(path)), Problem(Fault.UNDECODABLE, f"{path}: {reason}"))
            return
        if len(line) > limits.max_bytes and not line.endswith(b"\n"):
            name = item_id(locator, itertools.chain([line], _rest_of_line(stream)))  # the same as with a higher limit
            item = Item(name, source, locator, Form.ROW)
            reason = f"the line is longer than {limits.max_bytes:,} bytes; see --max-bytes"
            yield Lost(item, Problem(Fault.TOO_LARGE, f"{locator}: {reason}"))
        elif line.strip():
            yield _line_item(line, locator=locator, source=source)


def _line_item(line: bytes, *, locator: str, source: str) -> Event:
    decoded = decode(line)
    item = Item(item_id(locator, line), source, locator, Form.ROW, line)
    if decoded is None:
        return Lost(item, Problem(Fault.UNDECODABLE, f"{locator}: no encoding fits; write it as UTF-8"))
    if decoded.encoding == "utf-8" and not decoded.notes:
        return item
    payload = decoded.text.encode("utf-8", "surrogatepass")
    return Item(item.item_id, source, locator, Form.ROW, payload, Hints(charset=decoded.encoding))


def _lines(stream: IO[bytes], most: int) -> Iterator[bytes]:
    """Lines; of one over `most` bytes its first `most` + 1 only, the rest is for the caller to read."""
    return iter(lambda: stream.readline(most + 1), b"")


def _rest_of_line(stream: IO[bytes]) -> Iterator[bytes]:
    while piece := stream.readline(_CHUNK_BYTES):
        yield piece
        if piece.endswith(b"\n"):
            return


def local_bytes(path: Path) -> int:
    """The bytes of a file, or of the readable files under a folder; 0 for what is not there."""
    names = walk(path) if path.is_dir() else iter([path])
    total = 0
    for name in names:
        try:
            total += name.stat().st_size if not path.is_dir() or file_kind(name) else 0
        except OSError:
            continue
    return total
