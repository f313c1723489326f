"""Plots of the dataset card and of confidences, SVG; drawing twice gives the same bytes (one version of matplotlib)."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from treaty_clauses.annotate import SPLITS
from treaty_clauses.card import KINDS, Statistics
from treaty_clauses.confidence import Bin
from treaty_clauses.labels import ClauseType, Modality, Status
from treaty_clauses.pictures import save_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS = {"train": "#4477aa", "dev": "#ccbb44", "test": "#ee6677", "written": "#4477aa", "real": "#ee6677"}
"""Paul Tol's bright scheme, told apart also by the colour-blind (https://personal.sron.nl/~pault)."""
_LENGTH_STEP_CHARS = 250
_LONGEST_CHARS = 5000


def draw_plots(statistics: Statistics, folder: Path) -> list[Path]:
    """Draw all plots into a folder; returns the files, sorted.

    Raises:
        ConfigError: matplotlib is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    plots: dict[str, tuple[tuple[float, float], Callable[[Axes, Statistics], None]]] = {
        "clause_types": ((7, 7), _clause_types),
        "modality_status": ((7, 3), _modality_status),
        "lengths": ((7, 3), _lengths),
        "years": ((7, 3), _years),
    }
    paths = []
    for name, (size, draw) in plots.items():
        path = folder / f"{name}.svg"
        save_svg(path, size, lambda axes, draw=draw: draw(axes, statistics))  # type: ignore[misc]
        paths.append(path)
    return sorted(paths)


def draw_reliability(bins: Sequence[Bin], path: Path) -> None:
    """Draw the share of right clauses against their confidence.

    Raises:
        ConfigError: matplotlib is not installed, or the file cannot be written.
    """

    def draw(axes: "Axes") -> None:
        axes.plot([0, 1], [0, 1], color="#bbbbbb", linewidth=1)
        sizes = [8 * found.count**0.5 for found in bins]
        places = [found.confidence for found in bins], [found.right for found in bins]
        axes.plot(*places, color=_COLOURS["train"])
        axes.scatter(*places, s=sizes, color=_COLOURS["train"])
        axes.set_xlabel("confidence (area of a dot: clauses)")
        axes.set_ylabel("share right")

    save_svg(path, (4, 4), draw)


def _stack(axes: "Axes", labels: list[str], counts: dict[str, Counter[str]]) -> None:
    left = [0] * len(labels)
    for split in SPLITS:
        widths = [counts[split][label] for label in labels]
        axes.barh(range(len(labels)), widths, left=left, color=_COLOURS[split], label=split)
        left = [a + b for a, b in zip(left, widths, strict=True)]
    axes.set_yticks(range(len(labels)), labels)
    axes.invert_yaxis()
    axes.set_xlabel("clauses")
    axes.legend(frameon=False)


def _clause_types(axes: "Axes", statistics: Statistics) -> None:
    counts = statistics.count(lambda entry: (clause.type for clause in entry.clauses))
    labels = sorted(map(str, ClauseType), key=lambda label: (-sum(counts[split][label] for split in SPLITS), label))
    _stack(axes, labels, counts)


def _modality_status(axes: "Axes", statistics: Statistics) -> None:
    counts = statistics.count(
        lambda entry: (label for clause in entry.clauses for label in (clause.modality, clause.status))
    )
    _stack(axes, [str(label) for label in (*Modality, *Status)], counts)


def _lengths(axes: "Axes", statistics: Statistics) -> None:
    bins = [*range(0, _LONGEST_CHARS + 1, _LENGTH_STEP_CHARS)]
    values = [[min(e.record.article.length, _LONGEST_CHARS) for e in statistics.articles if e.kind == k] for k in KINDS]
    _histogram(axes, values, bins)
    axes.set_xlabel(f"characters an article (last bar: {_LONGEST_CHARS:,} and more)")


def _years(axes: "Axes", statistics: Statistics) -> None:
    values = [
        [int(e.record.article.published[:4]) for e in statistics.articles if e.kind == k and e.record.article.published]
        for k in KINDS
    ]
    decades = [year // 10 * 10 for years in values for year in years]
    _histogram(axes, values, [*range(min(decades, default=1890), max(decades, default=2020) + 11, 10)])
    axes.set_xlabel("year of publication, by decade")


def _histogram(axes: "Axes", values: list[list[int]], bins: list[int]) -> None:
    colours: Any = [_COLOURS[kind] for kind in KINDS]
    axes.hist(values, bins=bins, stacked=True, color=colours, label=KINDS)
    axes.set_ylabel("articles")
    axes.legend(frameon=False)
