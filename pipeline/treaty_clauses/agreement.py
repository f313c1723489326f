"""Two annotations of the same articles, compared: the ceiling that a model is measured against."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from treaty_clauses.annotate import Source, read_sources
from treaty_clauses.errors import AnnotationError, InputError
from treaty_clauses.io import parse_record, record_to_json
from treaty_clauses.score import score_corpus
from treaty_clauses.score_report import Conditions, Report
from treaty_clauses.types import ArticleRecord

ABOUT = "Two independent annotations of the same articles, the first taken as gold and the second as prediction"


def read_annotations(paths: Iterable[Path], texts: Mapping[str, str]) -> dict[str, ArticleRecord]:
    """Records by article id: of JSON Lines files and YAML annotations, and of those in folders (not below them).

    Records without quotes are read too, with placeholders for the quotes: agreement is a matter of offsets and labels.

    Raises:
        InputError: A path does not exist, or a line is no record.
        AnnotationError: A YAML annotation has mistakes, or an article is annotated twice.
    """
    records: dict[str, ArticleRecord] = {}
    for path in paths:
        if not path.exists():
            raise InputError(f"{path}: there is no such file or folder of annotations")
        names = sorted((*path.glob("*.jsonl"), *path.glob("*.yaml"))) if path.is_dir() else [path]
        found = [record for name in names if name.suffix != ".yaml" for record in _read_lines(name)]
        for source in read_sources([name for name in names if name.suffix == ".yaml"], dict(texts)):
            if not isinstance(source, Source):
                raise source
            found.append(source.compiled.record)
        for record in found:
            if record.article.id in records:
                raise AnnotationError(f"{path}: article {record.article.id} is annotated twice; leave one")
            records[record.article.id] = record
    return records


def _read_lines(path: Path) -> list[ArticleRecord]:
    lines = path.read_text(encoding="utf-8").split("\n")
    return [
        parse_record(json.dumps(_with_quotes(_load(line, where))), where=where)
        for number, line in enumerate(lines, start=1)
        if line.strip()
        for where in (f"{path}:{number}",)
    ]


def _load(line: str, where: str) -> Any:
    try:
        return json.loads(line)
    except ValueError as error:
        raise InputError(f"{where}: not a JSON object: {error}") from error


def _with_quotes(value: Any) -> Any:
    """A record's table with a placeholder for each quote that is not there."""
    if isinstance(value, list):
        return [_with_quotes(item) for item in value]
    if not isinstance(value, dict):
        return value
    table = {key: _with_quotes(item) for key, item in value.items()}
    if "text" not in table:
        if {"start", "end"} <= table.keys():
            table["text"] = "·" * (table["end"] - table["start"])
        elif "modality" in table:
            table["text"] = table["mentions"][0]["text"]
    return table


def measure_agreement(
    first: Mapping[str, ArticleRecord],
    second: Mapping[str, ArticleRecord],
    *,
    groups: Mapping[str, Callable[[str], bool]],
    resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Any]:
    """All figures of guidelines section 9 between two annotations, and Krippendorff's alpha of type, modality, status.

    Args:
        first: Records by article id; more articles than the second has are no matter.
        second: The other annotator's.
        groups: Name of each group to report and which article ids are in it; empty groups are left out.
        resamples: Of the bootstrap over articles.
        seed: Of the bootstrap.

    Raises:
        AnnotationError: No article has both annotations on the same text.
    """
    both = sorted(first.keys() & second.keys())
    same = [name for name in both if first[name].article.sha256 == second[name].article.sha256]
    if not same:
        raise AnnotationError("no article is annotated in both on the same text; compare two annotations of one text")
    table: dict[str, Any] = {"about": f"{ABOUT}; {len(same)} articles."}
    table["articles"] = same
    table["text_changed"] = [name for name in both if name not in set(same)]
    table["second_only"] = sorted(second.keys() - first.keys())
    for group, holds in groups.items():
        names = [name for name in same if holds(name)]
        if names:
            conditions = Conditions(
                gold=f"first annotation, {group}",
                gold_sha256=_digest(first, names),
                predicted=f"second annotation, {group}",
                predicted_sha256=_digest(second, names),
                models=(),
                resamples=resamples,
                seed=seed,
            )
            pairs = [(first[name], second[name]) for name in names]
            table[group] = Report.of(score_corpus(pairs), conditions).to_json()
    return table


def summarize(table: Mapping[str, Any]) -> str:
    """The headline figures of `measure_agreement` as a Markdown table, one column a group."""
    groups = [key for key, value in table.items() if isinstance(value, dict)]
    rows = [["figure", *(f"{group} ({table[group]['conditions']['articles']})" for group in groups)]]
    rows.append(["---", *("---:" for _ in groups)])
    for name in table[groups[0]]["figures"]:
        rows.append([name, *(_shown(_rate(table[group]["figures"][name])) for group in groups)])
    for name in table[groups[0]]["agreement"]:
        rows.append([f"alpha of {name}", *(_shown(table[group]["agreement"][name]["alpha"]) for group in groups)])
    return "".join("| " + " | ".join(row) + " |\n" for row in rows)


def _rate(figure: Mapping[str, Any]) -> Mapping[str, Any]:
    rate: Mapping[str, Any] = figure.get("f1") or figure["accuracy"]
    return rate


def _shown(rate: Mapping[str, Any]) -> str:
    if rate["value"] is None:
        return "–"
    interval = "" if rate["low"] is None else f" [{rate['low']:.3f}, {rate['high']:.3f}]"
    return f"{rate['value']:.3f}{interval}"


def _digest(records: Mapping[str, ArticleRecord], names: list[str]) -> str:
    lines = "".join(record_to_json(records[name]) + "\n" for name in names)
    return hashlib.sha256(lines.encode("utf-8")).hexdigest()
