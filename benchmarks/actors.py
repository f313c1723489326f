"""Accuracy of actor linking on gold mentions, by usage (Taiwan, Hong Kong) and split.

usage: python benchmarks/actors.py [ANNOTATIONS] [--texts PATH ...]

ANNOTATIONS is a folder of gold JSONL files (annotations/ by default); texts come from corpus/ and from --texts (JSONL with `id`
and `text`, for the real articles, whose texts are not kept here). Spans and kinds are the gold's, so that only the linking is
measured. Right: the same Wikidata id, over mentions that have one; wrong: another id; the rest are refused.
"""

import argparse
import json
import lzma
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from treaty_clauses.actors import link_mentions
from treaty_clauses.gazetteer import Gazetteer
from treaty_clauses.labels import ActorKind

_ROOT = Path(__file__).resolve().parent.parent


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects of a JSONL file, of an xz-compressed one, or of a folder of them."""
    if path.is_dir():
        for inner in sorted(path.glob("*.jsonl")):
            yield from read_rows(inner)
        return
    compressed = path.suffix == ".xz"
    with lzma.open(path, "rt", encoding="utf-8") if compressed else path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def count_links(record: dict[str, Any], text: str, gazetteer: Gazetteer) -> Counter[str]:
    """Compare the links of one article's gold mentions with the gold ids."""
    day = str(record["article"].get("published") or "")
    published = date.fromisoformat(day) if len(day) == len("2025-11-24") else None
    gold = {(mention["start"], mention["end"]): actor for actor in record["actors"] for mention in actor["mentions"]}
    spans = sorted(gold)
    kinds = [ActorKind(gold[span]["kind"]) for span in spans]
    counts: Counter[str] = Counter(mentions=len(spans))
    for span, link in zip(spans, link_mentions(text, spans, gazetteer, kinds=kinds, published=published), strict=True):
        wanted = gold[span]["wikidata"]
        counts["with an id"] += wanted is not None
        counts["right"] += wanted is not None and link.wikidata == wanted
        counts["wrong"] += wanted is not None and link.wikidata not in (None, wanted)
    return counts


def main() -> None:
    """Read, link, print a line a group."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("annotations", nargs="?", type=Path, default=_ROOT / "annotations")
    parser.add_argument("--texts", type=Path, nargs="*", default=[])
    options = parser.parse_args()
    texts = {row["id"]: row for path in (_ROOT / "corpus", *options.texts) for row in read_rows(path)}
    gazetteer = Gazetteer.load()
    groups: dict[str, Counter[str]] = defaultdict(Counter)
    for folder in (options.annotations, options.annotations / "real"):
        for path in sorted(folder.glob("*.jsonl")):
            for record in read_rows(path):
                row = texts.get(record["article"]["id"])
                if row is not None:
                    usage = str(row.get("region") or "real")
                    counts = count_links(record, row["text"], gazetteer)
                    groups[f"{usage} {path.stem}"] += counts
                    groups[f"{usage} all"] += counts
    for name, counts in sorted(groups.items()):
        share = 100 / max(1, counts["with an id"])
        print(
            f"{name:12} {counts['mentions']:6} mentions, {counts['with an id']:5} with an id: "
            f"{counts['right'] * share:.1f}% right, {counts['wrong'] * share:.1f}% wrong"
        )


if __name__ == "__main__":
    main()
