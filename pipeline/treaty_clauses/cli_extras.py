"""Commands whose packages are not installed name the extra that brings them, instead of a traceback."""

from typing import Any

import typer
from typer.core import TyperGroup

_EXTRAS = {
    "train": ("torch", "transformers", "datasets"),
    "spacy": ("spacy",),
    "vectors": ("gensim",),
    "batch": ("duckdb", "feedparser", "httpcore", "pandas", "pyarrow", "trafilatura", "warcio"),
    "ray": ("ray",),
    "dev": ("matplotlib",),
}


class ExtrasGroup(TyperGroup):
    """The commands."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except ModuleNotFoundError as error:
            extra = next((extra for extra, names in _EXTRAS.items() if error.name in names), None)
            if extra is None:
                raise
            typer.echo(f"this command needs {error.name}: run pip install 'treaty-clauses[{extra}]'", err=True)
            raise typer.Exit(1) from error
