import bz2
import gzip
import json
import lzma
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from batching import everything, faults, process, rows
from newsserver import BODY, broadsheet, rss, rss_item
from standin import make_text
from treaty_clauses.feeds.encoding import decode
from treaty_clauses.feeds.files import file_kind
from treaty_clauses.items import Limits
from treaty_clauses.store import Store

TEXT = make_text(7)


@pytest.fixture
def store() -> Iterator[Store]:
    with Store(":memory:") as opened:
        yield opened


def texts(store: Store) -> list[str]:
    return [row["text"] for row in rows(store, "SELECT text FROM articles ORDER BY number")]


def line(**fields: object) -> str:
    return json.dumps(fields, ensure_ascii=False) + "\n"


@pytest.mark.parametrize(
    "codec", ["utf-8", "utf-8-sig", "big5", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "gb18030"]
)
def test_a_text_file_in_any_encoding_gives_the_same_text_and_says_which(
    tmp_path: Path, store: Store, codec: str
) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(TEXT.encode(codec))
    assert process([path], store).articles == 1
    assert texts(store) == [TEXT]
    encoding = {"utf-8-sig": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}.get(codec, codec)
    assert rows(store, "SELECT encoding FROM sightings") == [{"encoding": encoding}]


def test_a_few_broken_bytes_are_marked_and_counted_many_are_refused(tmp_path: Path, store: Store) -> None:
    (tmp_path / "few.txt").write_bytes((TEXT * 9).encode() + b"\xff")
    (tmp_path / "many.txt").write_bytes(bytes(range(128, 256)) * 40)
    process([tmp_path], store)
    assert rows(store, "SELECT notes FROM sightings") == [{"notes": "1 places are no valid utf-8 and stand as U+FFFD"}]
    assert faults(store) == {"many.txt": "undecodable"}


def test_nothing_is_decoded_into_nothing() -> None:
    decoded = decode(b"")
    assert decoded is not None
    assert (decoded.text, decoded.encoding) == ("", "utf-8")


@pytest.mark.parametrize("suffix", ["", ".gz", ".xz", ".bz2"])
def test_lines_may_be_compressed_and_bring_what_is_known(tmp_path: Path, store: Store, suffix: str) -> None:
    data = line(
        text=TEXT, id="n1", published="2025-11-23T17:30:00Z", title="停火", source="海峽早報", url="http://x.test/1"
    )
    pack = {"": bytes, ".gz": gzip.compress, ".xz": lzma.compress, ".bz2": bz2.compress}[suffix]
    path = tmp_path / f"a.jsonl{suffix}"
    path.write_bytes(pack(data.encode()))
    assert process([path], store).articles == 1
    (article,) = rows(store, "SELECT title, published, outlet, url FROM articles")
    assert article == {"title": "停火", "published": "2025-11-24", "outlet": "海峽早報", "url": "http://x.test/1"}
    assert rows(store, "SELECT external_id, locator FROM sightings") == [{"external_id": "n1", "locator": f"{path}:1"}]


def test_bad_lines_are_lost_alone_each_with_its_reason(tmp_path: Path, store: Store) -> None:
    lines = [
        line(text=make_text(1)),
        '{"text": "y\n',
        line(id=3),
        "[" * 100_000 + "\n",
        line(text=make_text(2), published="soon"),
        line(text="  "),
        line(text="停" * 4_000),
        "\n",
        line(text="長" * 2_000),
        line(text=make_text(3)),
    ]
    path = tmp_path / "a.jsonl"
    path.write_bytes("".join(lines).encode() + line(text=make_text(4)).encode("big5") + b'{"text": "last"}')
    counts = process([path], store, limits=Limits(max_bytes=9_000, max_chars=1_000))
    assert texts(store) == [make_text(1), make_text(3), make_text(4), "last"]
    assert faults(store) == {
        "a.jsonl:2": "malformed",
        "a.jsonl:3": "malformed",
        "a.jsonl:4": "too_large",
        "a.jsonl:5": "malformed",
        "a.jsonl:6": "empty",
        "a.jsonl:7": "too_large",
        "a.jsonl:9": "too_long",
    }
    assert counts.items == 11
    messages = " ".join(row["message"] for row in rows(store, "SELECT message FROM dead_letters"))
    assert "'soon' is no date; write it as YYYY-MM-DD" in messages
    assert "2,000 characters, the limit is 1,000; see --max-chars" in messages


@pytest.mark.parametrize("data", [b"\x1f\x8b\x08\0broken", gzip.compress(line(text=TEXT).encode())[:-12]])
def test_a_damaged_archive_gives_what_can_be_read_and_is_named(tmp_path: Path, store: Store, data: bytes) -> None:
    (tmp_path / "a.jsonl.gz").write_bytes(data)
    (tmp_path / "b.txt").write_text(make_text(2), encoding="utf-8")
    counts = process([tmp_path], store)
    assert texts(store)[-1] == make_text(2)
    assert faults(store) == {"a.jsonl.gz": "unreadable"}
    assert counts.failed_sources == 1


def test_lines_in_utf16_are_refused_with_the_remedy(tmp_path: Path, store: Store) -> None:
    (tmp_path / "a.jsonl").write_bytes(line(text=TEXT).encode("utf-16"))
    process([tmp_path / "a.jsonl"], store)
    assert faults(store) == {"a.jsonl": "undecodable"}


@pytest.mark.parametrize(
    ("separator", "codec"), [(",", "utf-8"), (",", "big5"), ("\t", "utf-8-sig"), (";", "utf-8"), (",", "utf-16")]
)
def test_tables_of_text_are_read_in_any_encoding(tmp_path: Path, store: Store, separator: str, codec: str) -> None:
    first, second = make_text(1), make_text(2).replace("，", "，\n", 1)
    header = separator.join(("id", "標題", "內文", "日期", "頁數"))
    table = f'{header}\n1{separator}停火{separator}"{first}"{separator}2025-11-24{separator}7\n'
    table += f'2{separator}"撤,軍"{separator}"{second}"{separator}{separator}8\n'
    path = tmp_path / ("a.tsv" if separator == "\t" else "a.csv")
    path.write_bytes(table.encode(codec))
    assert process([path], store, published=date(2020, 1, 1)).articles == 2
    assert texts(store) == [first, second]
    found = rows(store, "SELECT title, published FROM articles ORDER BY number")
    assert found == [{"title": "停火", "published": "2025-11-24"}, {"title": "撤,軍", "published": "2020-01-01"}]
    assert [row["external_id"] for row in rows(store, "SELECT external_id FROM sightings ORDER BY locator")] == [
        "1",
        "2",
    ]


def test_a_row_with_too_many_cells_is_lost_alone(tmp_path: Path, store: Store) -> None:
    (tmp_path / "a.csv").write_text(f"id,text\n1,{make_text(1)}\n2,x,y,z\n3,{make_text(3)}\n", encoding="utf-8")
    counts = process([tmp_path / "a.csv"], store)
    assert (counts.articles, counts.lost) == (2, {"malformed": 1})
    assert "a row has 4 cells, the header 2" in rows(store, "SELECT message FROM dead_letters")[0]["message"]


@pytest.mark.parametrize("content", ["id,words\n1,x\n", 'id,text\n1,"never closed' + "x" * 300_000, ""])
def test_a_table_that_is_none_is_named(tmp_path: Path, store: Store, content: str) -> None:
    (tmp_path / "a.csv").write_text(content, encoding="utf-8")
    process([tmp_path / "a.csv"], store, limits=Limits(max_bytes=100_000))
    assert faults(store) == {"a.csv": "malformed"}


def test_parquet_is_read_by_its_columns(tmp_path: Path, store: Store) -> None:
    table = pa.table(
        {"Text": [make_text(1), make_text(2), None], "date": [date(2025, 1, 2), None, None], "n": [1, 2, 3]}
    )
    pq.write_table(table, tmp_path / "a.parquet")
    (tmp_path / "b.parquet").write_bytes(b"PAR1broken")
    process([tmp_path], store)
    assert texts(store) == [make_text(1), make_text(2)]
    assert [row["published"] for row in rows(store, "SELECT published FROM articles ORDER BY number")] == [
        "2025-01-02",
        None,
    ]
    assert faults(store) == {"a.parquet:3": "malformed", "b.parquet": "unreadable"}


def warc_record(url: str, status: str, kind: str, body: bytes) -> bytes:
    """A response as WARC 1.1 has it (ISO 28500)."""
    block = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n\r\n".encode() + body
    head = (
        f"WARC/1.1\r\nWARC-Type: response\r\nWARC-Target-URI: {url}\r\nWARC-Date: 2026-01-01T00:00:00Z\r\n"
        f"WARC-Record-ID: <urn:uuid:{url}>\r\nContent-Type: application/http;msgtype=response\r\n"
        f"Content-Length: {len(block)}\r\n\r\n"
    )
    return head.encode() + block + b"\r\n\r\n"


@pytest.mark.parametrize("packed", [True, False])
def test_the_pages_of_a_warc_archive_are_read_the_rest_is_counted(tmp_path: Path, store: Store, packed: bool) -> None:
    path = tmp_path / ("a.warc.gz" if packed else "a.warc")
    records = [
        warc_record("http://x.test/1", "200 OK", "text/html; charset=big5", broadsheet("停火", 3).encode("big5")),
        warc_record("http://x.test/2", "200 OK", "image/png", b"\x89PNG"),
        warc_record("http://x.test/3", "404 Not Found", "text/html", b"<p>nothing</p>"),
        warc_record("http://x.test/4", "200 OK", "text/html", b"<p>" + b"x" * 60_000),
    ]
    path.write_bytes(b"".join(gzip.compress(record) if packed else record for record in records))
    counts = process([path], store, limits=Limits(max_bytes=50_000))
    assert rows(store, "SELECT url, published FROM articles") == [{"url": "http://x.test/1", "published": "2025-11-24"}]
    assert counts.ignored == {
        "WARC responses of type image/png, status 200": 1,
        "WARC responses of type text/html, status 404": 1,
    }
    assert counts.lost == {"too_large": 1}
    assert rows(store, "SELECT encoding FROM sightings") == [{"encoding": "big5"}]


def test_a_damaged_warc_archive_is_named(tmp_path: Path, store: Store) -> None:
    (tmp_path / "a.warc.gz").write_bytes(b"\x1f\x8b no archive")
    process([tmp_path / "a.warc.gz"], store)
    assert faults(store) == {"a.warc.gz": "unreadable"}


def test_a_page_in_a_file_is_read_as_one_also_when_it_is_called_text(tmp_path: Path, store: Store) -> None:
    (tmp_path / "a.html").write_text(broadsheet("停火一", 1), encoding="utf-8")
    (tmp_path / "b.txt").write_text(broadsheet("停火二", 2), encoding="utf-8")
    process([tmp_path], store)
    assert [row["title"] for row in rows(store, "SELECT title FROM articles ORDER BY number")] == ["停火一", "停火二"]


def test_a_feed_in_a_file_is_read(tmp_path: Path, store: Store) -> None:
    entry = rss_item("http://x.test/1", "停火", content=BODY.format(caps=2))
    (tmp_path / "a.xml").write_text(rss(entry), encoding="utf-8")
    assert process([tmp_path / "a.xml"], store).articles == 1


def test_external_entities_are_never_opened(tmp_path: Path, store: Store) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("SECRET", encoding="utf-8")
    feed = f'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY x SYSTEM "file://{secret}">]>' + rss(
        rss_item("http://x.test/1", "&x;", content=BODY.format(caps=2) + "&x;")
    ).removeprefix('<?xml version="1.0" encoding="utf-8"?>')
    (tmp_path / "a.xml").write_text(feed, encoding="utf-8")
    process([tmp_path / "a.xml"], store)
    assert faults(store) == {"a.xml": "entities"}
    assert "SECRET" not in repr(everything(store))


def test_a_folder_is_walked_in_order_without_leaving_it(tmp_path: Path, store: Store) -> None:
    folder, outside = tmp_path / "news", tmp_path / "outside"
    (folder / "b").mkdir(parents=True)
    outside.mkdir()
    (outside / "x.txt").write_text(make_text(9), encoding="utf-8")
    (folder / "link").symlink_to(outside)
    (folder / ".hidden.txt").write_text(make_text(8), encoding="utf-8")
    (folder / "b" / "2.txt").write_text(make_text(2), encoding="utf-8")
    (folder / "1.txt").write_text(make_text(1), encoding="utf-8")
    (folder / "run.exe").write_bytes(b"MZ")
    counts = process([folder], store)
    assert texts(store) == [make_text(1), make_text(2)]
    assert counts.ignored == {"files named *.exe": 1}


def test_a_missing_file_is_named_and_forgiven_once_it_is_there(tmp_path: Path, store: Store) -> None:
    path = tmp_path / "a.txt"
    process([path], store)
    process([path], store)
    assert rows(store, "SELECT fault, attempts FROM dead_letters") == [{"fault": "missing", "attempts": 2}]
    path.write_text(TEXT, encoding="utf-8")
    assert process([path], store).articles == 1
    assert faults(store) == {}


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("a.TXT", "text"), ("a.b.html", "page"), ("a.jsonl.xz", "lines"), ("a.csv.gz", "table"), ("a.parquet", "parquet"),
        ("a.warc.gz", "warc"), ("a.rss", "feed"), ("a", None), ("a.txt.gz", None), ("a.pdf", None), (".gz", None),
    ],
)  # fmt: skip
def test_files_are_told_by_their_names(name: str, form: str | None) -> None:
    kind = file_kind(Path(name))
    assert (kind.form if kind else None) == form
