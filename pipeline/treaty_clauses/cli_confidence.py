"""What `evaluate --confidence` prints and draws: how far confidences can be trusted, and what they trade."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from treaty_clauses.confidence import Judged, TradeOff
    from treaty_clauses.counts import Tally

_TITLE = "Clauses of at least a confidence"
_COLUMNS = ("least confidence", "clauses", "typed P", "typed R", "typed F1", "record P", "record R", "record F1")


def print_confidence(
    gold: Path, predicted: Path, texts: Mapping[str, str], plot: Path | None, *, markdown: bool
) -> None:
    """Print the expected calibration error and the trade-off; with `plot`, draw the reliability there as SVG.

    Raises:
        ConfigError: matplotlib is not installed, or the picture cannot be written.
    """
    from treaty_clauses.confidence import calibration_error, judge, trade_off
    from treaty_clauses.evaluate import pair_files

    pairs, _ = pair_files(gold, predicted, texts=texts)
    judged = judge(pairs)
    error = calibration_error(judged)
    shown = "undefined: no clause was predicted" if error is None else f"{error:.3f} over {len(judged)} clauses"
    rows = [_cells(row) for row in trade_off(pairs)]
    if markdown:
        lines = [_COLUMNS, ["---:"] * len(_COLUMNS), *rows]
        listed = "\n".join("| " + " | ".join(line) + " |" for line in lines)
        sys.stdout.write(f"**{_TITLE}**\n\n{listed}\n\nExpected calibration error: {shown}.\n")
    else:
        table = Table(*_COLUMNS, title=_TITLE, title_justify="left")
        for row in rows:
            table.add_row(*row)
        console = Console()
        console.print(table)
        console.print(f"Expected calibration error: {shown}.", highlight=False)
    if plot is not None:
        _draw(judged, plot)


def _draw(judged: "list[Judged]", plot: Path) -> None:
    from treaty_clauses.confidence import reliability
    from treaty_clauses.plots import draw_reliability

    draw_reliability(reliability(judged), plot)


def _cells(row: "TradeOff") -> list[str]:
    typed, record = _figures(row.typed), _figures(row.record)
    return [f"{row.minimum:.1f}", str(row.record.tp + row.record.fp), *typed, *record]


def _figures(tally: "Tally") -> list[str]:
    return ["-" if value is None else f"{value:.3f}" for value in (tally.precision, tally.recall, tally.f1)]
