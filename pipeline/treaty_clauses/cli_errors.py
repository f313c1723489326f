"""The error analysis of `evaluate --errors`: one page written, one table printed."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from treaty_clauses.errors import ConfigError

if TYPE_CHECKING:
    from treaty_clauses.error_kinds import Mistake
    from treaty_clauses.evaluate import Report


def write_errors(
    gold: Path, predicted: Path, texts: Mapping[str, str], report: "Report", output: Path
) -> "list[Mistake]":
    """Write the page of errors; returns them.

    Raises:
        ConfigError: The page cannot be written.
    """
    from treaty_clauses.error_kinds import find_mistakes
    from treaty_clauses.errors_report import render_html, texts_in
    from treaty_clauses.evaluate import pair_files

    pairs, _ = pair_files(gold, predicted, texts=texts)
    mistakes = find_mistakes(pairs)
    known = texts_in(record for record, _ in pairs) | dict(texts)
    title = f"Errors of {predicted.name} against {gold.name}"
    page = render_html(mistakes, known, title=title, conditions=report.describe_conditions())
    try:
        output.write_text(page, encoding="utf-8", errors="xmlcharrefreplace")
    except OSError as error:
        raise ConfigError(f"{output}: cannot write the page of errors: {error}") from error
    return mistakes


def print_errors(mistakes: "list[Mistake]", *, markdown: bool) -> None:
    """Print the kinds of error by frequency, as a Markdown table or for a terminal."""
    from treaty_clauses.errors_report import kinds_markdown, kinds_table

    if markdown:
        sys.stdout.write(f"**Errors by kind**\n\n{kinds_markdown(mistakes)}")
    else:
        Console().print(kinds_table(mistakes))
