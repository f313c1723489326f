import io
import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from treaty_clauses.errors import InputError
from treaty_clauses.io import (
    Failure,
    article_from_line,
    parse_date,
    parse_record,
    read_articles,
    read_records,
    record_to_json,
    restore_text,
    strip_text,
    text_sha256,
    write_records,
)
from treaty_clauses.training.gold import GoldArticle
from treaty_clauses.types import Article, ArticleInfo, ArticleRecord, Mention

DAY = date(2025, 11, 24)


def only(path: Path, **options: date | None) -> Article | Failure:
    (item,) = read_articles(path, **options)
    return item


def failure(path: Path) -> Failure:
    item = only(path)
    assert isinstance(item, Failure), item
    return item


def test_a_text_file_is_one_article_with_its_text_untouched(tmp_path: Path) -> None:
    path = tmp_path / "harbor.txt"
    path.write_bytes("\r\n停火\u3000５０％\n".encode())
    assert only(path, published=DAY) == Article("harbor", "\r\n停火\u3000５０％\n", DAY)


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xef\xbb\xbf" + "停火".encode())
    assert only(path) == Article("a", "停火")


def test_big5_bytes_are_refused_with_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("兩國同意停火".encode("big5"))
    found = failure(path)
    assert found.where == str(path)
    assert "not UTF-8" in found.message
    assert "iconv" in found.message


@pytest.mark.parametrize("head", ["<!DOCTYPE html>", "  \n<html lang='zh'>", "<HTML>"])
def test_an_html_page_is_refused_with_the_remedy(tmp_path: Path, head: str) -> None:
    path = tmp_path / "a.txt"
    path.write_text(head + "<body>停火</body>", encoding="utf-8")
    assert "extract its main text first" in failure(path).message


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    found = failure(tmp_path / "no.txt")
    assert found.where.endswith("no.txt")
    assert "check the path" in found.message


def test_an_empty_directory_is_a_failure(tmp_path: Path) -> None:
    assert "no .txt or .jsonl file" in failure(tmp_path).message


def test_a_directory_is_read_recursively_in_order(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "two.txt").write_text("乙", encoding="utf-8")
    (tmp_path / "a.txt").write_text("甲", encoding="utf-8")
    (tmp_path / "c.jsonl").write_text('{"text": "丙", "id": "three"}\n', encoding="utf-8")
    (tmp_path / "readme.md").write_text("nothing", encoding="utf-8")
    found = [item.id for item in read_articles(tmp_path) if isinstance(item, Article)]
    assert found == ["a", "two", "three"]


def test_lines_that_cannot_be_read_stop_no_other(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    lines = ['{"id": "1", "text": "甲"}', '{"id": "2", "te', "", "[1]", '{"id": 4}', '{"id": 5, "text": "戊"}']
    path.write_text("\n".join(lines), encoding="utf-8")
    items = list(read_articles(path))
    assert [item.id if isinstance(item, Article) else item.where for item in items] == [
        "1",
        f"{path}:2",
        f"{path}:4",
        f"{path}:5",
        "5",
    ]
    broken = items[1]
    assert isinstance(broken, Failure)
    assert "each line must be one object" in broken.message


def test_a_line_of_another_encoding_stops_no_other(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes('{"text": "停火"}\n'.encode("big5") + '{"id": "2", "text": "停火"}\n'.encode())
    first, second = read_articles(path)
    assert isinstance(first, Failure)
    assert isinstance(second, Article)


def test_a_line_separator_inside_a_text_ends_no_line(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"id": "1", "text": "甲\u2028乙\x85"}\n', encoding="utf-8")
    assert only(path) == Article("1", "甲\u2028乙\x85")


def test_all_fields_of_a_line_are_taken() -> None:
    line = '{"id": 7, "text": "甲", "published": "2025-11-20T08:00:00Z", "title": "題", "source": "報", "url": "u"}'
    assert article_from_line(line, where="x", published=DAY) == Article("7", "甲", date(2025, 11, 20), "題", "報", "u")


def test_a_line_without_id_and_date_gets_them() -> None:
    first = article_from_line('{"text": "甲"}', where="x:1", published=DAY)
    again = article_from_line('{"text": "甲"}', where="x:2", published=DAY)
    assert first == again
    assert isinstance(first, Article)
    assert first.published == DAY
    assert len(first.id) == 16


def test_an_unknown_date_is_a_failure_that_shows_the_form() -> None:
    found = article_from_line('{"text": "甲", "published": "24/11/2025"}', where="x:1")
    assert found == Failure("x:1", "'24/11/2025' is no date; write it as YYYY-MM-DD, for instance 2025-11-24")


@pytest.mark.parametrize("text", ["2025-13-01", "yesterday", "", "2025年11月24日"])
def test_no_date(text: str) -> None:
    with pytest.raises(InputError, match=r"--published: .*YYYY-MM-DD"):
        parse_date(text, where="--published")


@given(st.text(st.characters(exclude_categories=())))
def test_every_text_has_a_hash_and_survives_the_way_through_json(text: str) -> None:
    info = ArticleInfo(id="x", published=None, sha256=text_sha256(text), length=len(text))
    record = ArticleRecord(schema_version="1", article=info, actors=(), proposals=(), warnings=("w",))
    line = record_to_json(record)
    assert "\n" not in line
    assert parse_record(line, where="x") == record


def test_records_survive_the_way_through_a_file(tmp_path: Path, gold: GoldArticle) -> None:
    stream = io.StringIO()
    assert write_records([gold.record, gold.record], stream) == 2
    path = tmp_path / "records.jsonl"
    path.write_text(stream.getvalue(), encoding="utf-8")
    assert read_records(path) == [gold.record, gold.record]


def test_a_quote_with_a_lone_surrogate_becomes_valid_utf8(gold: GoldArticle) -> None:
    mention = Mention.model_construct(start=0, end=1, text="\ud800")
    actor = gold.record.actors[0].model_copy(update={"mentions": (mention,)})
    record = gold.record.model_copy(update={"actors": (actor,), "proposals": ()})
    line = record_to_json(record)
    line.encode("utf-8")
    assert json.loads(line)["actors"][0]["mentions"][0]["text"] == "\ud800"


def test_a_line_that_is_no_record_names_place_and_remedy(tmp_path: Path, gold: GoldArticle) -> None:
    table = json.loads(record_to_json(gold.record))
    table["proposals"][0]["clauses"][1]["type"] = "peace"
    path = tmp_path / "records.jsonl"
    path.write_text(record_to_json(gold.record) + "\n" + json.dumps(table) + "\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"records\.jsonl:2: not a record: proposals\.0\.clauses\.1\.type: .*schema"):
        read_records(path)


@pytest.mark.parametrize("content", [b"{", b"\xff\n", b"[]", b'{"schema_version": "2"}'])
def test_no_records(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "records.jsonl"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"records\.jsonl"):
        read_records(path)


def test_a_bare_record_holds_no_word_and_is_restored_whole(gold: GoldArticle) -> None:
    bare = strip_text(gold.record)
    assert not any(name in json.dumps(bare["proposals"], ensure_ascii=False) for name in ("簽署", "軍事", "關稅"))
    again = restore_text(json.loads(json.dumps(bare)), gold.article.text, where="x")
    assert again == gold.record


def test_a_bare_record_refuses_another_text(gold: GoldArticle) -> None:
    with pytest.raises(InputError, match=r"x:3: the text differs .*'harbor'"):
        restore_text(strip_text(gold.record), gold.article.text + "。", where="x:3")


@pytest.mark.parametrize("content", ["", " \n\u3000"], ids=["nothing", "white space"])
def test_an_empty_article_is_a_failure_that_still_makes_a_record(tmp_path: Path, content: str) -> None:
    path = tmp_path / "a.txt"
    path.write_text(content, encoding="utf-8")
    assert failure(path) == Failure(str(path), "the article is empty; give it a text", Article("a", content))
    line = json.dumps({"id": "7", "text": content})
    assert article_from_line(line, where="x:3") == Failure(
        "x:3", "the article is empty; give it a text", Article("7", content)
    )
