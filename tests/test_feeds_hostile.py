"""What sources do to a run when they are damaged, malicious, or mislabelled: nothing."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from batching import QUICK, faults, process, rows
from newsserver import BODY, NewsServer, broadsheet, rss, rss_item, serve_news
from standin import make_text
from test_feeds_files import warc_record
from treaty_clauses.feeds.encoding import decode
from treaty_clauses.feeds.files import read_path
from treaty_clauses.feeds.syndication import read_feed
from treaty_clauses.items import Item, Limits, Problem
from treaty_clauses.store import Store


@pytest.fixture
def store() -> Iterator[Store]:
    with Store(":memory:") as opened:
        yield opened


@pytest.mark.parametrize(
    "text", ["停火協議", "停火協議簽署", "甲國與乙國同意停火九十天。", "台灣海峽中線", "總統府：11月24日停火"]
)
@pytest.mark.parametrize("codec", ["big5", "gb18030", "utf-16-le", "utf-16-be"])
def test_a_few_characters_are_enough_to_tell_an_encoding(text: str, codec: str) -> None:
    decoded = decode(text.encode(codec))
    assert decoded is not None
    assert (decoded.text, decoded.encoding) == (text, codec)


# Big5 as it is on the web (WHATWG): Python's own "big5" has ① and the kana in other places
@pytest.mark.parametrize("codec", ["big5hkscs", "gb18030", "utf-16-le", "utf-16-be", "utf-32-le"])
def test_every_article_of_the_corpus_is_read_in_every_encoding(codec: str) -> None:
    paths = sorted((Path(__file__).parents[1] / "corpus" / "written").glob("*.txt"))[::10]
    assert paths
    for path in paths:
        for text in (path.read_text(encoding="utf-8"), path.read_text(encoding="utf-8")[:20]):
            data = text.encode(codec, "ignore")
            decoded = decode(data)
            assert decoded is not None, path.name
            assert decoded.text == data.decode(codec), path.name


def test_a_wrong_declaration_gives_way_to_what_reads_well() -> None:
    text = "南川與北嶺在停火線兩側各後退十公里，由四國軍官監督。"
    decoded = decode(text.encode("gb18030"), declared=["utf-16-le"])
    assert decoded is not None
    assert (decoded.text, decoded.notes) == (text, ("declared as utf-16-le, but it is gb18030",))
    korean = decode("휴전 협정".encode("euc-kr"), declared=["euc-kr"])
    assert korean is not None
    assert (korean.text, korean.encoding) == ("휴전 협정", "euc_kr")


@pytest.mark.parametrize(
    "content",
    ["<" * 1_000_000, "停" * 200 + "…" * 1_000_000 + "a", "停" * 200 + "." * 1_000_000 + "a", "<a " * 300_000],
    ids=["angles", "ellipses", "dots", "tags"],
)
def test_the_summary_of_an_entry_is_judged_in_linear_time(content: str) -> None:
    from treaty_clauses.feeds.syndication import _content

    began = time.process_time()
    _content({"summary": content})
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    "data",
    [
        b"<rss version='2.0'><channel><item><link href='http://[::1/'/><link>http://[::1/</link></item></channel></rss>",
        b"\xef\xbb\xbf<?xml version='1.0' encoding='utf\x007'?><rss><channel></channel></rss>",
        b"<rss xmlns:a=''><channel><a:b/></channel>",
        b"<feed>" + b"\xff" * 50,
        b"<rss>",
    ],
)
def test_a_broken_feed_is_a_problem_never_an_exception(data: bytes) -> None:
    entries = [*read_feed(data, source="s", locator="http://x.test/rss")]
    assert entries
    assert all(isinstance(entry, Item | Problem) for entry in entries)


def test_whatever_the_parser_of_a_feed_raises_is_the_feed_s_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    def parse(*_: object, **__: object) -> None:
        raise AttributeError("version")

    monkeypatch.setattr("feedparser.parse", parse)
    (problem,) = read_feed(b"<rss/>", source="s", locator="l")
    assert isinstance(problem, Problem)
    assert "AttributeError" in problem.message


def test_a_warc_record_without_an_address_ends_its_archive_and_nothing_else(tmp_path: Path, store: Store) -> None:
    good, bad = (
        warc_record(f"http://x.test/{n}", "200 OK", "text/html", broadsheet("停火", n).encode()) for n in (1, 2)
    )
    (tmp_path / "a.warc").write_bytes(good + bad.replace(b"WARC-Target-URI", b"X-Target-URI"))
    (tmp_path / "b.txt").write_text(make_text(2), encoding="utf-8")
    counts = process([tmp_path], store)
    assert counts.articles == 2
    assert faults(store) == {"a.warc": "unreadable"}


def test_one_bad_byte_does_not_lose_a_table(tmp_path: Path, store: Store) -> None:
    lines = [f"{n},{make_text(n)}\n".encode() for n in range(50)]
    (tmp_path / "a.csv").write_bytes(
        b"id,text\n" + b"".join(lines[:25]) + b"25,\xff" + lines[25][3:] + b"".join(lines[26:])
    )
    assert process([tmp_path / "a.csv"], store).articles == 50
    (note,) = rows(store, "SELECT notes FROM sightings WHERE notes IS NOT NULL")
    assert "1 places stand as U+FFFD" in note["notes"]


def test_a_broken_row_that_is_no_text_either_is_counted(tmp_path: Path, store: Store) -> None:
    rest = "".join(f"{n},{make_text(n)}\n" for n in range(50)).encode()
    (tmp_path / "a.csv").write_bytes(b"id,text\n" + rest + b"9,\xff\xff,x\n")
    counts = process([tmp_path / "a.csv"], store)
    assert (counts.articles, counts.lost) == (50, {"malformed": 1})


def test_a_bad_byte_in_a_line_is_marked_and_noted(tmp_path: Path, store: Store) -> None:
    text = make_text(1) * 3
    (tmp_path / "a.jsonl").write_bytes(b'{"text": "' + text.encode() + b'\xff"}\n')
    assert process([tmp_path / "a.jsonl"], store).articles == 1
    assert rows(store, "SELECT text FROM articles") == [{"text": text + "\ufffd"}]
    assert "U+FFFD" in rows(store, "SELECT notes FROM sightings")[0]["notes"]


@pytest.mark.parametrize("name", ["a.pdf", "a.json", "a.txt.gz", "a.docx"])
def test_a_file_of_another_kind_is_not_taken_for_a_text(tmp_path: Path, store: Store, name: str) -> None:
    (tmp_path / name).write_bytes(b'{"text": "x"}')
    process([tmp_path / name], store)
    assert faults(store) == {name: "content_type"}
    assert "a plain text must be named *.txt" in rows(store, "SELECT message FROM dead_letters")[0]["message"]


def test_a_file_without_a_suffix_is_a_text(tmp_path: Path, store: Store) -> None:
    (tmp_path / "news").write_text(make_text(1), encoding="utf-8")
    assert process([tmp_path / "news"], store).articles == 1


def test_a_row_group_larger_than_memory_should_be_is_read_in_pieces(tmp_path: Path) -> None:
    """One group of 18 MB: only a few pages of it are ever there."""
    texts = [chr(0x4E00 + n % 20_000) * 2_000 for n in range(3_000)]
    pq.write_table(pa.table({"text": texts}), tmp_path / "a.parquet", compression="none", use_dictionary=False)
    assert (tmp_path / "a.parquet").stat().st_size > 18_000_000
    pool = pa.default_memory_pool()
    del texts
    before, most = pool.bytes_allocated(), 0
    for _ in read_path(tmp_path / "a.parquet", source="s", limits=Limits()):
        most = max(most, pool.bytes_allocated() - before)
    assert most < 9_000_000


@pytest.mark.parametrize("suffix", [".jsonl", ".jsonl.gz", ".csv", ".csv.xz", ".parquet", ".warc", ".txt"])
def test_the_bytes_of_the_items_are_those_of_the_file(tmp_path: Path, suffix: str) -> None:
    """The time that is left is reckoned from them; packed bytes count as they are in the file."""
    import gzip
    import json
    import lzma

    path = tmp_path / f"a{suffix}"
    lines = "".join(json.dumps({"text": make_text(n)}) + "\n" for n in range(300)).encode()
    table = ("id,text\n" + "".join(f"{n},{make_text(n)}\n" for n in range(300))).encode()
    page = warc_record("http://x.test/1", "200 OK", "text/html", broadsheet("停火", 1).encode())
    data = {
        ".jsonl": lines, ".jsonl.gz": gzip.compress(lines), ".csv": table, ".csv.xz": lzma.compress(table),
        ".warc": page * 30, ".txt": make_text(1).encode(),
    }  # fmt: skip
    if suffix == ".parquet":
        pq.write_table(pa.table({"text": [make_text(n) for n in range(300)]}), path)
    else:
        path.write_bytes(data[suffix])
    read = [event.read_bytes for event in read_path(path, source="s", limits=Limits()) if isinstance(event, Item)]
    assert sum(read) == pytest.approx(path.stat().st_size, rel=0.1)


@pytest.fixture
def news() -> Iterator[NewsServer]:
    with serve_news() as server:
        yield server


def test_a_host_that_names_a_time_is_left_alone_until_then(news: NewsServer, store: Store) -> None:
    pages = [
        news.add("/busy.html", status=429, headers={"Retry-After": "3600"}),
        news.add("/a.html", broadsheet("停火", 3)),
    ]
    process(pages, store, fetch=replace(QUICK, longest_delay_seconds=0.6))
    moments = {path: moment for moment, path in news.times}
    assert moments["/a.html"] - moments["/busy.html"] > 0.5
    assert faults(store) == {"busy.html": "status"}


def test_a_feed_that_hangs_its_parser_is_lost_alone(
    news: NewsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the reading process, whose parser sleeps here at the word HANG."""
    from treaty_clauses.batch import engines
    from treaty_clauses.batch.worker import WorkerSpec

    real = WorkerSpec
    monkeypatch.setenv("PYTHONPATH", f"{Path(__file__).parent}:{Path(__file__).parents[1] / 'pipeline'}")
    monkeypatch.setattr(engines, "WorkerSpec", lambda _, arguments: real("standin:reading_handler", arguments))
    reading = engines.ProcessReading(Limits(max_seconds=8.0))
    entry = rss_item("http://x.test/1", "停火", content=BODY.format(caps=2))
    try:
        (good,) = reading.read_feed(rss(entry).encode(), source="s", locator="l")
        (bad,) = reading.read_feed(rss("HANG").encode(), source="s", locator="l")
        (again,) = reading.read_feed(rss(entry).encode(), source="s", locator="l")
    finally:
        reading.close()
    assert isinstance(good, Item)
    assert good == again
    assert isinstance(bad, Problem)
    assert bad.message == "l: reading the feed took more than 8 s; see --max-seconds"
