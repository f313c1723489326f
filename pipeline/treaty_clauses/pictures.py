"""Plots as SVG; drawing twice gives the same bytes (one version of matplotlib)."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from treaty_clauses.errors import ConfigError

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def save_svg(path: Path, size: tuple[float, float], draw: "Callable[[Axes], None]") -> None:
    """Draw one plot of `size` (width, height) in inches into a file.

    Raises:
        ConfigError: matplotlib is not installed, or the file cannot be written.
    """
    try:
        import matplotlib as mpl
        from matplotlib.backends.backend_svg import FigureCanvasSVG
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ConfigError("plots need matplotlib; install the extra `dev`, or leave them out") from error
    with mpl.rc_context({"svg.hashsalt": "treaty-clauses", "svg.fonttype": "path", "font.family": "DejaVu Sans"}):
        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasSVG(figure)
        draw(figure.add_subplot())
        try:
            figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
        except OSError as error:
            raise ConfigError(f"{path}: cannot write the plot: {error}") from error
