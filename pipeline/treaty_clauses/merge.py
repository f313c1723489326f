"""Joins the records of an article's sections into one."""

from collections.abc import Sequence
from typing import Any

from treaty_clauses.io import text_sha256
from treaty_clauses.types import Article, ArticleRecord


def merge_sections(article: Article, records: Sequence[ArticleRecord], starts: Sequence[int]) -> ArticleRecord:
    """One record of `article` from those of its sections, which begin at `starts`.

    Actors are the same when they have the same Wikidata id, or the same name where they have none; proposals when they
    have the same name; all clauses without a named proposal hang under one unnamed one.
    """
    actors: dict[str, dict[str, Any]] = {}
    proposals: dict[str | None, dict[str, Any]] = {}
    warnings: list[str] = []
    for record, start in zip(records, starts, strict=True):
        names: dict[str, str] = {}
        for actor in record.actors:
            table = shift(actor.model_dump(), start)
            kept = actors.setdefault(actor.wikidata or f"name:{actor.name}", {**table, "id": f"a{len(actors) + 1}"})
            names[actor.id] = kept["id"]
            if kept["mentions"] is not table["mentions"]:
                kept["mentions"] = (*kept["mentions"], *table["mentions"])
        for proposal in record.proposals:
            table = _rename(shift(proposal.model_dump(), start), names)
            kept = proposals.setdefault(proposal.name, table)
            if kept is not table:
                for key in ("mentions", "clauses"):
                    kept[key] = (*kept[key], *table[key])
                kept["proposers"] = tuple(dict.fromkeys((*kept["proposers"], *table["proposers"])))
        warnings.extend(f"section from {start}: {warning}" for warning in record.warnings)
    number = 0
    for index, table in enumerate(proposals.values(), start=1):
        table["id"] = f"p{index}"
        for clause in table["clauses"]:
            number += 1
            clause["id"] = f"c{number}"
    first = records[0]
    info = {**first.article.model_dump(), "sha256": text_sha256(article.text), "length": len(article.text)}
    return ArticleRecord.model_validate(
        {
            "schema_version": first.schema_version,
            "article": info,
            "actors": tuple(actors.values()),
            "proposals": tuple(proposals.values()),
            "model": first.model,
            "warnings": tuple(warnings),
        }
    )


def shift(value: Any, by: int) -> Any:
    """A dumped record part with all its offsets moved by `by` characters."""
    if isinstance(value, dict):
        moved = {key: shift(item, by) for key, item in value.items()}
        for key in ("start", "end"):
            if key in moved:
                moved[key] += by
        return moved
    return type(value)(shift(item, by) for item in value) if isinstance(value, list | tuple) else value


def _rename(table: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """A dumped proposal whose roles name the merged actors."""
    roles = ("bearer", "counterparty", "territory", "proposers")
    clauses = tuple(
        {**clause, **{role: tuple(names[a] for a in clause[role]) for role in roles}} for clause in table["clauses"]
    )
    return {**table, "proposers": tuple(names[a] for a in table["proposers"]), "clauses": clauses}
