"""Article texts that lie outside the project: named by id, verified by hash where they are used."""

import json
import lzma
from pathlib import Path

from treaty_clauses.errors import InputError


def read_texts(path: Path) -> dict[str, str]:
    """Texts by article id: from a folder of `ID.txt`, or a JSON Lines file (also .xz) with `id` and `text`.

    Raises:
        InputError: The path does not exist, a file cannot be read, or a line is no object with `id` and `text`.
    """
    if path.is_dir():
        return {name.stem: _decoded(name) for name in sorted(path.glob("*.txt"))}
    if not path.exists():
        raise InputError(f"{path}: no such folder or file of article texts")
    texts: dict[str, str] = {}
    try:
        data = lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes()
    except (OSError, lzma.LZMAError) as error:
        raise InputError(f"{path}: cannot read the article texts: {error}") from error
    for number, line in enumerate(data.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            texts[str(row["id"])] = row["text"]
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path}:{number}: expected an object with `id` and `text`: {error}") from error
    return texts


def _decoded(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot read the article text: {error}") from error
