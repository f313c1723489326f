import json
import lzma
from pathlib import Path

import pytest

from treaty_clauses.errors import InputError
from treaty_clauses.texts import read_texts


def test_a_folder_names_texts_by_their_files(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("甲\r\n".encode())
    (tmp_path / "b.md").write_text("乙", encoding="utf-8")
    assert read_texts(tmp_path) == {"a": "甲\r\n"}


@pytest.mark.parametrize("compressed", [False, True])
def test_lines_name_texts_by_their_ids(tmp_path: Path, compressed: bool) -> None:
    lines = "".join(json.dumps({"id": i, "text": text}) + "\n" for i, text in ((1, "甲\u2028"), ("b", "乙"))).encode()
    path = tmp_path / ("texts.jsonl.xz" if compressed else "texts.jsonl")
    path.write_bytes(lzma.compress(lines) if compressed else lines)
    assert read_texts(path) == {"1": "甲\u2028", "b": "乙"}


def test_a_missing_path_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere: no such folder or file"):
        read_texts(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("texts.jsonl", b'{"id": "a", "text": "x"}\n{"id": "b", "te'),
        ("texts.jsonl", b'{"id": "a", "text": "x"}\n{"id": "b"}'),
        ("texts.jsonl", b'{"id": "a", "text": "x"}\n[]'),
        ("texts.jsonl", '{"id": "a", "text": "停火"}'.encode("big5")),
        ("texts.jsonl.xz", b"no archive"),
        ("texts.jsonl.xz", lzma.compress(b'{"id": "a", "text": "x"}\n' * 400)[:60]),
    ],
    ids=["half a line", "no text", "no object", "big5", "no archive", "half an archive"],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=name):
        read_texts(path)


def test_a_folder_with_a_text_of_another_encoding_names_it(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("停火".encode("big5"))
    with pytest.raises(InputError, match=r"a\.txt"):
        read_texts(tmp_path)


def test_rows_without_an_id_are_named_by_file_and_line(tmp_path: Path) -> None:
    with lzma.open(tmp_path / "news.jsonl.xz", "wb") as stream:
        stream.write("".join(json.dumps({"text": text}) + "\n" for text in "甲乙丙").encode())
    (tmp_path / "pool.jsonl").write_text(json.dumps({"id": "p-1", "text": "丁"}), encoding="utf-8")
    (tmp_path / "more.jsonl").write_text("no JSON, but nobody asks for its texts\n", encoding="utf-8")
    (tmp_path / "a.txt").write_text("戊", encoding="utf-8")
    with pytest.raises(InputError, match="more"):
        read_texts(tmp_path)
    (tmp_path / "more.jsonl").write_text('{"text": "x"}\nno JSON, but nobody asks for its texts\n', encoding="utf-8")
    assert read_texts(tmp_path, only={"news-00002", "p-1", "a"}) == {"news-00002": "乙", "p-1": "丁", "a": "戊"}
    assert read_texts(tmp_path / "news.jsonl.xz") == {"news-00001": "甲", "news-00002": "乙", "news-00003": "丙"}
