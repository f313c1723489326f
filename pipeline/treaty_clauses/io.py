"""Articles and records in and out of files; every failure names file, line and remedy and stops nothing else."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TextIO

from pydantic import ValidationError

from treaty_clauses.errors import InputError
from treaty_clauses.types import Article, ArticleRecord

_TEXT_SUFFIXES = {".txt"}
_LINES_SUFFIXES = {".jsonl", ".ndjson"}
_HTML_HEADS = ("<!doctype html", "<html")


@dataclass(frozen=True, slots=True)
class Failure:
    """An input that could not be read: where, and what to do about it."""

    where: str
    message: str


def parse_date(text: str, *, where: str) -> date:
    """Read an ISO date.

    Raises:
        InputError: The text is no date.
    """
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"{where}: {text!r} is no date; write it as YYYY-MM-DD, for instance 2025-11-24") from error


def read_articles(path: Path, *, published: date | None = None) -> Iterator[Article | Failure]:
    """Articles of a text file, a JSON Lines file, or a directory of them (sorted, recursive).

    `published` is the date of articles that bring none. What cannot be read comes as a `Failure`, in its place.
    """
    if path.is_dir():
        names = sorted(p for p in path.rglob("*") if p.suffix in _TEXT_SUFFIXES | _LINES_SUFFIXES and p.is_file())
        if not names:
            yield Failure(str(path), "no .txt or .jsonl file in this directory")
        for name in names:
            yield from read_articles(name, published=published)
        return
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        yield Failure(str(path), "there is no such file; check the path")
        return
    except OSError as error:
        yield Failure(str(path), f"cannot read the file: {error}")
        return
    if path.suffix in _LINES_SUFFIXES:
        for number, line in enumerate(data.split(b"\n"), start=1):
            if line.strip():
                yield article_from_line(line, where=f"{path}:{number}", published=published)
        return
    yield article_from_bytes(data, article_id=path.stem, where=str(path), published=published)


def article_from_bytes(data: bytes, *, article_id: str, where: str, published: date | None) -> Article | Failure:
    """One article from the bytes of a text file (UTF-8, a byte order mark is dropped)."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return Failure(
            where,
            f"not UTF-8 (byte {error.start}: {error.reason}); convert it first, for instance from Big5 with iconv",
        )
    if text[:200].lstrip().lower().startswith(_HTML_HEADS):
        return Failure(where, "this is an HTML page, not an article's text; extract its main text first")
    return Article(article_id, text, published)


def article_from_line(line: bytes | str, *, where: str, published: date | None = None) -> Article | Failure:
    """One article from a JSON line with `text` and, if known, `id`, `published`, `title`, `source`, `url`."""
    try:
        table = json.loads(line)
    except (ValueError, UnicodeDecodeError) as error:
        return Failure(where, f"not a whole JSON object ({error}); each line must be one object with `text`")
    if not isinstance(table, dict) or not isinstance(table.get("text"), str):
        return Failure(where, "expected a JSON object with a string `text`")
    own = table.get("published")
    try:
        day = parse_date(str(own)[:10], where=where) if own else published
    except InputError as error:
        return Failure(where, str(error).removeprefix(f"{where}: "))
    text = table["text"]
    optional = {key: str(table[key]) for key in ("title", "source", "url") if table.get(key) is not None}
    article_id = str(table.get("id") or hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16])
    return Article(article_id, text, day, **optional)


def text_sha256(text: str) -> str:
    """SHA-256 of a text's UTF-8, as records carry it; lone surrogates are encoded as they stand."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def record_to_json(record: ArticleRecord) -> str:
    """One record as one line of JSON; lone surrogates are escaped so that the line is valid UTF-8."""
    table = record.model_dump(mode="python")
    line = json.dumps(table, ensure_ascii=False)
    try:
        line.encode("utf-8")
    except UnicodeEncodeError:
        return json.dumps(table, ensure_ascii=True)
    return line


def write_records(records: Iterable[ArticleRecord], stream: TextIO) -> int:
    """Write records as JSON Lines; returns how many."""
    count = 0
    for record in records:
        stream.write(record_to_json(record) + "\n")
        count += 1
    return count


def read_records(path: Path) -> list[ArticleRecord]:
    """Read JSON Lines of records.

    Raises:
        InputError: The file cannot be read, or a line is no record of this schema version.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot read the records: {error}") from error
    records = []
    for number, line in enumerate(lines, start=1):
        if line.strip():
            records.append(parse_record(line, where=f"{path}:{number}"))
    return records


def parse_record(line: str, *, where: str) -> ArticleRecord:
    """One record from its JSON line.

    Raises:
        InputError: The line is no record of this schema version.
    """
    try:
        return ArticleRecord.model_validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(step) for step in first["loc"]) or "the line"
        raise InputError(
            f"{where}: not a record: {place}: {first['msg']}; `treaty-clauses schema` prints what is expected"
        ) from error


def strip_text(record: ArticleRecord) -> dict[str, Any]:
    """A record without any word of its article: offsets, labels and links only, for articles that may not be copied."""

    def strip(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: strip(item) for key, item in value.items() if key not in ("text", "title")}
        return [strip(item) for item in value] if isinstance(value, list | tuple) else value

    table = strip(record.model_dump(mode="python"))
    assert isinstance(table, dict)
    return table


def restore_text(table: dict[str, Any], text: str, *, where: str) -> ArticleRecord:
    """The record that `strip_text` made bare, with its quotes taken from `text` again.

    Raises:
        InputError: The text is not the one that was annotated (its hash differs).
    """
    if text_sha256(text) != table["article"]["sha256"]:
        raise InputError(f"{where}: the text differs from the one annotated as {table['article']['id']!r} (SHA-256)")

    def restore(value: Any) -> Any:
        if isinstance(value, dict):
            value = {key: restore(item) for key, item in value.items()}
            if {"start", "end"} <= set(value):
                value["text"] = text[value["start"] : value["end"]]
            if "mentions" in value and "modality" in value:
                value["text"] = value["mentions"][0]["text"]
            return value
        return [restore(item) for item in value] if isinstance(value, list) else value

    return parse_record(json.dumps(restore(table)), where=where)
