"""Article texts that lie outside the project: named by id, verified by hash where they are used."""

import json
import lzma
from pathlib import Path

from treaty_clauses.errors import InputError


def read_texts(path: Path) -> dict[str, str]:
    """Texts by article id: from a folder of `ID.txt`, or a JSON Lines file (also .xz) with `id` and `text`.

    Raises:
        InputError: The path does not exist or a line is no object with `id` and `text`.
    """
    if path.is_dir():
        return {name.stem: name.read_bytes().decode("utf-8") for name in sorted(path.glob("*.txt"))}
    if not path.exists():
        raise InputError(f"{path}: no such folder or file of article texts")
    texts: dict[str, str] = {}
    with lzma.open(path, "rt", encoding="utf-8") if path.suffix == ".xz" else path.open(encoding="utf-8") as stream:
        for number, line in enumerate(stream, start=1):
            try:
                row = json.loads(line)
                texts[str(row["id"])] = row["text"]
            except (ValueError, KeyError, TypeError) as error:
                raise InputError(f"{path}:{number}: expected an object with `id` and `text`: {error}") from error
    return texts
