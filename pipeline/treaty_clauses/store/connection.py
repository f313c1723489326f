"""One way to speak to both databases: DuckDB itself, and PostgreSQL through DuckDB's own attach."""

import importlib.util
import re
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa  # type: ignore[import-untyped]

from treaty_clauses.errors import InputError

_POSTGRES = ("postgresql://", "postgres://")
_EXTENSION = "duckdb_extension_postgres_scanner"
_ALIAS = "team"
_FILE_ALIAS = "store"
#: Rows of a table that DuckDB keeps together; it writes the newest group anew whenever it takes in its log. With its usual
#: 122,880 the peaks grow with the store (40,000 articles of 3 kB: 570 MiB), with its smallest they do not (258; 2026-11-23).
_ROW_GROUP_ROWS = 2_048
#: Memory of the database's own, for queries and for a run: rows are written in small batches, and what a run may take it
#: fills in time with pages that it has no use for (256 MB: 532 MiB in all at the peak of 100,000 short articles; 64 MB: 350;
#: 2026-11-23). A commit that needs more gets the first of the two (`renew`).
_QUERY_MEMORY, _RUN_MEMORY = "1GB", "64MB"
#: Seconds between attempts to take back a file that somebody began to read in the moment in which it was free.
_RENEWAL_WAITS = (0.1, 0.5, 2.0, 5.0, 20.0, 60.0)
_PASSWORD = re.compile(r"//[^@/\s]*@")  # has no place in a message
_ID = re.compile(r"[0-9a-f]{32}")


class StoreError(InputError):
    """A store cannot be opened or written: in use, damaged, of another version, or out of reach."""


class StoreInUseError(StoreError):
    """Another process has the store open; it may be free a moment later."""


class Connection:
    """A connection to a store's database."""

    def __init__(self, location: str, *, read_only: bool = False) -> None:
        self.location = location
        self.is_postgres = location.startswith(_POSTGRES)
        self.read_only = read_only
        self._lock = threading.RLock()  # one thread reads sources while another commits
        self._connect(_QUERY_MEMORY if read_only else _RUN_MEMORY)

    def _connect(self, memory: str) -> None:
        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": memory,
            "threads": 2 if self.read_only else 1,  # small commits gain nothing, and the cores belong to the model
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
        try:
            if self.is_postgres:
                self.duck = duckdb.connect(":memory:", config={**config, "allow_unsigned_extensions": False})
                self._attach()
            elif self.location == ":memory:" or self.read_only:
                self.duck = duckdb.connect(self.location, read_only=self.read_only, config=config)
            else:
                self.duck = duckdb.connect(":memory:", config={**config, "temp_directory": f"{self.location}.tmp"})
                self._attach_file()
        except duckdb.Error as error:
            raise _explained(self.location, error) from error
        self.duck.execute("SET TimeZone = 'UTC'")

    def _attach_file(self) -> None:
        try:
            self.duck.execute(
                f"ATTACH {_quoted(self.location)} AS {_FILE_ALIAS} (TYPE duckdb, ROW_GROUP_SIZE {_ROW_GROUP_ROWS})"
            )
            self.duck.execute(f"USE {_FILE_ALIAS}")
        except duckdb.Error:
            self.duck.close()
            raise

    def _attach(self) -> None:
        extension = _extension_file()
        if extension is None:
            raise StoreError(
                f"PostgreSQL needs DuckDB's postgres extension for DuckDB {duckdb.__version__}: pip install "
                f"'treaty-clauses[postgres]' '{_EXTENSION.replace('_', '-')}=={duckdb.__version__}'"
            )
        self.duck.execute(f"LOAD {_quoted(extension)}")
        only = ", READ_ONLY" if self.read_only else ""
        self.duck.execute(f"ATTACH {_quoted(self.location)} AS {_ALIAS} (TYPE postgres{only})")
        self.duck.execute(f"USE {_ALIAS}.public")

    def close(self) -> None:
        """Give the database back, to others too."""
        self.duck.close()

    def renew(self, *, generous: bool = False) -> None:
        """Close a file and open it again, which gives back what the database has piled up in memory; other threads wait.

        With `generous` it may then use as much memory as for queries, until it is renewed without.

        Raises:
            StoreInUseError: Another process has taken the file meanwhile and kept it for longer than we wait.
        """
        if self.is_postgres or self.location == ":memory:":
            return
        with self._lock:
            self.duck.close()
            for wait in (*_RENEWAL_WAITS, None):
                try:
                    self._connect(_QUERY_MEMORY if generous else _RUN_MEMORY)
                    return
                except StoreInUseError:
                    if wait is None:
                        raise
                    time.sleep(wait)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is done inside becomes visible at once, or not at all; other threads wait."""
        with self._lock:
            self.duck.execute("BEGIN TRANSACTION")
            try:
                yield
                self.duck.execute("COMMIT")
            except BaseException:
                with suppress(duckdb.Error):  # a failed COMMIT has ended the transaction already
                    self.duck.execute("ROLLBACK")
                raise

    def insert(self, table: str, rows: pa.Table) -> None:
        """Append rows to a table."""
        self.duck.register("rows_to_insert", rows)
        try:
            self.duck.execute(f"INSERT INTO {table} BY NAME SELECT * FROM rows_to_insert")
        finally:
            self.duck.unregister("rows_to_insert")

    def execute(self, statement: str, values: Iterable[Any] = ()) -> None:
        """Run a statement that gives no rows."""
        self.duck.execute(statement, list(values))

    def execute_native(self, statement: str) -> None:
        """Run a statement as the database itself reads it: DDL that DuckDB would rewrite on the way."""
        if self.is_postgres:
            self.duck.execute(f"CALL postgres_execute('{_ALIAS}', ?)", [statement])
        else:
            self.duck.execute(statement)

    def look_up(self, statement: str) -> list[tuple[Any, ...]]:
        """Rows of a small query that the database itself should answer by its indexes."""
        if self.is_postgres:
            statement = f"SELECT * FROM postgres_query('{_ALIAS}', {_quoted(statement)})"
        return self.rows(statement)

    def rows(self, statement: str, values: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of the answer to a query."""
        with self._lock:
            return self.duck.execute(statement, list(values)).fetchall()

    def query(self, statement: str) -> pa.Table:
        """The answer to a query as an Arrow table.

        Raises:
            StoreError: The query is wrong; the database's own words say where.
        """
        try:
            return self.duck.execute(statement).to_arrow_table()
        except duckdb.Error as error:
            raise StoreError(str(error)) from error

    def copy_to(self, statement: str, path: Path, options: str) -> None:
        """Write the answer to a query into a file.

        Raises:
            StoreError: The query is wrong, or the file cannot be written.
        """
        try:
            self.duck.execute(f"COPY ({statement}) TO {_quoted(path)} ({options})")
        except duckdb.Error as error:
            raise StoreError(f"{path}: cannot be written: {error}") from error

    def lock_down(self) -> None:
        """From here on no query reads or writes a file of this machine, loads anything, or changes these settings."""
        self.duck.execute("SET enable_external_access = false")
        self.duck.execute("SET lock_configuration = true")


def id_list(ids: Iterable[str]) -> str:
    """Ids as the list of an IN clause.

    Raises:
        ValueError: One of them is no id.
    """
    names = list(ids)
    if not all(_ID.fullmatch(name) for name in names):
        raise ValueError("ids are 32 hexadecimal digits")
    return ", ".join(f"'{name}'" for name in names) or "NULL"


def _quoted(text: object) -> str:
    return "'" + str(text).replace("'", "''") + "'"


def _extension_file() -> Path | None:
    spec = importlib.util.find_spec(_EXTENSION)
    if spec is not None and spec.origin is not None:
        folder = Path(spec.origin).parent / "extensions" / f"v{duckdb.__version__}"
        return next(folder.glob("*.duckdb_extension"), None)
    return None


def _explained(location: str, error: duckdb.Error) -> StoreError:
    words = _PASSWORD.sub("//...@", str(error).splitlines()[0])
    location = _PASSWORD.sub("//...@", location)
    if "lock" in words.lower():
        reason = "in use by another process; a store has one writer, and no reader meanwhile"
        return StoreInUseError(f"{location}: {reason} ({words})")
    if "://" in location:
        return StoreError(f"{location}: cannot be reached: {words}")
    return StoreError(f"{location}: cannot be opened as a store: {words}")
