"""The store: what was read, found and lost, in one database, each commit whole or not at all."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import duckdb
import pyarrow as pa  # type: ignore[import-untyped]

from treaty_clauses.duplicates import bands
from treaty_clauses.io import parse_record
from treaty_clauses.items import FeedState, Form, Found, Hints, Item, Lost, SourceRead
from treaty_clauses.store.connection import Connection, StoreError, id_list
from treaty_clauses.store.linking import Linker
from treaty_clauses.store.rows import Row, arrow_table, article_row, dead_letter_row, record_rows, sighting_row
from treaty_clauses.store.schema import MIGRATIONS, SCHEMA_VERSION, VIEWS
from treaty_clauses.types import ArticleRecord

_PAGE = 500  # rows read at a time where all are read
#: Outcomes after which a run opens its database anew: DuckDB 1.5 keeps about 5 kB more for every short article that is
#: added, beside its memory limit, until it is closed (2026-11-23).
_RENEWED_AFTER = 5_000


@dataclass(frozen=True, slots=True)
class Extracted:
    """An item that was read and extracted; `record` is None when the store has its article already."""

    found: Found
    record: ArticleRecord | None


Outcome = Extracted | Lost | SourceRead


class Store:
    """A database of articles and their records. One writer at a time; open it, use it, close it.

    >>> store = Store(":memory:")
    >>> store.query("SELECT count(*) AS n FROM articles").to_pylist()
    [{'n': 0}]
    >>> store.close()
    """

    def __init__(
        self,
        location: str | Path,
        *,
        read_only: bool = False,
        keep_text: bool = True,
        migrations: dict[int, tuple[str, ...]] | None = None,
    ) -> None:
        """Open the DuckDB file, or the PostgreSQL database postgresql://..., and make or mend its tables.

        Raises:
            StoreError: It is in use, cannot be reached, is no store, or was made by a later version.
        """
        self._location = str(location)
        self._read_only = read_only
        self._keep_text = keep_text
        self._migrations = MIGRATIONS if migrations is None else migrations
        self._committed = 0
        self._connection = self._open()

    def _open(self) -> Connection:
        connection = Connection(self._location, read_only=self._read_only)
        try:
            self._migrate(connection)
        except duckdb.Error as error:
            connection.close()
            raise StoreError(f"{self._location}: not a store, or damaged: {error}") from error
        except StoreError:
            connection.close()
            raise
        return connection

    def close(self) -> None:
        """Close the store; nothing is lost if it is not."""
        self._connection.close()

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def release(self) -> None:
        """Close the file for a while, so that others can read it; `reopen` goes on."""
        self._connection.close()

    def reopen(self) -> None:
        """Go on after `release`.

        Raises:
            StoreInUseError: Somebody else has it open.
            StoreError: It is there no more, or damaged.
        """
        self._connection = self._open()

    def _migrate(self, connection: Connection) -> None:
        known = connection.rows(
            "SELECT count(*) FROM information_schema.tables WHERE table_name = 'meta' AND table_schema = current_schema()"
        )
        version = 0
        if known[0][0]:
            rows = connection.rows("SELECT content FROM meta WHERE name = 'schema_version'")
            version = int(rows[0][0]) if rows else 0
        newest = max(self._migrations, default=SCHEMA_VERSION)
        if version > newest:
            raise StoreError(f"{self._location}: schema version {version}, this package knows {newest}; upgrade it")
        if version == newest:
            return
        if self._read_only:
            raise StoreError(f"{self._location}: schema version {version}, not {newest}; open it for writing once")
        with connection.transaction():
            for step in range(version + 1, newest + 1):
                for statement in self._migrations[step]:
                    connection.execute(statement)
            connection.execute("DELETE FROM meta WHERE name = 'schema_version'")
            connection.insert("meta", arrow_table("meta", [{"name": "schema_version", "content": str(newest)}]))
        self._make_views(connection)

    @staticmethod
    def _make_views(connection: Connection) -> None:
        for name in reversed(VIEWS):
            connection.execute_native(
                f"DROP VIEW IF EXISTS {name} CASCADE" if connection.is_postgres else f"DROP VIEW IF EXISTS {name}"
            )
        for name, (_, body) in VIEWS.items():
            connection.execute_native(f"CREATE VIEW {name} AS {body}")

    # Reading

    def known_items(self, ids: Iterable[str], *, retrying: bool = False) -> set[str]:
        """Those of the items that were dealt with before: read, or lost.

        With `retrying`, a dead letter whose bytes were not kept does not count: only its source can give it again.
        """
        names = id_list(ids)
        found = self._seen(names)
        kept = " AND (form = 'page' OR payload IS NOT NULL)" if retrying else ""
        found += self._connection.look_up(
            f"SELECT item_id FROM dead_letters WHERE form <> 'source'{kept} AND item_id IN ({names})"
        )
        return {row[0] for row in found}

    def _seen(self, names: str) -> list[tuple[str]]:
        return [
            (row[0],) for row in self._connection.look_up(f"SELECT item_id FROM sightings WHERE item_id IN ({names})")
        ]

    def known_articles(self, ids: Iterable[str]) -> set[str]:
        """Those of the articles that the store has."""
        return {
            row[0]
            for row in self._connection.look_up(f"SELECT article_id FROM articles WHERE article_id IN ({id_list(ids)})")
        }

    def feed_state(self, url: str) -> FeedState | None:
        """What a server said last of a feed."""
        rows = self._connection.rows("SELECT url, etag, last_modified, status FROM feeds WHERE url = ?", [url])
        return FeedState(*rows[0]) if rows else None

    def dead_letters(self, *, transient_only: bool = False, most_attempts: int | None = None) -> Iterator[Item]:
        """The items that failed, ready to be tried again, in a fixed order; few are in memory at a time."""
        conditions = ["item_id > ?"]
        conditions += ["transient"] if transient_only else []
        conditions += [f"attempts < {int(most_attempts)}"] if most_attempts is not None else []
        last = ""
        while True:
            rows = self._connection.rows(
                "SELECT item_id, source, locator, form, payload, hints FROM dead_letters "
                f"WHERE {' AND '.join(conditions)} ORDER BY item_id LIMIT {_PAGE // 10}",
                [last],
            )
            for item_id, source, locator, form, payload, hints in rows:
                yield Item(item_id, source, locator, Form(form), payload or b"", Hints.from_json(hints))
            if not rows:
                return
            last = rows[-1][0]

    def records(self) -> Iterator[ArticleRecord]:
        """All records, in the order of processing; few are in memory at a time."""
        for article_id, line in self.record_lines():
            yield parse_record(line, where=article_id)

    def record_lines(self) -> Iterator[tuple[str, str]]:
        """All article ids and records as lines of JSON, in the order of processing."""
        last = 0
        while True:
            rows = self._connection.rows(
                "SELECT article_id, record, number FROM articles WHERE number > ? ORDER BY number LIMIT ?",
                [last, _PAGE],
            )
            for article_id, line, _ in rows:
                yield article_id, line
            if not rows:
                return
            last = rows[-1][2]

    def query(self, statement: str) -> pa.Table:
        """The answer to a SQL query as an Arrow table.

        Raises:
            StoreError: The query is wrong.
        """
        return self._connection.query(statement)

    def lock_down(self) -> None:
        """Let queries see the store's tables and nothing else of this machine."""
        self._connection.lock_down()

    def copy_to(self, statement: str, path: Path, options: str) -> None:
        """Write the answer to a query into a file, without holding it in memory; `options` are those of DuckDB's COPY.

        Raises:
            StoreError: The query is wrong, or the file cannot be written.
        """
        self._connection.copy_to(statement, path, options)

    # Writing

    def start_run(self, arguments: dict[str, Any], *, version: str) -> str:
        """Note that a run begins; returns its id."""
        run_id = uuid4().hex
        row = {
            "run_id": run_id,
            "started_at": _utc(),
            "arguments": json.dumps(arguments, default=str),
            "version": version,
        }
        with self._connection.transaction():
            self._connection.insert("runs", arrow_table("runs", [row]))
        return run_id

    def end_run(self, run_id: str, *, outcome: str, counts: dict[str, Any]) -> None:
        """Note how a run ended: done, stopped or failed.

        Raises:
            StoreError: The database refuses.
        """
        try:
            with self._connection.transaction():
                self._connection.execute(
                    "UPDATE runs SET ended_at = ?, outcome = ?, counts = ? WHERE run_id = ?",
                    [_utc(), outcome, json.dumps(counts), run_id],
                )
        except duckdb.Error as error:
            raise StoreError(f"{self._location}: cannot be written: {error}") from error

    def commit(self, outcomes: Sequence[Outcome], *, run_id: str) -> None:
        """Store what became of some items, all of it or nothing.

        An item or article that is there already is left as it is, so that committing twice changes nothing. When another
        process has stored one of them meanwhile (PostgreSQL), the commit is tried once more without it; when the database's memory
        does not suffice, with more.

        Raises:
            StoreError: The database refuses: the disk is full, the server is gone.
        """
        is_large = False
        for attempt in (1, 2):
            try:
                with self._connection.transaction():
                    self._write(outcomes, run_id)
                break
            except duckdb.Error as error:
                is_large = isinstance(error, duckdb.OutOfMemoryException)
                clash = "duplicate key" in str(error).lower() or isinstance(error, duckdb.ConstraintException)
                if not (clash or is_large) or attempt == 2:
                    raise StoreError(f"{self._location}: cannot be written: {error}") from error
                if is_large:
                    self._connection.renew(generous=True)
        self._committed += _RENEWED_AFTER if is_large else len(outcomes)
        if self._committed >= _RENEWED_AFTER:
            self._connection.renew()
            self._committed = 0

    def _write(self, outcomes: Sequence[Outcome], run_id: str) -> None:
        now = _utc()
        read = {o.found.item.item_id: o for o in outcomes if isinstance(o, Extracted)}
        lost = {o.item.item_id: o for o in outcomes if isinstance(o, Lost) and o.item.item_id not in read}
        states = [o for o in outcomes if isinstance(o, SourceRead)]
        known = {row[0] for row in self._seen(id_list(read))}
        fresh = [o for item_id, o in read.items() if item_id not in known]
        tables: dict[str, list[Row]] = defaultdict(list)
        self._add_articles(fresh, tables, run_id, now)
        for outcome in fresh:
            tables["sightings"].append({**sighting_row(outcome.found), "run_id": run_id, "seen_at": now})
        self._forget([*read, *(state.item_id for state in states)])
        tables["dead_letters"] += self._dead_letters(list(lost.values()), run_id, now)
        feeds = {state.feed.url: state.feed for state in states if state.feed is not None}
        for feed in feeds.values():
            self._connection.execute("DELETE FROM feeds WHERE url = ?", [feed.url])
            row = {"url": feed.url, "etag": feed.etag, "last_modified": feed.last_modified, "status": feed.status}
            tables["feeds"].append({**row, "checked_at": now})
        for name, rows in tables.items():
            if rows:
                self._connection.insert(name, arrow_table(name, rows))

    def _add_articles(self, fresh: list[Extracted], tables: dict[str, list[Row]], run_id: str, now: datetime) -> None:
        new: dict[str, tuple[Found, ArticleRecord]] = {}
        for outcome in fresh:
            if outcome.record is not None:
                new.setdefault(outcome.found.article.id, (outcome.found, outcome.record))
        for article_id in self.known_articles(new):
            del new[article_id]
        ordered = list(new.values())
        if not ordered:
            return
        number = int(self._connection.look_up("SELECT coalesce(max(number), 0) FROM articles")[0][0])
        linker = Linker(self._connection, (found.signature for found, _ in ordered))
        for found, record in ordered:
            number += 1
            story, alike = linker.link(found, number)
            tables["articles"].append(
                {
                    **article_row(found, record),
                    **({} if self._keep_text else {"text": ""}),
                    "number": number,
                    "story_id": story,
                    "similarity": alike,
                    "run_id": run_id,
                    "processed_at": now,
                }
            )
            tables["bands"] += [
                {"band": key, "number": number, "article_id": found.article.id} for key in bands(found.signature)
            ]
            for name, row in record_rows(record):
                tables[name].append(row)

    def _forget(self, ids: Iterable[str]) -> None:
        names = id_list(ids)
        if self._connection.look_up(f"SELECT item_id FROM dead_letters WHERE item_id IN ({names}) LIMIT 1"):
            self._connection.execute(f"DELETE FROM dead_letters WHERE item_id IN ({names})")

    def _dead_letters(self, lost: list[Lost], run_id: str, now: datetime) -> list[Row]:
        if not lost:
            return []
        names = id_list(o.item.item_id for o in lost)
        known = dict(self._connection.look_up(f"SELECT item_id, attempts FROM dead_letters WHERE item_id IN ({names})"))
        self._forget(known)
        read = {row[0] for row in self._seen(names)}
        return [
            {**dead_letter_row(o, known.get(o.item.item_id, 0) + 1), "run_id": run_id, "failed_at": now}
            for o in lost
            if o.item.item_id not in read
        ]


def _utc() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
