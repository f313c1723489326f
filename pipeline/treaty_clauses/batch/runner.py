"""A run: sources in, the store filled, nothing done twice and nothing lost, however often it is killed.

A thread reads sources, leaves out what the store has, fetches and parses; the main thread hands articles to the extraction
process and commits. A commit holds articles, their records, where they were seen and what was lost, all or nothing. What
was in flight when a run was killed is not in the store, and is read again by the next.
"""

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from typing import Any

from treaty_clauses.batch.counts import Counts
from treaty_clauses.batch.engines import Extraction, Reading
from treaty_clauses.feeds.sources import SourceReader
from treaty_clauses.items import Fault, Form, Found, Ignored, Item, Lost, Problem, Skipped, SourceRead
from treaty_clauses.store import Extracted, Outcome, Store, StoreError, StoreInUseError
from treaty_clauses.types import Article

Journal = Callable[[str, Mapping[str, Any]], None]

#: How often a watching run tries a transient failure before it leaves it to --retry-failed.
MOST_ATTEMPTS = 5
_QUEUED = 32  # articles read ahead
_LOOKED_UP = 64  # items whose ids are looked up at once
_LOOKED_UP_BYTES = 4_000_000
_IN_FLIGHT = 2  # batches at the extractor: one worked on while the one before is committed
_IN_USE_SECONDS = 2.0  # between two looks whether those who read the store have done
_PATIENCE_SECONDS = 0.2  # how long a batch that is not full waits for more


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """How a run goes about it.

    A batch for the extractor is full at `batch_articles` or `batch_chars`; each is one commit. `retry_failed` takes the dead
    letters first; `watch_seconds` polls the sources again so many seconds after the last poll began, until stopped.
    """

    batch_articles: int = 128
    batch_chars: int = 40_000
    retry_failed: bool = False
    watch_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class _Retried:
    """A dead letter that is tried again, whatever the store says of its item."""

    item: Item


def silent(*_: object) -> None:
    """Takes note of nothing."""


def tell_lost(outcomes: Iterable[Outcome], journal: Journal) -> None:
    """An event for each dead letter among some outcomes."""
    for outcome in outcomes:
        if isinstance(outcome, Lost):
            item, problem = outcome.item, outcome.problem
            fields = {"item": item.item_id, "source": item.source, "locator": item.locator}
            journal("dead_letter", {**fields, "fault": problem.fault.value, "message": problem.message})


Offer = Skipped | Item | Lost | SourceRead | Ignored | _Retried
Event = Found | Lost | SourceRead | Ignored | Skipped


@dataclass(slots=True)
class _Batch:
    """Events in their order; `articles` are those of them that the extractor has."""

    events: list[Event] = field(default_factory=list)
    articles: list[Article] = field(default_factory=list)
    chars: int = 0


class BatchRun:
    """One run over some sources into a store."""

    def __init__(
        self,
        sources: Sequence[str],
        store: Store,
        *,
        reader: SourceReader,
        reading: Reading,
        extraction: Extraction,
        options: BatchOptions,
        stop: threading.Event,
        journal: Journal = silent,
        on_progress: Callable[[Counts], None] = silent,
    ) -> None:
        self.counts = Counts()
        self._sources, self._store, self._reader = sources, store, reader
        self._reading, self._extraction, self._options = reading, extraction, options
        self._stop, self._journal, self._on_progress = stop, journal, on_progress
        self._in_flight: deque[_Batch] = deque()
        self._run_id = ""

    def run(self, arguments: Mapping[str, Any], *, version: str) -> Counts:
        """Run to the end of the sources, or until stopped; `arguments` are noted in the store.

        Raises:
            TreatyClausesError: The store cannot be written or the model cannot be loaded; what was committed stays.
        """
        self._run_id = self._store.start_run(dict(arguments), version=version)
        self._journal("run_started", {"run": self._run_id, **arguments})
        outcome, reason = "failed", None
        try:
            self._cycles()
            outcome = "stopped" if self._stop.is_set() else "done"
        except BaseException as error:
            reason = f"{type(error).__name__}: {error}"
            raise
        finally:
            self._reading.close()
            self._extraction.close()
            failed = {"error": reason} if reason else {}
            self._journal("run_ended", {"run": self._run_id, "outcome": outcome, **failed, **self.counts.to_json()})
            with suppress(StoreError) if outcome == "failed" else nullcontext():  # the first error says more
                self._store.end_run(self._run_id, outcome=outcome, counts=self.counts.to_json())
        return self.counts

    def _cycles(self) -> None:
        watch = self._options.watch_seconds
        for cycle in range(1_000_000_000):
            began = time.monotonic()
            self._cycle(first=cycle == 0)
            if watch is None or self._stop.is_set():
                return
            self._journal("waiting", {"seconds": watch, **self.counts.to_json()})
            self._store.release()  # others may read meanwhile
            self._stop.wait(max(0.0, began + watch - time.monotonic()))
            self._reopen()
            if self._stop.is_set():
                return

    def _reopen(self) -> None:
        """Take the store back, as soon as those who read it meanwhile have done."""
        while True:
            try:
                self._store.reopen()
                return
            except StoreInUseError as error:
                self._journal("store_in_use", {"message": str(error)})
                if self._stop.wait(_IN_USE_SECONDS):
                    raise

    def _cycle(self, *, first: bool) -> None:
        events: queue.Queue[Event | BaseException | None] = queue.Queue(_QUEUED)
        over = threading.Event()  # nobody takes events any more

        def put(event: Event | BaseException | None) -> None:
            while not over.is_set():
                with suppress(queue.Full):
                    events.put(event, timeout=_PATIENCE_SECONDS)
                    return

        def produce() -> None:
            last: BaseException | None = None
            try:
                for event in self._events(first=first):
                    put(event)
                    if over.is_set():
                        return
            except BaseException as error:  # raised again by the main thread
                last = error
            put(last)

        thread = threading.Thread(target=produce, name="sources")
        thread.start()
        try:
            self._consume(events)
        finally:
            over.set()
            thread.join()

    # The thread that reads

    def _events(self, *, first: bool) -> Iterator[Event]:
        for event in self._reader.fetch_all(self._fresh(self._offered(first=first)), self._stop):
            if self._stop.is_set():
                return
            yield self._reading.read(event) if isinstance(event, Item) else event

    def _offered(self, *, first: bool) -> Iterator[Offer]:
        if self._options.retry_failed or not first:
            yield from self._retried(automatic=not first)
        for source in self._sources:
            if self._stop.is_set():
                return
            self._journal("source", {"source": source})
            yield from self._reader.read(source)

    def _retried(self, *, automatic: bool) -> Iterator[Offer]:
        most = MOST_ATTEMPTS if automatic else None
        for item in self._store.dead_letters(transient_only=automatic, most_attempts=most):
            if item.form is Form.PAGE or item.payload:
                yield _Retried(item)
            elif item.form is Form.SOURCE and item.source not in self._sources:
                yield from self._reader.read(item.locator)

    def _fresh(self, offers: Iterable[Offer]) -> Iterator[Item | Lost | SourceRead | Ignored | Skipped]:
        """What is offered, without the items that were dealt with before."""
        chunk: list[Offer] = []
        size = 0
        for offer in offers:
            chunk.append(offer)
            size += len(offer.payload) if isinstance(offer, Item) else 0
            # a feed's last word must not wait for other sources, which may be slow
            if len(chunk) >= _LOOKED_UP or size >= _LOOKED_UP_BYTES or (isinstance(offer, SourceRead) and offer.feed):
                yield from self._unknown(chunk)
                chunk, size = [], 0
            if self._stop.is_set():
                return
        yield from self._unknown(chunk)

    def _unknown(self, chunk: Iterable[Offer]) -> Iterator[Item | Lost | SourceRead | Ignored | Skipped]:
        items = [offer if isinstance(offer, Item) else offer.item for offer in chunk if isinstance(offer, Item | Lost)]
        known = self._store.known_items({item.item_id for item in items}, retrying=self._options.retry_failed)
        skipped = [item for item in items if item.item_id in known]
        if skipped:
            yield Skipped(len(skipped), sum(item.read_bytes for item in skipped))
        for offer in chunk:
            match offer:
                case _Retried(item):
                    yield item
                case Item(item_id=name) | Lost(item=Item(item_id=name)) if name in known:
                    pass
                case _:
                    yield offer

    # The thread that extracts and commits

    def _consume(self, events: "queue.Queue[Event | BaseException | None]") -> None:
        batch = _Batch()
        while True:
            try:
                event = events.get(timeout=_PATIENCE_SECONDS)
            except queue.Empty:
                batch = self._submit(batch)
                if not batch.events:
                    self._complete(down_to=0)
                continue
            if isinstance(event, BaseException):
                raise event
            if event is None or self._stop.is_set():
                break  # what was read after the stop is left to the next run, a feed's state with it
            if isinstance(event, Found) and batch.chars + len(event.article.text) > self._options.batch_chars:
                batch = self._submit(batch)
            batch.events.append(event)
            batch.chars += len(event.article.text) if isinstance(event, Found) else 0
            full = batch.chars >= self._options.batch_chars or len(batch.events) >= self._options.batch_articles
            batch = self._submit(batch) if full else batch
        self._submit(batch)
        self._complete(down_to=0)

    def _submit(self, batch: _Batch) -> _Batch:
        """Give a batch to the extractor; returns the next one."""
        if not batch.events:
            return batch
        articles = {event.article.id: event.article for event in batch.events if isinstance(event, Found)}
        waiting = {article.id for earlier in self._in_flight for article in earlier.articles}
        for article_id in self._store.known_articles(articles) | (waiting & articles.keys()):
            del articles[article_id]
        batch.articles = list(articles.values())
        if batch.articles:
            self._extraction.submit(batch.articles)
        self._in_flight.append(batch)
        self._complete(down_to=_IN_FLIGHT - 1)
        return _Batch()

    def _complete(self, *, down_to: int) -> None:
        while len(self._in_flight) > down_to:
            batch = self._in_flight[0]
            results = self._extraction.collect() if batch.articles else []
            by_id = {article.id: result for article, result in zip(batch.articles, results, strict=True)}
            found = [event for event in batch.events if isinstance(event, Found)]
            stored = self._store.known_articles(event.article.id for event in found if event.article.id not in by_id)
            outcomes = [o for o in (self._outcome(event, by_id, stored) for event in batch.events) if o is not None]
            self._store.commit(outcomes, run_id=self._run_id)
            self._in_flight.popleft()
            self._count(batch.events, outcomes)

    def _outcome(self, event: Event, results: dict[str, Any], stored: set[str]) -> Outcome | None:
        if isinstance(event, Ignored | Skipped):
            return None
        if not isinstance(event, Found):
            return event
        article_id = event.article.id
        if article_id in stored:
            return Extracted(event, None)
        result = results.get(article_id)
        if result is None:  # the same article elsewhere was in flight, and failed
            again = Problem(Fault.EXTRACTION, "the same article failed elsewhere in this run", transient=True)
            return Lost(event.item, again)
        if isinstance(result, Problem):
            return Lost(event.item, result)
        return Extracted(event, result)

    def _count(self, events: Iterable[Event], outcomes: Sequence[Outcome]) -> None:
        for event in events:
            if isinstance(event, Skipped):
                self.counts.skip(event.items)
                self.counts.read_bytes += event.read_bytes
                self.counts.skipped_bytes += event.read_bytes
            elif isinstance(event, Found | Lost):
                self.counts.read_bytes += event.item.read_bytes
        self.counts.add(outcomes, ignored=[event.reason for event in events if isinstance(event, Ignored)])
        tell_lost(outcomes, self._journal)
        self._journal("committed", self.counts.to_json())
        self._on_progress(self.counts)
