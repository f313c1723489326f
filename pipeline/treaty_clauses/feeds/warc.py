"""WARC archives into items, by warcio: the pages among their responses."""

from collections.abc import Iterator
from pathlib import Path
from typing import IO

from warcio.archiveiterator import ArchiveIterator  # type: ignore[import-untyped]
from warcio.exceptions import ArchiveLoadFailed  # type: ignore[import-untyped]
from warcio.recordloader import ArcWarcRecord  # type: ignore[import-untyped]

from treaty_clauses.items import Fault, Form, Hints, Ignored, Item, Limits, Lost, Problem, item_id, source_item

_PAGES = ("text/html", "application/xhtml+xml")
_RECORDS = ("response", "resource")


def read_warc(path: Path, stream: IO[bytes], *, source: str, limits: Limits) -> Iterator[Item | Lost | Ignored]:
    """The pages in an archive, plain or gzipped record by record; other records are counted as ignored.

    Crawl dates are no publication dates and are not taken for them.
    """
    try:
        archive = ArchiveIterator(stream, arc2warc=True)
        for record in archive:
            yield _read_record(path, archive, record, source=source, limits=limits)
    except ArchiveLoadFailed as error:
        problem = Problem(Fault.UNREADABLE, f"{path}: not a whole WARC archive: {error}")
        yield Lost(source_item(source, str(path)), problem)


def _read_record(
    path: Path, archive: ArchiveIterator, record: ArcWarcRecord, *, source: str, limits: Limits
) -> Item | Lost | Ignored:
    locator = f"{path}@{archive.offset}"
    if record.rec_type not in _RECORDS:
        return Ignored(source, locator, f"WARC records of type {record.rec_type}")
    headers = record.http_headers or record.rec_headers
    kind, _, rest = (headers.get_header("Content-Type") or "").partition(";")
    status = record.http_headers.get_statuscode() if record.http_headers else "200"
    if kind.strip().lower() not in _PAGES or status != "200":
        return Ignored(source, locator, f"WARC responses of type {kind.strip().lower() or 'unknown'}, status {status}")
    body = bytearray()
    content = record.content_stream()
    while len(body) <= limits.max_bytes and (chunk := content.read(1 << 16)):
        body += chunk
    url = record.rec_headers.get_header("WARC-Target-URI")
    charset = rest.partition("charset=")[2].strip(" \"'") or None
    identity = (record.rec_headers.get_header("WARC-Record-ID") or "").encode()  # records are never changed in place
    item = Item(item_id(locator, identity), source, locator, Form.HTML, bytes(body), Hints(url, charset))
    if len(body) > limits.max_bytes:
        problem = Problem(Fault.TOO_LARGE, f"{locator}: more than {limits.max_bytes:,} bytes; see --max-bytes")
        return Lost(Item(item.item_id, source, locator, Form.HTML, b"", item.hints), problem)
    return item
