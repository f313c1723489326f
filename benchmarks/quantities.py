"""Throughput of `find_quantities` on running news text, on one core.

usage: python benchmarks/quantities.py [PATH] [--seconds 5]

PATH is a JSONL file with `text` (and `published`), or a plain text file; by default the articles in corpus/ are read.
Prints characters and terms per second, measured by CPU time of the process.
"""

import argparse
import json
import platform
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from treaty_clauses.quantities import find_quantities

_CORPUS = Path(__file__).resolve().parent.parent / "corpus"


def read_texts(path: Path) -> Iterator[tuple[str, date | None]]:
    """Yield text and date of every article of a JSONL file, a text file, or a folder of them."""
    if path.is_dir():
        for inner in sorted(path.rglob("*.jsonl")):
            yield from read_texts(inner)
    elif path.suffix == ".jsonl":
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if row.get("text"):
                day = str(row.get("published") or row.get("date") or "")[:10]
                yield row["text"], date.fromisoformat(day) if len(day) == len("2025-11-24") else None
    else:
        yield path.read_text(encoding="utf-8"), None


def main() -> None:
    """Read, warm up, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", nargs="?", type=Path, default=_CORPUS)
    parser.add_argument("--seconds", type=float, default=5.0, help="CPU time to spend at least")
    options = parser.parse_args()
    articles = list(read_texts(options.path))
    if not articles:
        parser.error(f"no article with a text under {options.path}")
    for text, day in articles[:20]:
        find_quantities(text, day)
    chars = terms = rounds = 0
    start = time.process_time()
    while (spent := time.process_time() - start) < options.seconds:
        for text, day in articles:
            terms += len(find_quantities(text, day))
            chars += len(text)
        rounds += 1
    print(f"{len(articles)} articles, {chars // rounds} characters, {terms // rounds} terms, {rounds} rounds, one core")
    print(f"{chars / spent:,.0f} characters/s, {terms / spent:,.0f} terms/s (Python {platform.python_version()})")


if __name__ == "__main__":
    main()
