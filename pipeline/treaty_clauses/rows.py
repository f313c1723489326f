"""Lines of JSON in, lines of JSON out: what the streaming commands share.

A line that cannot be read is answered with `{"id", "error"}`; the error names the line, what is wrong and what to write.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from treaty_clauses.errors import InputError


def answer_rows(lines: Iterable[str], answer: Callable[[dict[str, Any], int], dict[str, Any]]) -> Iterator[str]:
    """Answer each line, in order; empty lines are passed over.

    Args:
        lines: JSON Lines, an object with `text` each, and `id` where known.
        answer: What to say of a row (its `text` is a string) and its line number, without the id; may raise InputError.

    Yields:
        `{"id", ...}` as `answer` has it, or `{"id", "error"}`; `id` is null where the line has none.
    """
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        row: dict[str, Any] = {}
        try:
            row = _read_row(line, number)
            told = answer(row, number)
        except InputError as error:
            told = {"error": str(error)}
        yield json.dumps({"id": row.get("id"), **told}, ensure_ascii=False)


def _read_row(line: str, number: int) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (json.JSONDecodeError, RecursionError) as error:
        raise InputError(f'line {number}: not JSON: {error}; write one object {{"id", "text"}} a line') from error
    if not isinstance(row, dict):
        raise InputError(f'line {number}: found {type(row).__name__}; write one object {{"id", "text"}} a line')
    return row


def text_of(row: dict[str, Any], number: int) -> str:
    """Return the text of a row.

    Raises:
        InputError: It has none, or one that is no string.
    """
    text = row.get("text")
    if not isinstance(text, str):
        raise InputError(f'line {number}: "text" is {type(text).__name__}; give the text as a string')
    return text
