"""Articles and records in and out of files; every failure names file, line and remedy and stops nothing else."""

import hashlib
import json
import lzma
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TextIO

from pydantic import ValidationError

from treaty_clauses.errors import InputError
from treaty_clauses.types import Article, ArticleRecord

_TEXT_SUFFIXES = {".txt"}
_LINES_SUFFIXES = {".jsonl", ".ndjson", ".xz"}  # .xz: JSON Lines, compressed
_HTML_HEADS = ("<!doctype html", "<html")


@dataclass(frozen=True, slots=True)
class Failure:
    """An input that could not be read: where, and what to do about it.

    `article` is set where it can still be turned into a record: an empty one.
    """

    where: str
    message: str
    article: Article | None = None


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
        try:
            data = lzma.decompress(data) if path.suffix == ".xz" else data
        except lzma.LZMAError as error:
            yield Failure(str(path), f"not an xz file: {error}; give the whole file")
            return
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
    return _not_empty(Article(article_id, text, published), where)


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
    return _not_empty(Article(article_id, text, day, **optional), where)


def _not_empty(article: Article, where: str) -> Article | Failure:
    return article if article.text.strip() else Failure(where, "the article is empty; give it a text", article)


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


def read_records(path: Path, *, texts: Mapping[str, str] | None = None) -> list[ArticleRecord]:
    """Read JSON Lines of records; records without quotes take them from `texts`, by article id.

    Raises:
        InputError: The file cannot be read, a line is no record of this schema version, or its text is missing or is not
            the one that was annotated.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot read the records: {error}") from error
    records = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        if '"text"' in line or '"mentions"' not in line:
            records.append(parse_record(line, where=where))
            continue
        try:
            table = json.loads(line)
            name, _ = table["article"]["id"], table["article"]["sha256"]
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{where}: not a record: {error}; give whole lines as `annotate build` writes them") from error
        if texts is None or name not in texts:
            raise InputError(
                f"{where}: this record has no quotes and the text of article {name!r} is missing; name the texts"
            )
        records.append(restore_text(table, texts[name], where=where))
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
