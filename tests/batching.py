"""What the tests of batch processing share: a run with the quick extractor, and rows to compare."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from standin import Standin
from treaty_clauses.batch.counts import Counts
from treaty_clauses.batch.engines import LocalExtraction
from treaty_clauses.batch.runner import BatchOptions
from treaty_clauses.batch.session import BatchConfig, run_batch
from treaty_clauses.feeds import FetchOptions
from treaty_clauses.items import Limits
from treaty_clauses.store import TABLES, Store

QUICK = FetchOptions(allow_private=True, delay_seconds=0.0, silence_seconds=1.0, total_seconds=1.5, retries=0)
#: Columns that say when and by which run, not what.
PASSING = {"run_id", "processed_at", "seen_at", "failed_at", "checked_at", "started_at", "ended_at"}


def process(
    sources: Sequence[object],
    store: Store,
    *,
    fetch: FetchOptions = QUICK,
    limits: Limits | None = None,
    extraction: Any = None,
    stop: Any = None,
    journal: Any = None,
    published: Any = None,
    **options: Any,
) -> Counts:
    """A run in this process, with the quick extractor."""
    config = BatchConfig(
        fetch=fetch,
        limits=limits or Limits(),
        options=replace(BatchOptions(), **options),
        isolated=False,
        published=published,
    )
    extra = {"journal": journal} if journal else {}
    extractor = extraction or LocalExtraction(Standin())
    return run_batch([str(source) for source in sources], store, config, extraction=extractor, stop=stop, **extra)


def rows(store: Store, statement: str) -> list[dict[str, Any]]:
    """The answer to a query."""
    result: list[dict[str, Any]] = store.query(statement).to_pylist()
    return result


def everything(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables, sorted, without what says when and by which run."""
    found = {}
    for table in TABLES:
        if table.name == "runs":
            continue
        names = [column.name for column in table.columns if column.name not in PASSING]
        table_rows = store.query(f"SELECT {', '.join(names)} FROM {table.name}").to_pylist()
        found[table.name] = sorted((tuple(row.values()) for row in table_rows), key=repr)
    return found


def faults(store: Store) -> dict[str, str]:
    """The kind of fault of each dead letter, by the last part of its place."""
    found = rows(store, "SELECT locator, fault FROM dead_letters")
    return {Path(row["locator"]).name: row["fault"] for row in found}
