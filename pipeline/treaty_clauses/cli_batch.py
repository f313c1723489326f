"""The commands of batch processing: `batch`, `store export`, `store query`."""

import csv
import json
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from enum import StrEnum
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from treaty_clauses.errors import InputError, TreatyClausesError
from treaty_clauses.io import parse_date

if TYPE_CHECKING:
    from treaty_clauses.batch.counts import Counts
    from treaty_clauses.batch.runner import Journal
    from treaty_clauses.items import Limits
    from treaty_clauses.store import Store


class Engine(StrEnum):
    """What a batch runs on."""

    LOCAL = "local"
    RAY = "ray"


class ExportForm(StrEnum):
    """What an export writes."""

    PARQUET = "parquet"
    CSV = "csv"
    JSONL = "jsonl"


class QueryForm(StrEnum):
    """How the answer to a query is printed."""

    TABLE = "table"
    CSV = "csv"
    JSONL = "jsonl"


_LEAST_COLUMN_CHARS = 12  # in a narrower one hardly a name can be read

store_app = typer.Typer(no_args_is_help=True, help="Read a store of `batch`: export it, query it.")

StoreArgument = Annotated[str, typer.Argument(help="DuckDB file, or postgresql://USER@HOST/DATABASE.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command()(batch)
    app.add_typer(store_app, name="store")


def batch(
    sources: Annotated[
        list[str] | None, typer.Argument(help="Files, folders, archives, tables, pages, feeds: paths or http(s) URLs.")
    ] = None,
    store: Annotated[
        str, typer.Option(help="DuckDB file, made if not there; or postgresql://USER@HOST/DATABASE.")
    ] = "records.duckdb",
    sources_from: Annotated[
        Path | None, typer.Option("--from", help="File of further sources, one a line; # begins a remark.")
    ] = None,
    published: Annotated[
        str | None, typer.Option(help="Date of articles that bring none, YYYY-MM-DD.", metavar="DATE")
    ] = None,
    model: Annotated[Path | None, typer.Option(help="Model folder; the package's own if not given.")] = None,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Try the dead letters again first.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Poll the sources until stopped.")] = False,
    every: Annotated[float, typer.Option(help="Minutes between two polls.", min=0.001)] = 15.0,
    engine: Annotated[Engine, typer.Option(help="ray: on Ray Data, for local files and archives.")] = Engine.LOCAL,
    workers: Annotated[int, typer.Option(help="Extractors at once, for ray.", min=1)] = 1,
    parts: Annotated[
        Path | None, typer.Option(help="Folder of Parquet partitions, for ray; STORE.parts if not given.")
    ] = None,
    ray_address: Annotated[str | None, typer.Option(help="Cluster, for ray; this machine if not given.")] = None,
    log: Annotated[Path | None, typer.Option(help="File to append a JSON line to for every event.")] = None,
    no_text: Annotated[bool, typer.Option("--no-text", help="Keep no full texts in the store, only quotes.")] = False,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Fetch from private addresses too (an intranet).")
    ] = False,
    delay: Annotated[float, typer.Option(help="Least seconds between two requests to a host.", min=0.0)] = 1.0,
    user_agent: Annotated[
        str, typer.Option(help="How requests name themselves; add a contact.")
    ] = "treaty-clauses/0.1",
    max_chars: Annotated[int, typer.Option(help="Longest article, in characters.", min=1)] = 100_000,
    max_bytes: Annotated[int, typer.Option(help="Largest item, in bytes, decompressed.", min=1)] = 10_000_000,
    max_seconds: Annotated[float, typer.Option(help="Longest time for one article.", min=0.1)] = 300.0,
) -> None:
    """Process sources into a store; go on where an earlier run was stopped or killed.

    Example: `treaty-clauses batch news/ https://example.org/rss --store records.duckdb`

    Each article is processed once, however often the command is stopped, killed and started again. What fails is kept as a
    dead letter with its reason. Exit code 0: all done; 1: something was lost; 2: usage; 130, 143: stopped by a signal.
    """
    if not sources and not sources_from and not retry_failed:
        raise typer.BadParameter("name at least one source", param_hint="SOURCES")
    if engine is Engine.RAY and (watch or retry_failed):
        raise typer.BadParameter("--watch and --retry-failed are for the local engine", param_hint="--engine")
    with _errors_named(), ExitStack() as stack:
        from treaty_clauses.batch.journal import JsonJournal, ProgressDisplay
        from treaty_clauses.batch.runner import BatchOptions, silent
        from treaty_clauses.batch.session import BatchConfig, run_batch
        from treaty_clauses.feeds import FetchOptions, total_bytes
        from treaty_clauses.items import Limits
        from treaty_clauses.store import Store

        names = [*(sources or []), *(_listed(sources_from) if sources_from else [])]
        limits = Limits(max_bytes=max_bytes, max_chars=max_chars, max_seconds=max_seconds)
        day = parse_date(published, where="--published") if published else None
        journal = JsonJournal(stack.enter_context(log.open("a", encoding="utf-8"))) if log else silent
        stop = stack.enter_context(_stopping()) if engine is Engine.LOCAL else _Stop()  # Ray ends on a signal by itself
        opened = stack.enter_context(Store(store, keep_text=not no_text))
        if engine is Engine.RAY:
            folder = parts or Path(f"{store}.parts")
            counts = _on_ray(names, opened, folder, workers, ray_address, model, limits, day, journal)
        else:
            display = ProgressDisplay(_stderr(), 0 if watch else total_bytes(names))
            stack.callback(display.close)
            config = BatchConfig(
                model=model,
                published=day,
                limits=limits,
                fetch=FetchOptions(user_agent=user_agent, delay_seconds=delay, allow_private=allow_private),
                options=BatchOptions(retry_failed=retry_failed, watch_seconds=every * 60 if watch else None),
            )
            counts = run_batch(names, opened, config, stop=stop.event, journal=journal, on_progress=display)
    _stderr().print(counts.summary(), markup=False)
    if stop.signal:
        raise typer.Exit(128 + stop.signal)
    if counts.lost:
        raise typer.Exit(1)


def _on_ray(
    names: list[str],
    store: "Store",
    parts: Path,
    workers: int,
    address: str | None,
    model: Path | None,
    limits: "Limits",
    day: date | None,
    journal: "Journal",
) -> "Counts":
    from treaty_clauses.batch.cluster import ClusterConfig, run_on_ray

    config = ClusterConfig(parts=parts, workers=workers, model=model, limits=limits, published=day, address=address)
    try:
        return run_on_ray(names, store, config, journal=journal)
    except KeyboardInterrupt as error:
        _stderr().print(f"stopped; the same command goes on from what is in {parts}", markup=False)
        raise typer.Exit(128 + signal.SIGINT) from error


@store_app.command("export")
def store_export(
    store: StoreArgument,
    folder: Annotated[Path, typer.Argument(help="Folder for the files, made if not there.")],
    form: Annotated[ExportForm, typer.Option("--format", help="jsonl: the records; else a file a table and view.")] = (
        ExportForm.PARQUET
    ),
) -> None:
    """Write a store's tables and views, or its records, as files.

    Example: `treaty-clauses store export records.duckdb out/ --format csv`

    CSV is safe to open in a spreadsheet: no cell is taken for a formula.
    """
    with _errors_named():
        from treaty_clauses.store import ExportFormat, Store, export

        with Store(store, read_only=True) as opened:
            files = export(opened, folder, form=ExportFormat(form.value))
    for path in files.values():
        sys.stdout.write(f"{path}\n")


@store_app.command("query")
def store_query(
    store: StoreArgument,
    statement: Annotated[str, typer.Argument(help="SQL, or the name of a view or table.")],
    form: Annotated[QueryForm, typer.Option("--format", help="How to print.")] = QueryForm.TABLE,
) -> None:
    """Ask a store a question in SQL; the query sees the store and nothing else of the machine.

    Example: `treaty-clauses store query records.duckdb troop_caps`
    """
    with _errors_named():
        from treaty_clauses.store import TABLES, VIEWS, Store

        names = {*VIEWS, *(table.name for table in TABLES)}
        with Store(store, read_only=True) as opened:
            opened.lock_down()
            rows = opened.query(f"SELECT * FROM {statement}" if statement in names else statement)
    if form is QueryForm.JSONL:
        for row in rows.to_pylist():
            sys.stdout.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")
    elif form is QueryForm.CSV:
        from treaty_clauses.store.export import defuse

        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(rows.column_names)
        for row in rows.to_pylist():
            writer.writerow([defuse(value) if isinstance(value, str) else value for value in row.values()])
    else:
        _print_table(rows.column_names, rows.to_pylist())


def _print_table(names: list[str], rows: list[dict[str, Any]]) -> None:
    """Print rows as a table; where the columns would be too narrow to read, a column a line."""
    console = Console()
    if len(names) * _LEAST_COLUMN_CHARS <= console.width:
        table = Table(*names)
        for row in rows:
            table.add_row(*map(_printable, row.values()))
        console.print(table)
        return
    for row in rows:
        grid = Table.grid(padding=(0, 2))
        for name, value in row.items():
            grid.add_row(name, _printable(value))
        console.print(grid)
        console.print()


def _printable(value: Any) -> str:
    return "" if value is None else str(value).replace("[", "\\[")


class _Stop:
    """Set by the first SIGINT or SIGTERM; the second one ends the process as usual."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self.signal = 0

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Take the signal."""
        del frame
        if self.event.is_set():
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        self.signal = number
        self.event.set()
        _stderr().print("stopping: what is begun is finished; once more to stop at once")


@contextmanager
def _stopping() -> Iterator[_Stop]:
    stop = _Stop()
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _errors_named() -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        extra = "ray" if (error.name or "").startswith("ray") else "batch"
        message = f"{error.name} is not installed; batch processing needs: pip install 'treaty-clauses[{extra}]'"
        _stderr().print(message, style="red", markup=False)
        raise typer.Exit(1) from error
    except (TreatyClausesError, OSError) as error:
        _stderr().print(str(error), style="red", markup=False)
        raise typer.Exit(1) from error


def _listed(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot read the list of sources: {error}") from error
    return [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]


def _stderr() -> Console:
    return Console(stderr=True, soft_wrap=True, highlight=False)
