"""The curve of a pretraining, from its log: a CSV of every row and a picture of loss and held-out accuracy."""

import csv
import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from treaty_clauses.errors import InputError
from treaty_clauses.pictures import save_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_FIRST = ("step", "characters", "loss")
_LOSS_COLOUR, _ACCURACY_COLOUR = "#4477aa", "#ee6677"  # of Paul Tol's bright scheme


def read_log(path: Path) -> list[dict[str, Any]]:
    """Rows of a log: `step`, `characters`, and `loss` or held-out figures by source.

    Raises:
        InputError: The file cannot be read or a line is no JSON object.
    """
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        return [{name: value for name, value in row.items() if name != "time"} for row in rows]
    except (OSError, ValueError, AttributeError) as error:
        raise InputError(f"{path}: cannot read the log of a pretraining: {error}") from error


def write_curve(log: Path, folder: Path) -> None:
    """Write `curve.csv` and `curve.svg` into a folder.

    Raises:
        ConfigError: matplotlib is not installed, or a file cannot be written.
        InputError: The log cannot be read.
    """
    rows = read_log(log)
    names = [*_FIRST, *sorted({name for row in rows for name in row} - set(_FIRST))]
    with (folder / "curve.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, names)
        writer.writeheader()
        writer.writerows(rows)
    save_svg(folder / "curve.svg", (7, 4), lambda axes: _draw(axes, rows))


def _draw(axes: "Axes", rows: Iterable[dict[str, Any]]) -> None:
    losses = [(row["characters"] / 1e6, row["loss"]) for row in rows if "loss" in row]
    accuracies = [
        (row["characters"] / 1e6, sum(found) / len(found))
        for row in rows
        if (found := [value for name, value in row.items() if name.endswith("_single_accuracy")])
    ]
    axes.plot(*zip(*losses, strict=True), color=_LOSS_COLOUR, linewidth=1)
    axes.set_xlabel("characters seen, millions")
    axes.set_ylabel("training loss", color=_LOSS_COLOUR)
    if accuracies:
        other = axes.twinx()
        other.plot(*zip(*accuracies, strict=True), color=_ACCURACY_COLOUR, marker="o", markersize=3, linewidth=1)
        other.set_ylabel("held-out accuracy, mean of sources", color=_ACCURACY_COLOUR)
