"""Tables into items: CSV and Parquet by pyarrow, a few rows in memory at a time."""

import codecs
import io
import itertools
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.csv as pacsv  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from treaty_clauses.feeds.encoding import decode
from treaty_clauses.items import Fault, Form, Hints, Item, Limits, Lost, Problem, item_id, source_item

_ROWS = 16  # in memory at a time, for Parquet
_SNIFFED_BYTES = 1 << 16
_BUFFERED_BYTES = 1 << 16  # of a Parquet column: without, all of a row group is in memory at once
_SEPARATORS = (",", "\t", ";", "|")
#: Column names that are understood, by what they mean; case does not matter.
COLUMNS = {
    "text": ("text", "content", "body", "內文", "內容", "正文"),
    "html": ("html",),
    "id": ("id", "article_id", "guid"),
    "title": ("title", "headline", "標題"),
    "published": ("published", "date", "published_at", "pubdate", "日期"),
    "source": ("source", "outlet", "publisher", "媒體", "來源"),
    "url": ("url", "link", "網址"),
}


def read_csv(path: Path, stream: IO[bytes], *, source: str, limits: Limits) -> Iterator[Item | Lost]:
    """The rows of a CSV or TSV file with a header line; encoding and separator are found out.

    A row with too few or too many cells is lost by itself; one larger than `limits.max_bytes` loses the rest of the file.
    """
    whole = source_item(source, str(path))
    head = stream.read(_SNIFFED_BYTES)
    wide = head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)  # a line break is two bytes there
    decoded = decode(head if wide else head[: head.rfind(b"\n") + 1] or head)
    if decoded is None:
        yield Lost(whole, Problem(Fault.UNDECODABLE, f"{path}: no encoding fits; write it as UTF-8"))
        return
    first = decoded.text.partition("\n")[0]
    separator = max(_SEPARATORS, key=first.count)
    broken: list[pacsv.InvalidRow] = []

    def skip(row: pacsv.InvalidRow) -> str:
        broken.append(row)
        return "skip"

    stream.seek(0)
    codec = "utf-16" if wide else decoded.codec
    lost = (_broken(path, source, number, row) for number, row in enumerate(iter(lambda: broken.pop(0), None), start=1))
    try:
        reader = pacsv.open_csv(
            _Transcoded(stream, codec),
            read_options=pacsv.ReadOptions(use_threads=False, block_size=limits.max_bytes),
            parse_options=pacsv.ParseOptions(
                delimiter=separator, newlines_in_values=True, invalid_row_handler=skip, ignore_empty_lines=True
            ),
            convert_options=pacsv.ConvertOptions(
                column_types={name.strip('"\r\ufeff '): pa.string() for name in first.split(separator)},
                strings_can_be_null=False,
                check_utf8=True,
            ),
        )
        rows = (row for batch in reader for row in batch.to_pylist())
        for event in _items(rows, path, first_row=2, source=source, encoding=decoded.encoding):
            yield event
            yield from itertools.islice(lost, len(broken))
    except pa.ArrowInvalid as error:
        yield Lost(whole, Problem(Fault.MALFORMED, f"{path}: not a whole table: {error}"))
    yield from itertools.islice(lost, len(broken))


def _broken(path: Path, source: str, number: int, row: pacsv.InvalidRow) -> Lost:
    locator = f"{path}#broken row {number}"
    text = str(row.text or "")
    message = f"{path}: a row has {row.actual_columns} cells, the header {row.expected_columns}: {text[:80]!r}"
    return Lost(Item(item_id(locator, text.encode()), source, locator, Form.ROW), Problem(Fault.MALFORMED, message))


def read_parquet(path: Path, *, source: str, limits: Limits) -> Iterator[Item | Lost]:
    """The rows of a Parquet file; only the columns that mean something are read."""
    del limits  # a cell's size is only known once it is read; its text is measured then
    whole = source_item(source, str(path))
    try:
        with pq.ParquetFile(path, pre_buffer=False, buffer_size=_BUFFERED_BYTES) as file:
            names = [name for name in file.schema_arrow.names if _meaning(name)]
            batches = file.iter_batches(batch_size=_ROWS, columns=names)
            rows = (row for batch in batches for row in batch.to_pylist())
            row_bytes = path.stat().st_size // max(file.metadata.num_rows, 1)
            for event in _items(rows, path, first_row=1, source=source, encoding="utf-8"):
                yield replace(event, read_bytes=row_bytes) if isinstance(event, Item) else event
    except pa.ArrowException as error:
        yield Lost(whole, Problem(Fault.UNREADABLE, f"{path}: not a whole Parquet file: {error}"))


def _items(
    rows: Iterable[dict[str, Any]], path: Path, *, first_row: int, source: str, encoding: str
) -> Iterator[Item | Lost]:
    for number, row in enumerate(rows, start=first_row):
        table = {
            meaning: value for name, value in row.items() if (meaning := _meaning(name)) and value not in (None, "")
        }
        if number == first_row and not {"text", "html"} & {_meaning(name) for name in row}:
            expected = ", ".join(COLUMNS["text"])
            problem = Problem(Fault.MALFORMED, f"{path}: no column of texts; name it one of {expected}")
            yield Lost(source_item(source, str(path)), problem)
            return
        payload = json.dumps(table, default=str, ensure_ascii=True, sort_keys=True).encode()
        locator = f"{path}:{number}"
        yield Item(item_id(locator, payload), source, locator, Form.ROW, payload, Hints(charset=encoding))


class _Transcoded(io.RawIOBase):
    """A stream of bytes as UTF-8, with U+FFFD for what is not valid: one bad byte is no reason to lose a table."""

    def __init__(self, stream: IO[bytes], codec: str) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(codec)("replace")
        self._ready = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready:
            data = self._stream.read(len(buffer))
            self._ready = self._decoder.decode(data, final=not data).encode("utf-8", "surrogatepass")
            if not data:
                break
        size = min(len(buffer), len(self._ready))
        buffer[:size], self._ready = self._ready[:size], self._ready[size:]
        return size


def _meaning(name: str) -> str | None:
    plain = name.strip().lower()
    return next((meaning for meaning, names in COLUMNS.items() if plain in names), None)
