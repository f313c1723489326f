"""The same run on Ray Data: files are read, parsed and extracted on a cluster, and the results loaded into the store.

Between the two lie Parquet partitions in a folder. What they hold is not done again, so a run that was killed goes on from
them; a row that a restarted task wrote twice is stored once.
"""

import json
import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from treaty_clauses.batch.counts import Counts
from treaty_clauses.batch.engines import ProcessExtraction, ProcessReading, model_process
from treaty_clauses.batch.messages import (
    found_message,
    item_message,
    problem_message,
    read_found,
    read_item_message,
    read_problem,
    read_result,
    result_message,
)
from treaty_clauses.batch.runner import Journal, silent, tell_lost
from treaty_clauses.batch.worker import WorkerSpec
from treaty_clauses.errors import ConfigError
from treaty_clauses.feeds.files import file_kind, read_path, walk
from treaty_clauses.feeds.sources import is_url
from treaty_clauses.items import Form, Found, Ignored, Item, Limits, Lost, SourceRead
from treaty_clauses.store import Extracted, Outcome, Store

_FILES = 32  # read by one task, with one parser process
#: A share of a core for a task that reads; other than an extractor's, so that Ray does not run both in one process and a
#: single big file still goes to all extractors.
_READER_CPUS = 0.5
_ROWS = 32  # articles given to an extractor at once, and rows of a commit
#: A partition is written when its rows reach this size, so a killed run loses no more than that for each writer.
_PARTITION_BYTES = 1 << 20
_OF_SOURCES = ("read", "failed")
_SCHEMA = pa.schema([(name, pa.string()) for name in ("item_id", "kind", "source", "item", "found", "result")])


@dataclass(frozen=True, slots=True)
class ClusterConfig:
    """How a run on Ray goes about it.

    `parts` is the folder of partitions, which every node must reach, as it must the sources; `address` that of a cluster,
    this machine if None; `spec` what extracts, in place of the model.
    """

    parts: Path
    workers: int = 1
    model: Path | None = None
    limits: Limits = field(default_factory=Limits)
    published: date | None = None
    address: str | None = None
    spec: WorkerSpec | None = None


def run_on_ray(sources: Sequence[str], store: Store, config: ClusterConfig, *, journal: Journal = silent) -> Counts:
    """Process local sources on Ray Data and load the results into a store.

    Uses Ray as it is initialized, or the cluster at `config.address`, or one on this machine.

    Raises:
        ConfigError: A source is on the web: asking hosts politely needs one process, the local engine's.
    """
    web = [source for source in sources if is_url(source)]
    if web:
        raise ConfigError(f"{web[0]}: pages and feeds are read by the local engine; leave out --engine ray")
    earlier = {path.name for path in config.parts.glob("*.parquet")}
    extract_to_parts(sources, config)
    return load_parts(store, config, earlier=earlier, journal=journal)


def extract_to_parts(sources: Sequence[str], config: ClusterConfig) -> None:
    """Write what becomes of the sources' items as Parquet partitions, leaving out what partitions hold already."""
    import ray

    config.parts.mkdir(parents=True, exist_ok=True)
    files = [{"source": source, "path": str(path)} for source in sources for path in _files(Path(source))]
    if not files:
        return
    if not ray.is_initialized():
        ray.init(
            config.address or "local",
            num_cpus=None if config.address else config.workers + 1,
            include_dashboard=None if config.address else False,
            logging_level=logging.ERROR,
            log_to_driver=False,
        )
    logging.getLogger("ray.data").setLevel(logging.WARNING)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.target_max_block_size = _PARTITION_BYTES
    done = ray.put(_done(config.parts))
    paths = ray.data.from_items(files, override_num_blocks=min(len(files), 4 * config.workers))
    rows = paths.map_batches(
        _reader(config, done),
        batch_size=_FILES,
        batch_format="pyarrow",
        num_cpus=_READER_CPUS,
    ).map_batches(
        _Extract,
        fn_constructor_args=(config,),
        batch_size=_ROWS,
        batch_format="pyarrow",
        compute=ray.data.ActorPoolStrategy(size=config.workers),
    )
    rows.write_parquet(str(config.parts))


def load_parts(
    store: Store, config: ClusterConfig, *, earlier: Collection[str] = (), journal: Journal = silent
) -> Counts:
    """Load all partitions into a store; what it has already is left as it is.

    What the partitions named in `earlier` say of whole sources (missing, damaged, read) is out of date: each run says it anew.
    """
    from treaty_clauses.batch.session import package_version

    counts = Counts()
    arguments = {"engine": "ray", "workers": config.workers, "model": str(config.model) if config.model else None}
    run_id = store.start_run(arguments, version=package_version())
    journal("run_started", {"run": run_id, **arguments})
    for path in sorted(config.parts.glob("*.parquet")):
        with pq.ParquetFile(path) as part:
            for batch in part.iter_batches(batch_size=_ROWS):
                rows = [row for row in batch.to_pylist() if row["kind"] not in _OF_SOURCES or path.name not in earlier]
                known = store.known_items(row["item_id"] for row in rows if row["kind"] in ("found", "lost"))
                fresh = [row for row in rows if row["item_id"] not in known]
                outcomes = [outcome for outcome in map(_outcome, fresh) if outcome is not None]
                store.commit(outcomes, run_id=run_id)
                counts.skip(len(rows) - len(fresh))
                counts.add(outcomes, ignored=[row["result"] for row in fresh if row["kind"] == "ignored"])
                tell_lost(outcomes, journal)
                journal("committed", counts.to_json())
    store.end_run(run_id, outcome="done", counts=counts.to_json())
    journal("run_ended", {"run": run_id, "outcome": "done", **counts.to_json()})
    return counts


def _files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from (name for name in walk(path) if file_kind(name) is not None)
    else:
        yield path


def _done(parts: Path) -> frozenset[str]:
    """The items in the partitions; one that a killed writer left unfinished is removed."""
    done: set[str] = set()
    for path in parts.glob("*.parquet"):
        try:
            rows = pq.read_table(path, columns=["item_id", "kind"]).to_pylist()
            done.update(row["item_id"] for row in rows if row["kind"] in ("found", "lost"))
        except (pa.ArrowException, OSError):
            path.unlink()
    return frozenset(done)


def _reader(config: ClusterConfig, done: Any) -> Callable[[pa.Table], Iterator[pa.Table]]:
    """A task that reads some files into rows, in small tables."""

    def read(files: pa.Table) -> Iterator[pa.Table]:
        import ray

        known: frozenset[str] = ray.get(done)
        reading = ProcessReading(config.limits, published=config.published)
        rows: list[dict[str, str | None]] = []
        try:
            for file in files.to_pylist():
                for event in read_path(
                    Path(file["path"]), source=file["source"], limits=config.limits, feeds=reading.read_feed
                ):
                    row = _row(event, reading, known)
                    rows += [row] if row else []
                    if len(rows) >= _ROWS:
                        yield pa.Table.from_pylist(rows, _SCHEMA)
                        rows = []
            yield pa.Table.from_pylist(rows, _SCHEMA)
        finally:
            reading.close()

    return read


def _row(event: Any, reading: ProcessReading, known: frozenset[str]) -> dict[str, str | None] | None:
    match event:
        case Item(item_id=name) | Lost(item=Item(item_id=name)) if name in known:
            return None
        case Item():
            outcome = reading.read(event)
        case Lost():
            outcome = event
        case SourceRead(item_id=name, source=source):
            return {"item_id": name, "kind": "read", "source": source}
        case Ignored(source=source, reason=reason):
            return {"item_id": "", "kind": "ignored", "source": source, "result": reason}
        case _:
            return None
    item = outcome.item
    row = {"item_id": item.item_id, "source": item.source, "item": json.dumps(item_message(item))}
    if isinstance(outcome, Found):
        return {**row, "kind": "found", "found": json.dumps(found_message(outcome))}
    kind = "failed" if item.form is Form.SOURCE else "lost"
    return {**row, "kind": kind, "result": json.dumps(problem_message(outcome.problem))}


class _Extract:
    """One actor: extracts the articles among the rows, in a process of its own, with the model loaded once."""

    def __init__(self, config: ClusterConfig) -> None:
        self._extraction = ProcessExtraction(config.spec or model_process(config.model), config.limits)

    def __call__(self, table: pa.Table) -> pa.Table:
        rows = table.to_pylist()
        found = [row for row in rows if row["kind"] == "found"]
        articles = []
        for row in found:
            outcome = read_found(json.loads(row["found"]), read_item_message(json.loads(row["item"])))
            assert isinstance(outcome, Found)
            articles.append(outcome.article)
        if articles:
            self._extraction.submit(articles)
            for row, result in zip(found, self._extraction.collect(), strict=True):
                row["result"] = json.dumps(result_message(result))
        return pa.Table.from_pylist(rows, _SCHEMA)


def _outcome(row: dict[str, Any]) -> Outcome | None:
    if row["kind"] == "read":
        return SourceRead(row["item_id"], row["source"])
    if row["kind"] == "ignored":
        return None
    item = read_item_message(json.loads(row["item"]))
    result = json.loads(row["result"])
    if row["kind"] in ("lost", "failed") or "fault" in result:
        return Lost(item, read_problem(result))
    found = read_found(json.loads(row["found"]), item)
    record = read_result(result)
    assert isinstance(found, Found)
    assert not isinstance(record, type(found))
    return Extracted(found, record)  # type: ignore[arg-type]
