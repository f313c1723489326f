"""Train variants of a recipe and measure each on its dev split: ablations, learning curves, seeds.

    python benchmarks/experiments.py run NAME [NAME ...] [--seeds 1 2 3] [--output runs/experiments]
    python benchmarks/experiments.py show [--output runs/experiments]

`run` leaves out what is already measured, so it can be ended and begun again; `show` prints a table of all that is.
"""

import argparse
import json
import logging
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from treaty_clauses.bootstrap import estimate_rates
from treaty_clauses.config import build_recipe
from treaty_clauses.score import Scores
from treaty_clauses.training.finetune import Training
from treaty_clauses.training.start import TrainRecipe

VARIANTS = Path(__file__).with_name("experiments.toml")
FIGURES = ("record.f1", "clause.f1", "typed.f1", "actor.f1", "term.f1", "role.f1", "attribution.accuracy")


@dataclass(frozen=True, slots=True)
class Variant:
    """A recipe with some choices made otherwise; see experiments.toml."""

    name: str
    part: float = 1.0
    without: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    set: dict[str, Any] = field(default_factory=dict)

    def apply(self, table: dict[str, Any], seed: int) -> TrainRecipe:
        """This variant of the recipe that `table` holds as TOML values."""
        train = [{**source, "part": self.part} for source in table["train"] if source["records"] not in self.without]
        kept = {key: value for key, value in table.items() if key not in self.drop}
        return build_recipe({**kept, "train": train, "seed": seed, **self.set}, TrainRecipe, f"variant {self.name!r}")


def load_variants(path: Path) -> tuple[dict[str, Any], dict[str, Variant]]:
    """The base recipe as TOML values, and the variants by name."""
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    found = [
        Variant(**{**row, **{key: tuple(row.get(key, ())) for key in ("without", "drop")}}) for row in table["variants"]
    ]
    base = tomllib.loads(Path(table["recipe"]).read_text(encoding="utf-8"))
    return base, {variant.name: variant for variant in found}


def measure(scores: Scores) -> dict[str, list[float | None]]:
    """Each figure with its 95% interval over articles."""
    rates = estimate_rates(scores.articles, resamples=1000, seed=0)
    return {name: [rates[name].value, rates[name].low, rates[name].high] for name in FIGURES}


def run(names: list[str], seeds: list[int], output: Path) -> None:
    """Train and measure every variant with every seed."""
    base, variants = load_variants(VARIANTS)
    unknown = sorted(set(names) - set(variants))
    if unknown:
        raise SystemExit(f"{VARIANTS}: no variant {unknown[0]!r}; expected one of {', '.join(variants)}")
    for name in names:
        for seed in seeds:
            folder = output / f"{name}-{seed}"
            result = folder / "result.json"
            if result.exists():
                continue
            training = Training(variants[name].apply(base, seed), folder)
            figures = measure(training.run()[0])  # on the recipe's first source of dev: real articles
            row = {
                "variant": name, "seed": seed, "articles": len(training.train),
                "clauses": sum(len(p.clauses) for gold in training.train for p in gold.record.proposals),
                "figures": figures,
            }  # fmt: skip
            result.write_text(json.dumps(row, indent=1) + "\n", encoding="utf-8")


def show(output: Path) -> None:
    """Print what has been measured as a table in Markdown."""
    rows = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(output.glob("*/result.json"))]
    print("| variant | seed | articles | clauses |", " | ".join(FIGURES), "|")
    print("| --- " * (4 + len(FIGURES)) + "|")
    for row in rows:
        cells = [
            "-" if value is None else f"{value:.3f}" + ("" if low is None else f" ({low:.3f}-{high:.3f})")
            for value, low, high in (row["figures"][name] for name in FIGURES)
        ]
        print(f"| {row['variant']} | {row['seed']} | {row['articles']} | {row['clauses']} |", " | ".join(cells), "|")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("run", "show"):
        command = commands.add_parser(name)
        command.add_argument("--output", type=Path, default=Path("runs/experiments"))
        if name == "run":
            command.add_argument("names", nargs="+")
            command.add_argument("--seeds", type=int, nargs="+", default=[1])
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if options.command == "run":
        run(options.names, options.seeds, options.output)
    else:
        show(options.output)


if __name__ == "__main__":
    main()
