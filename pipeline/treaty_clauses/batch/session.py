"""A run from a configuration: the one call behind `treaty-clauses batch`, for programs."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from treaty_clauses.batch.counts import Counts
from treaty_clauses.batch.engines import Extraction, LocalReading, ProcessExtraction, ProcessReading, model_process
from treaty_clauses.batch.runner import BatchOptions, BatchRun, Journal, silent
from treaty_clauses.feeds import Fetcher, FetchOptions, SourceReader
from treaty_clauses.items import Limits
from treaty_clauses.store import Store


@dataclass(frozen=True, slots=True)
class BatchConfig:
    """How a run goes about it.

    `published` is the date of articles that bring none; `model` a model folder, the package's own if None. `isolated`
    parses and extracts in processes of their own, so that nothing in an article can hang or end the run.
    """

    model: Path | None = None
    published: date | None = None
    limits: Limits = field(default_factory=Limits)
    fetch: FetchOptions = field(default_factory=FetchOptions)
    options: BatchOptions = field(default_factory=BatchOptions)
    isolated: bool = True


def run_batch(
    sources: Sequence[str],
    store: Store,
    config: BatchConfig | None = None,
    *,
    extraction: Extraction | None = None,
    stop: threading.Event | None = None,
    journal: Journal = silent,
    on_progress: Callable[[Counts], None] = silent,
) -> Counts:
    """Process sources into a store, going on where an earlier run stopped or was killed.

    Args:
        sources: Files, folders and http(s) URLs.
        store: Where articles, records and dead letters go.
        config: Limits, politeness, model; the defaults if None.
        extraction: What extracts, in place of the model; for tests, and for extractors of one's own.
        stop: Set it to have the run finish what it has begun and return.
        journal: Called with the name and the fields of every event, from two threads.
        on_progress: Called with the counts after every commit.

    Returns:
        The counts of this run.

    Raises:
        TreatyClausesError: The store cannot be written, or the model cannot be loaded. What was committed stays.
    """
    config = config or BatchConfig()
    stop = stop or threading.Event()
    fetcher = Fetcher(replace(config.fetch, max_bytes=config.limits.max_bytes), stop)
    reading = (ProcessReading if config.isolated else LocalReading)(config.limits, published=config.published)
    run = BatchRun(
        sources,
        store,
        reader=SourceReader(fetcher, limits=config.limits, feed_state=store.feed_state, feeds=reading.read_feed),
        reading=reading,
        extraction=extraction or ProcessExtraction(model_process(config.model), config.limits),
        options=config.options,
        stop=stop,
        journal=journal,
        on_progress=on_progress,
    )
    arguments = {
        "sources": list(sources),
        "model": str(config.model) if config.model else None,
        **asdict(config.options),
    }
    try:
        return run.run(arguments, version=package_version())
    finally:
        fetcher.close()


def package_version() -> str:
    """The package's version; "source" where it runs from a checkout that was never installed."""
    try:
        return version("treaty-clauses")
    except PackageNotFoundError:
        return "source"
