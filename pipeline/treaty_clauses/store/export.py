"""A store's tables and views as files: Parquet, CSV that no spreadsheet takes for formulas, JSON Lines of records."""

import re
import shutil
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from treaty_clauses.store.schema import TABLES, VIEWS
from treaty_clauses.store.store import Store

#: What makes a spreadsheet read a cell as a formula (OWASP, "CSV Injection"); full-width forms count in East Asian locales.
_FORMULA = "^[\\s]*[=+@＝＋－＠-]|^[\\t\\r\\n]"
_BLOBS = {"articles": ("signature",), "dead_letters": ("payload",)}  # of no use in a table for reading
_BOM = b"\xef\xbb\xbf"  # without it, Excel does not read UTF-8
_FORMULA_PATTERN = re.compile(_FORMULA)


class ExportFormat(StrEnum):
    """What an export writes."""

    PARQUET = "parquet"
    CSV = "csv"
    JSONL = "jsonl"


def export(store: Store, folder: Path, *, form: ExportFormat) -> dict[str, Path]:
    """Write a store into a folder: a file a table and view, or `records.jsonl`; returns the files by name.

    A file is whole or not there: it is written beside and then renamed. In CSV every text that a spreadsheet might take
    for a formula begins with an apostrophe, and the blobs are left out.

    Raises:
        OSError: The folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if form is ExportFormat.JSONL:
        path = folder / "records.jsonl"
        _whole(path, lambda part: _write_records(store, part))
        return {"records": path}
    files = {}
    for name in [*(table.name for table in TABLES if table.name != "bands"), *VIEWS]:
        path = folder / f"{name}.{form.value}"
        _whole(path, lambda part, name=name: _write_table(store, name, part, form))  # type: ignore[misc]
        files[name] = path
    return files


def defuse(text: str) -> str:
    """A text as a cell that no spreadsheet takes for a formula.

    >>> defuse("=1+1"), defuse("停火")
    ("'=1+1", '停火')
    """
    return f"'{text}" if _FORMULA_PATTERN.search(text) else text


def _write_table(store: Store, name: str, path: Path, form: ExportFormat) -> None:
    if form is ExportFormat.PARQUET:
        store.copy_to(f"SELECT * FROM {name}", path, "FORMAT parquet")
        return
    columns = store.query(f"SELECT * FROM {name} LIMIT 0").schema
    cells = []
    for column in columns:
        if column.name in _BLOBS.get(name, ()):
            continue
        safe = (
            f"CASE WHEN regexp_matches({column.name}, '{_FORMULA}') THEN '''' || {column.name} ELSE {column.name} END"
        )
        cells.append(f"{safe} AS {column.name}" if "string" in str(column.type) else column.name)
    plain = path.with_suffix(".plain")
    try:
        store.copy_to(f"SELECT {', '.join(cells)} FROM {name}", plain, "FORMAT csv, HEADER")
        with path.open("wb") as target, plain.open("rb") as source:
            target.write(_BOM)
            shutil.copyfileobj(source, target)
    finally:
        plain.unlink(missing_ok=True)


def _write_records(store: Store, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        for _, line in store.record_lines():
            stream.write(line + "\n")


def _whole(path: Path, write: Callable[[Path], None]) -> None:
    part = path.with_name(path.name + ".part")
    try:
        write(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
