"""`SHA256SUMS` of a data folder, in the format of `sha256sum`, so that `sha256sum --check SHA256SUMS` verifies it."""

import hashlib
from pathlib import Path

from treaty_clauses.errors import InputError

NAME = "SHA256SUMS"
_DATA = {".jsonl", ".txt", ".yaml", ".toml", ".json"}  # what is written about the data may change without them


def write_checksums(folder: Path) -> int:
    """Write the checksums of all data files in a folder and below; returns how many."""
    lines = [f"{_sha256(folder / name)}  {name}\n" for name in list_data(folder)]
    (folder / NAME).write_text("".join(lines), encoding="utf-8")
    return len(lines)


def check_checksums(folder: Path) -> list[str]:
    """What differs between a folder and its `SHA256SUMS`: changed, missing and unlisted files.

    Raises:
        InputError: The folder has no readable `SHA256SUMS`.
    """
    path = folder / NAME
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot read the checksums: {error}") from error
    said = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    found = list_data(folder)
    problems = [f"{folder / name}: missing" for name in sorted(said.keys() - set(found))]
    problems += [f"{folder / name}: not in {NAME}" for name in found if name not in said]
    problems += [f"{folder / name}: changed" for name in found if name in said and _sha256(folder / name) != said[name]]
    return problems


def list_data(folder: Path) -> list[str]:
    """Data files below a folder, sorted, with forward slashes."""
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.suffix in _DATA and path.is_file()
    )


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
