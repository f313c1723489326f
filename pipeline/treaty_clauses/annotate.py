"""Authored annotations on disk: checked with file and line, built into the gold files by split."""

import json
import re
import tomllib
from collections.abc import Container, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from treaty_clauses.authoring import Compiled, compile_annotation
from treaty_clauses.errors import AnnotationError, ConfigError
from treaty_clauses.io import record_to_json, strip_text
from treaty_clauses.numbers import normalize_term
from treaty_clauses.types import ArticleRecord, Quantity, Term

SPLITS = ("train", "dev", "test")


@dataclass(frozen=True, slots=True)
class Source:
    """One authored article: its text, its annotation file, and what it compiles to."""

    path: Path
    text: str
    compiled: Compiled


def find_annotations(paths: list[Path]) -> list[Path]:
    """The .yaml files among files and directories, sorted.

    Raises:
        AnnotationError: A path does not exist.
    """
    found: list[Path] = []
    for path in paths:
        if not path.exists():
            raise AnnotationError(f"{path}: there is no such file or directory")
        found += sorted(path.rglob("*.yaml")) if path.is_dir() else [path]
    return found


def read_sources(paths: list[Path], texts: dict[str, str]) -> Iterator[Source | AnnotationError]:
    """Compile annotations one by one; the text is `ID.txt` beside the file, else `texts[ID]`."""
    for path in find_annotations(paths):
        beside = path.with_suffix(".txt")
        try:
            if beside.exists():
                text = beside.read_bytes().decode("utf-8")
            elif path.stem in texts:
                text = texts[path.stem]
            else:
                raise AnnotationError(f"{path}: no text: put {beside.name} beside it or name the folder of texts")
            compiled = compile_annotation(text, path)
            if compiled.record.article.id != path.stem:
                raise AnnotationError(f"{path}:1: article id {compiled.record.article.id!r} is not the file's name")
            yield Source(path, text, compiled)
        except UnicodeDecodeError as error:
            yield AnnotationError(f"{beside}: not UTF-8: {error}")
        except AnnotationError as error:
            yield error


def check_terms(source: Source, exceptions: Container[tuple[str, str]] = ()) -> list[str]:
    """Terms whose gold value the normalizer does not find in their span: an error in one of the two.

    The currency of a bare 元 is not in its span (guidelines section 5), so the annotated one is given as the hint.
    `exceptions` are the pairs (article id, quote) of `load_exceptions`.
    """
    record = source.compiled.record
    published = date.fromisoformat(record.article.published) if record.article.published else None
    problems = []
    for proposal in record.proposals:
        for clause in proposal.clauses:
            for term in clause.terms:
                if (record.article.id, term.text) in exceptions:
                    continue
                hint = term.unit if _CURRENCY.fullmatch(term.unit) else None
                quantity = normalize_term(term.text, published=published, role=term.role, currency_hint=hint)
                found = None if quantity is None else _as_annotated(quantity)
                if found != _gold_value(term):
                    problems.append(
                        f"{source.path}: clause {clause.id}: term {term.text!r} is annotated {_shown(_gold_value(term))}, "
                        f"but reads as {_shown(found)}; mend one of the two"
                    )
    return problems


_CURRENCY = re.compile(r"[A-Z]{3}")


def _gold_value(term: Term) -> tuple[Any, ...]:
    def exact(value: int | float | str | None) -> Decimal | str | None:
        return value if value is None or isinstance(value, str) else Decimal(str(value))

    return exact(term.value), exact(term.high), term.unit, term.comparator


def _as_annotated(quantity: Quantity) -> tuple[Any, ...]:
    """A quantity as records hold it: numbers of at most a float's precision (三分之一 is 0.3333333333333333)."""

    def exact(value: Decimal | str | None) -> Decimal | str | None:
        if value is None or isinstance(value, str):
            return value
        return value if value == value.to_integral_value() else Decimal(repr(float(value)))

    return exact(quantity.value), exact(quantity.high), quantity.unit, quantity.comparator


def _shown(value: tuple[Any, ...] | None) -> str:
    if value is None:
        return "no quantity"
    low, high, unit, comparator = value
    return f"{comparator} {low}{'' if high is None else f'..{high}'} {unit}"


def load_exceptions(path: Path) -> frozenset[tuple[str, str]]:
    """Pairs (article id, quote) of terms whose value their span alone does not give, from a TOML file with reasons.

    Raises:
        ConfigError: The file cannot be read, or an entry has other keys than `article`, `quotes`, `reason`.
    """
    pairs = set()
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        for entry in table.pop("exception"):
            if set(entry) != {"article", "quotes", "reason"} or not entry["reason"].strip():
                raise ConfigError(f"{path}: {entry!r}: expected exactly `article`, `quotes` and a `reason`")
            pairs |= {(entry["article"], quote) for quote in entry["quotes"]}
    except (OSError, tomllib.TOMLDecodeError, KeyError, AttributeError, TypeError) as error:
        raise ConfigError(f"{path}: cannot read the list `exception`: {error}") from error
    if table:
        raise ConfigError(f"{path}: unknown key {min(table)!r}; expected `exception` only")
    return frozenset(pairs)


@dataclass(frozen=True, slots=True)
class Splits:
    """Which events are held out; every other event is for training."""

    dev: frozenset[str]
    test: frozenset[str]

    @classmethod
    def load(cls, path: Path) -> "Splits":
        """Read `dev` and `test` lists of events from a TOML file.

        Raises:
            ConfigError: The file cannot be read, or an event is in both.
        """
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8"))
            splits = cls(frozenset(table["dev"]), frozenset(table["test"]))
        except (OSError, tomllib.TOMLDecodeError, KeyError) as error:
            raise ConfigError(f"{path}: cannot read the lists `dev` and `test` of events: {error}") from error
        if splits.dev & splits.test:
            raise ConfigError(f"{path}: event {min(splits.dev & splits.test)!r} is in both dev and test")
        return splits

    def of(self, event: str | None) -> str:
        """The split of an event; a listed name also stands for every event that goes on with a hyphen."""
        if event is None:
            return "train"
        parts = event.split("-")
        names = {"-".join(parts[:count]) for count in range(1, len(parts) + 1)}
        return "test" if names & self.test else "dev" if names & self.dev else "train"


def build(sources: list[Source], splits: Splits, annotations: Path, corpus: Path | None) -> dict[str, int]:
    """Write `annotations/{train,dev,test}.jsonl`, and the articles likewise where a corpus folder is named.

    Without a corpus folder the records are written without any word of the texts, which may not be copied. Returns the
    number of articles by split.
    """
    annotations.mkdir(parents=True, exist_ok=True)
    by_split: dict[str, list[Source]] = {split: [] for split in SPLITS}
    for source in sorted(sources, key=lambda s: s.compiled.record.article.id):
        by_split[splits.of(source.compiled.info.event)].append(source)
    for split, held in by_split.items():
        lines = [_gold_line(source.compiled.record, bare=corpus is None) for source in held]
        (annotations / f"{split}.jsonl").write_text("".join(line + "\n" for line in lines), encoding="utf-8")
        if corpus is not None:
            corpus.mkdir(parents=True, exist_ok=True)
            rows = "".join(json.dumps(_article_row(source), ensure_ascii=False) + "\n" for source in held)
            (corpus / f"{split}.jsonl").write_text(rows, encoding="utf-8")
    return {split: len(held) for split, held in by_split.items()}


def _gold_line(record: ArticleRecord, *, bare: bool) -> str:
    return json.dumps(strip_text(record), ensure_ascii=False) if bare else record_to_json(record)


def _article_row(source: Source) -> dict[str, str | None]:
    record, info = source.compiled.record, source.compiled.info
    return {
        "id": record.article.id,
        "published": record.article.published,
        "event": info.event,
        "style": info.style,
        "region": info.region,
        "text": source.text,
    }
