"""Article texts that lie outside the project: named by id, verified by hash where they are used."""

import json
import lzma
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import IO

from treaty_clauses.errors import InputError


def read_texts(path: Path, *, only: Collection[str] | None = None) -> dict[str, str]:
    """Texts by article id: from a JSON Lines file (also .xz) with `text`, or a folder of such files and of `ID.txt`.

    A row without `id` is named by its file and line: line 12 of news_tw.jsonl.xz is "news_tw-00012". With `only`, no other
    texts are kept.

    Raises:
        InputError: The path does not exist, a file cannot be read, or a line is no object with `text`.
    """
    if not path.exists():
        raise InputError(f"{path}: no such folder or file of article texts")
    if not path.is_dir():
        return dict(_rows(path, only))
    texts = {name.stem: _decoded(name) for name in sorted(path.glob("*.txt")) if only is None or name.stem in only}
    for name in sorted([*path.glob("*.jsonl"), *path.glob("*.jsonl.xz")]):
        texts |= _rows(name, only)
    return texts


def _rows(path: Path, only: Collection[str] | None) -> Iterator[tuple[str, str]]:
    """Ids and texts of a JSON Lines file; lines that cannot be wanted are not parsed."""
    stem = path.name.split(".")[0]
    has_ids: bool | None = None
    try:
        with _opened(path) as stream:
            for number, line in enumerate(stream, start=1):
                if not line.strip():
                    continue
                name = f"{stem}-{number:05d}"
                if has_ids is False and only is not None and name not in only:
                    continue
                row = _parsed(line, f"{path}:{number}")
                if has_ids is None:
                    has_ids = "id" in row
                    if not has_ids and only is not None and not any(wanted.startswith(f"{stem}-") for wanted in only):
                        return
                name = str(row.get("id", name))
                if only is None or name in only:
                    yield name, row["text"]
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise InputError(f"{path}: cannot read the article texts: {error}") from error


def _opened(path: Path) -> IO[bytes]:
    return lzma.open(path) if path.suffix == ".xz" else path.open("rb")


def _parsed(line: bytes, where: str) -> dict[str, str]:
    try:
        row = json.loads(line)
        if not isinstance(row["text"], str):
            raise TypeError("`text` is no string")
        return dict(row)
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{where}: expected an object with `text`: {error}") from error


def _decoded(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot read the article text: {error}") from error
