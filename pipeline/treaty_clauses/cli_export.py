"""The command `export`: the graphs of the fast runtime."""

import logging
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from treaty_clauses.errors import TreatyClausesError

if TYPE_CHECKING:
    from treaty_clauses.training.export import Precision


class Choice(StrEnum):
    """In which precision the graphs are exported."""

    AUTO = "auto"
    INT8 = "int8"
    HALF = "half"


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(export)


def export(
    folder: Annotated[Path, typer.Argument(help="Model folder; the graphs are written into it.")],
    precision: Annotated[
        Choice, typer.Option(help="auto: int8 if it reads as the torch backend does, else half.")
    ] = Choice.AUTO,
    corpus: Annotated[
        Path, typer.Option(help="Folder with the articles, train.jsonl, dev.jsonl and test.jsonl.")
    ] = Path("corpus"),
    gold: Annotated[Path, typer.Option(help="Gold of dev.")] = Path("annotations/dev.jsonl"),
) -> None:
    """Export a trained tagger for the fast backend, and check that both backends read the same.

    Example: `treaty-clauses export models/tagger`

    Exit code 1 when they do not; the folder is left without graphs then.
    """
    from treaty_clauses.training.parity import checked_export

    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(message)s")
    choices: dict[Choice, tuple[Precision, ...]] = {
        Choice.AUTO: ("int8", "half"),
        Choice.INT8: ("int8",),
        Choice.HALF: ("half",),
    }
    try:
        chosen, parity = checked_export(folder, corpus=corpus, gold=gold, precisions=choices[precision])
    except TreatyClausesError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    typer.echo(f"{folder}: {chosen}; {parity}")
