"""Records into rows of the store's tables, and rows into Arrow tables for bulk insertion."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]

from treaty_clauses.io import record_to_json, text_sha256
from treaty_clauses.items import Found, Lost, is_storable, storable
from treaty_clauses.store.schema import TABLES
from treaty_clauses.types import ArticleRecord, Clause, Mention, Term

Row = dict[str, Any]

_TYPES = {
    "VARCHAR": pa.string(),
    "INTEGER": pa.int32(),
    "BIGINT": pa.int64(),
    "DOUBLE": pa.float64(),
    "BOOLEAN": pa.bool_(),
    "TIMESTAMP": pa.timestamp("us"),
    "BLOB": pa.binary(),
}


def record_rows(record: ArticleRecord) -> Iterator[tuple[str, Row]]:
    """The rows of a record, each with the name of its table; the article itself is not among them."""
    article = {"article_id": record.article.id}
    for actor in record.actors:
        yield (
            "actors",
            {**article, "actor_id": actor.id, "name": actor.name, "kind": actor.kind.value, "wikidata": actor.wikidata},
        )
        yield from _mentions(article, "actor", actor.id, actor.mentions)
    for proposal in record.proposals:
        yield "proposals", {**article, "proposal_id": proposal.id, "name": proposal.name, "date": proposal.date}
        yield from _mentions(article, "proposal", proposal.id, proposal.mentions)
        yield from _roles(article, "proposal", proposal.id, "proposer", proposal.proposers)
        for clause in proposal.clauses:
            yield from _clause_rows(article, proposal.id, clause)
    for number, message in enumerate(record.warnings):
        yield "warnings", {**article, "n": number, "message": message}


def article_row(found: Found, record: ArticleRecord) -> Row:
    """The row of an article, without its place among the others."""
    article = found.article
    return {
        "article_id": article.id,
        "title": article.title,
        "published": str(article.published) if article.published else None,
        "outlet": article.source,
        "url": article.url,
        "text": article.text,
        "length": len(article.text),
        "sha256": text_sha256(article.text),
        "encoding": found.encoding,
        "script": found.script,
        "signature": found.signature,
        "model": record.model,
        "record": record_to_json(record),
    }


def sighting_row(found: Found) -> Row:
    """The row of a place where an article was found."""
    item, article = found.item, found.article
    return {
        "item_id": item.item_id,
        "article_id": article.id,
        "source": item.source,
        "locator": item.locator,
        "url": article.url,
        "outlet": article.source,
        "title": article.title,
        "external_id": found.external_id,
        "encoding": found.encoding,
        "notes": "; ".join(found.notes) or None,
    }


def dead_letter_row(lost: Lost, attempts: int) -> Row:
    """The row of an item that failed for the `attempts`-th time."""
    item, problem = lost.item, lost.problem
    return {
        "item_id": item.item_id,
        "source": item.source,
        "locator": item.locator,
        "fault": problem.fault.value,
        "message": problem.message,
        "transient": problem.transient,
        "attempts": attempts,
        "form": item.form.value,
        "payload": item.payload or None,
        "hints": item.hints.to_json(),
    }


def _clause_rows(article: Row, proposal_id: str, clause: Clause) -> Iterator[tuple[str, Row]]:
    owner = {**article, "clause_id": clause.id}
    yield (
        "clauses",
        {
            **owner,
            "proposal_id": proposal_id,
            "type": clause.type.value,
            "modality": clause.modality.value,
            "status": clause.status.value,
            "text": clause.text,
            "confidence": clause.confidence,
        },
    )
    yield from _mentions(article, "clause", clause.id, clause.mentions)
    for role in ("bearer", "counterparty", "territory"):
        yield from _roles(article, "clause", clause.id, role, getattr(clause, role))
    yield from _roles(article, "clause", clause.id, "proposer", clause.proposers)
    for number, term in enumerate(clause.terms):
        yield "terms", {**owner, "n": number, **_term(term)}
    for number, condition in enumerate(clause.conditions):
        place = {"start_char": condition.start, "end_char": condition.end, "text": condition.text}
        yield "conditions", {**owner, "n": number, **place}


def _term(term: Term) -> Row:
    dated, high_dated = isinstance(term.value, str), isinstance(term.high, str)
    return {
        "role": term.role.value,
        "comparator": term.comparator.value,
        "value": None if dated else float(term.value),
        "high": None if high_dated or term.high is None else float(term.high),
        "day": term.value if dated else None,
        "high_day": term.high if high_dated else None,
        "unit": term.unit,
        "anchor": term.anchor.text if term.anchor else None,
        "start_char": term.start,
        "end_char": term.end,
        "text": term.text,
    }


def _mentions(article: Row, owner: str, owner_id: str, mentions: tuple[Mention, ...]) -> Iterator[tuple[str, Row]]:
    for number, mention in enumerate(mentions):
        place = {"n": number, "start_char": mention.start, "end_char": mention.end, "text": mention.text}
        yield "mentions", {**article, "owner": owner, "owner_id": owner_id, **place}


def _roles(article: Row, owner: str, owner_id: str, role: str, actors: tuple[str, ...]) -> Iterator[tuple[str, Row]]:
    for actor_id in dict.fromkeys(actors):
        yield "roles", {**article, "owner": owner, "owner_id": owner_id, "role": role, "actor_id": actor_id}


def arrow_table(name: str, rows: list[Row]) -> pa.Table:
    """Rows of the table `name` as an Arrow table with all its columns; strings are made storable."""
    spec = next(table for table in TABLES if table.name == name)
    columns = {}
    for column in spec.columns:
        values = [row.get(column.name) for row in rows]
        if column.type == "VARCHAR" and not is_storable("".join(value for value in values if value is not None)):
            values = [None if value is None else storable(value) for value in values]
        columns[column.name] = pa.array(values, _TYPES[column.type])
    return pa.table(columns)
