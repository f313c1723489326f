"""The dataset card's tables: what the gold holds, counted by split, written between markers in the card."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from typing import Any

from treaty_clauses.agreement import read_annotations
from treaty_clauses.annotate import SPLITS
from treaty_clauses.errors import InputError
from treaty_clauses.labels import ActorKind, ClauseType, Comparator, Modality, Role, Status, TermRole
from treaty_clauses.types import ArticleRecord, Clause

START, END = "<!-- statistics: written by `treaty-clauses annotate statistics` -->", "<!-- end of statistics -->"
KINDS = ("written", "real")
_MOST_STYLES = 12


@dataclass(frozen=True, slots=True)
class Entry:
    """One article of the gold; style and region are those of written articles."""

    split: str
    kind: str
    record: ArticleRecord
    style: str | None = None
    region: str | None = None

    @property
    def clauses(self) -> list[Clause]:
        """Clauses of all proposals."""
        return [clause for proposal in self.record.proposals for clause in proposal.clauses]


@dataclass(frozen=True, slots=True)
class Statistics:
    """All articles of the gold, written and real."""

    articles: tuple[Entry, ...]

    @classmethod
    def read(cls, annotations: Path, corpus: Path) -> "Statistics":
        """Read `annotations/{train,dev,test}.jsonl`, `annotations/real/` and the rows of `corpus/`; no texts are needed.

        Raises:
            InputError: A file is missing or damaged.
        """
        entries = []
        for split in SPLITS:
            rows = _rows(corpus / f"{split}.jsonl")
            for kind, folder in zip(KINDS, (annotations, annotations / "real"), strict=True):
                records = read_annotations([folder / f"{split}.jsonl"], {})
                for name, record in sorted(records.items()):
                    row = rows.get(name, {})
                    entries.append(Entry(split, kind, record, row.get("style"), row.get("region")))
        return cls(tuple(entries))

    def count(self, labels: Callable[[Entry], Iterable[Any]]) -> dict[str, Counter[str]]:
        """How often each label occurs, by split."""
        return {
            split: Counter(str(label) for entry in self.articles if entry.split == split for label in labels(entry))
            for split in SPLITS
        }


def _rows(path: Path) -> dict[str, dict[str, Any]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return {row["id"]: row for row in map(json.loads, filter(None, lines))}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: cannot read the articles: {error}") from error


def write_tables(card: Path, statistics: Statistics) -> None:
    """Put the tables between the markers of a card.

    Raises:
        InputError: The card cannot be read or has no markers.
    """
    try:
        text = card.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{card}: cannot read the dataset card: {error}") from error
    head, start, rest = text.partition(START)
    _, end, tail = rest.partition(END)
    if not start or not end:
        raise InputError(f"{card}: no place for the tables; put the lines {START} and {END} where they belong")
    card.write_text(f"{head}{START}\n\n{render_tables(statistics)}\n{END}{tail}", encoding="utf-8")


def read_tables(card: Path) -> str:
    """The tables as they stand in a card; empty without markers."""
    match = re.search(re.escape(START) + r"\n\n(.*)\n" + re.escape(END), card.read_text(encoding="utf-8"), re.S)
    return match[1] if match else ""


def render_tables(statistics: Statistics) -> str:
    """All tables, Markdown."""
    clauses = statistics.count(lambda entry: (clause.type for clause in entry.clauses))
    blocks = [_sizes(statistics)]
    whole = sum(map(Counter.total, clauses.values()))
    for title, labels, found, of in (
        ("Clause type", ClauseType, clauses, None),
        ("Modality", Modality, statistics.count(lambda e: (clause.modality for clause in e.clauses)), None),
        ("Status", Status, statistics.count(lambda e: (clause.status for clause in e.clauses)), None),
        ("Clauses with this role", Role, statistics.count(_filled_roles), whole),
        ("Actor", ActorKind, statistics.count(lambda e: (actor.kind for actor in e.record.actors)), None),
        ("Term role", TermRole, statistics.count(lambda e: (t.role for c in e.clauses for t in c.terms)), None),
        (
            "Comparator",
            Comparator,
            statistics.count(lambda e: (t.comparator for c in e.clauses for t in c.terms)),
            None,
        ),
    ):
        blocks.append(_by_split(title, [str(label) for label in labels], found, whole=of))
    styles = statistics.count(lambda e: (e.style,) if e.style else ())
    common = [style for style, _ in sum(styles.values(), Counter[str]()).most_common()]
    order = sorted(common, key=lambda style: (-sum(styles[split][style] for split in SPLITS), style))[:_MOST_STYLES]
    blocks.append(_by_split("Style (written articles)", order, styles))
    regions = statistics.count(lambda e: (e.region,) if e.region else ())
    blocks.append(_by_split("Usage (written articles)", ["tw", "hk"], regions))
    return "\n".join(blocks)


def _filled_roles(entry: Entry) -> Iterable[str]:
    return (role.value for clause in entry.clauses for role in Role if getattr(clause, role.value))


def _sizes(statistics: Statistics) -> str:
    header = ["", *(f"{kind} {split}" for kind in KINDS for split in SPLITS), "all"]
    columns = [
        [entry for entry in statistics.articles if (entry.kind, entry.split) == (kind, split)]
        for kind in KINDS
        for split in SPLITS
    ]
    columns.append(list(statistics.articles))
    measures: dict[str, Callable[[Entry], int]] = {
        "articles": lambda _: 1,
        "articles without a clause": lambda entry: int(not entry.clauses),
        "characters": lambda entry: entry.record.article.length,
        "proposals": lambda entry: len(entry.record.proposals),
        "clauses": lambda entry: len(entry.clauses),
        "clause mentions": lambda entry: sum(len(clause.mentions) for clause in entry.clauses),
        "terms": lambda entry: sum(len(clause.terms) for clause in entry.clauses),
        "conditions": lambda entry: sum(len(clause.conditions) for clause in entry.clauses),
        "actors": lambda entry: len(entry.record.actors),
        "actor mentions": lambda entry: sum(len(actor.mentions) for actor in entry.record.actors),
        "actors with a Wikidata item": lambda entry: sum(actor.wikidata is not None for actor in entry.record.actors),
    }
    rows = [[name, *(f"{sum(map(of, column)):,}" for column in columns)] for name, of in measures.items()]
    lengths = [sorted(entry.record.article.length for entry in column) for column in columns]
    for number, name in enumerate(("shortest quarter up to", "half up to", "three quarters up to")):
        rows.append([f"length: {name}", *(_quartile(column, number) for column in lengths)])
    return _table(header, rows)


def _quartile(lengths: Sequence[int], number: int) -> str:
    """A quartile of lengths in characters; a dash with fewer than two articles."""
    return f"{quantiles(lengths, method='inclusive')[number]:,.0f}" if len(lengths) > 1 else "–"


def _by_split(title: str, labels: Sequence[str], found: dict[str, Counter[str]], *, whole: int | None = None) -> str:
    """One row a label; shares are of `whole`, or of all that was found."""
    totals = {label: sum(found[split][label] for split in SPLITS) for label in labels}
    whole = whole or sum(map(Counter.total, found.values())) or 1
    rows = [
        [label, *(f"{found[split][label]:,}" for split in SPLITS), f"{totals[label]:,}", f"{totals[label] / whole:.1%}"]
        for label in labels
    ]
    return _table([title, *SPLITS, "all", "share"], rows)


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    ruler = ["---"] + ["---:"] * (len(header) - 1)
    return "".join("| " + " | ".join(row) + " |\n" for row in (header, ruler, *rows))
