"""Reading and extraction for a run: in processes of their own, which can be killed, or in this one."""

from collections import deque
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Protocol

from treaty_clauses.batch.messages import (
    article_message,
    feed_message,
    item_message,
    read_entry,
    read_found,
    read_result,
)
from treaty_clauses.batch.worker import Died, Late, Worker, WorkerSpec
from treaty_clauses.errors import ModelError
from treaty_clauses.feeds.reading import read_item
from treaty_clauses.feeds.syndication import read_feed
from treaty_clauses.isolated import PipesArticles, extract_isolated
from treaty_clauses.items import Fault, Found, Item, Limits, Lost, Problem
from treaty_clauses.types import Article, ArticleRecord

Result = ArticleRecord | Problem

#: So many articles that crash the process one after the other are no coincidence.
_MOST_CRASHES = 5


class Reading(Protocol):
    """Reads items into articles, and feeds into items."""

    def read(self, item: Item) -> Found | Lost:
        """The article of an item."""

    def read_feed(
        self, data: bytes, *, source: str, locator: str, charset: str | None = None
    ) -> Iterable[Item | Problem]:
        """The entries of a feed."""

    def close(self) -> None:
        """End it."""


class Extraction(Protocol):
    """Extracts batches of articles; several may be submitted before the first is collected."""

    def submit(self, articles: Sequence[Article]) -> None:
        """Begin a batch; the model is loaded with the first."""

    def collect(self) -> list[Result]:
        """The results of the earliest batch without them, one an article, in order."""

    def close(self) -> None:
        """End it."""


class LocalReading:
    """Reads in this process: no time limit."""

    def __init__(self, limits: Limits, *, published: date | None = None) -> None:
        self._limits, self._published = limits, published

    def read(self, item: Item) -> Found | Lost:
        """The article of an item."""
        return read_item(item, self._limits, published=self._published)

    def read_feed(
        self, data: bytes, *, source: str, locator: str, charset: str | None = None
    ) -> Iterable[Item | Problem]:
        """The entries of a feed."""
        return read_feed(data, source=source, locator=locator, charset=charset)

    def close(self) -> None:
        """Nothing to end."""


class LocalExtraction:
    """Extracts in this process: no time limit, and an extractor that crashes takes the run with it."""

    def __init__(self, extractor: PipesArticles) -> None:
        self._extractor = extractor
        self._waiting: deque[Sequence[Article]] = deque()

    def submit(self, articles: Sequence[Article]) -> None:
        """Remember a batch."""
        self._waiting.append(articles)

    def collect(self) -> list[Result]:
        """Extract the earliest batch."""
        return extract_isolated(self._extractor, self._waiting.popleft())

    def close(self) -> None:
        """Nothing to end."""


class ProcessReading:
    """Reads in a process of its own: a page or a feed that makes the parser hang or crash is lost alone."""

    def __init__(self, limits: Limits, *, published: date | None = None) -> None:
        arguments = {
            "max_bytes": limits.max_bytes,
            "max_chars": limits.max_chars,
            "published": published and str(published),
        }
        self._limits = limits
        self._worker = Worker(WorkerSpec("treaty_clauses.batch.handlers:reading_handler", arguments))

    def read(self, item: Item) -> Found | Lost:
        """The article of an item."""
        self._worker.submit(item_message(item))
        try:
            answer = self._worker.collect(limit_seconds=self._limits.max_seconds)
        except (Late, Died) as error:
            return Lost(item, _broken(error, f"{item.locator}: reading", self._limits))
        return read_found(answer, item)

    def read_feed(
        self, data: bytes, *, source: str, locator: str, charset: str | None = None
    ) -> Iterable[Item | Problem]:
        """The entries of a feed, or what went wrong with it."""
        self._worker.submit(feed_message(data, source=source, locator=locator, charset=charset))
        try:
            answer = self._worker.collect(limit_seconds=self._limits.max_seconds)
        except (Late, Died) as error:
            return [_broken(error, f"{locator}: reading the feed", self._limits)]
        return [read_entry(message) for message in answer]

    def close(self) -> None:
        """End the process."""
        self._worker.kill()


class ProcessExtraction:
    """Extracts in a process of its own: an article that takes too long, or crashes the process, is lost alone."""

    def __init__(self, spec: WorkerSpec, limits: Limits) -> None:
        self._limits = limits
        self._worker = Worker(spec)
        self._crashes = 0
        self._waiting: deque[Sequence[Article]] = deque()

    def submit(self, articles: Sequence[Article]) -> None:
        """Begin a batch.

        Raises:
            ModelError: The model cannot be loaded.
        """
        self._waiting.append(articles)
        self._worker.submit([article_message(article) for article in articles])

    def collect(self) -> list[Result]:
        """The results of the earliest batch; the time limit of an article holds for the whole batch."""
        articles = self._waiting.popleft()
        try:
            answer = self._worker.collect(limit_seconds=self._limits.max_seconds)
        except (Late, Died) as error:
            alone = len(articles) == 1
            results: list[Result] = [self._lost(error)] if alone else self._singly(articles)
            for batch in self._waiting:  # went down with the process
                self._worker.submit([article_message(article) for article in batch])
            return results
        self._crashes = 0
        return [read_result(message) for message in answer]

    def _singly(self, articles: Sequence[Article]) -> list[Result]:
        results: list[Result] = []
        for article in articles:
            self._worker.submit([article_message(article)])
            try:
                (message,) = self._worker.collect(limit_seconds=self._limits.max_seconds)
            except (Late, Died) as error:
                results.append(self._lost(error))
            else:
                self._crashes = 0
                results.append(read_result(message))
        return results

    def _lost(self, error: Exception) -> Problem:
        self._crashes += isinstance(error, Died)
        if self._crashes >= _MOST_CRASHES:
            raise ModelError(
                f"{_MOST_CRASHES} articles in a row ended the extraction process: the machine or the model is at fault, "
                "not the articles; is there enough memory?"
            )
        return _broken(error, "extraction", self._limits)

    def close(self) -> None:
        """End the process."""
        self._worker.kill()


def model_process(model: Path | None) -> WorkerSpec:
    """The process that extracts with the model folder `model`, or the default one."""
    arguments = {"model": str(model) if model else None}
    return WorkerSpec("treaty_clauses.batch.handlers:extraction_handler", arguments)


def _broken(error: Exception, what: str, limits: Limits) -> Problem:
    if isinstance(error, Late):
        return Problem(Fault.TIMEOUT, f"{what} took more than {limits.max_seconds:g} s; see --max-seconds")
    return Problem(Fault.CRASH, f"{what} ended its process")
