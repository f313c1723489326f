"""Sources as the user names them, local or on the web, into items; pages that items only point to are fetched here."""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from treaty_clauses.feeds.fetch import Fetcher, Response, Stopped
from treaty_clauses.feeds.files import Event, local_bytes, read_path
from treaty_clauses.feeds.guard import FetchError
from treaty_clauses.feeds.syndication import ReadsFeeds, looks_like_feed, read_feed
from treaty_clauses.items import (
    Fault,
    FeedState,
    Form,
    Hints,
    Item,
    Limits,
    Lost,
    Problem,
    SourceRead,
    item_id,
    source_item,
)

_PAGE_TYPES = ("text/html", "application/xhtml+xml", "text/plain", "")
#: Pages asked for at once (of different hosts: one host is asked one page at a time), and how far ahead.
_THREADS = 4
_AHEAD = 12


def is_url(source: str) -> bool:
    """Whether a source is on the web."""
    return source.lower().startswith(("http://", "https://"))


def total_bytes(sources: Iterable[str]) -> int:
    """The bytes of the local sources, for a progress display; 0 when one is on the web."""
    names = list(sources)
    return 0 if any(map(is_url, names)) else sum(local_bytes(Path(name)) for name in names)


class SourceReader:
    """Reads sources into items.

    `feed_state` gives what was remembered of a URL, `limits` hold for each item, `feeds` reads feeds.
    """

    def __init__(
        self,
        fetcher: Fetcher,
        *,
        limits: Limits,
        feed_state: Callable[[str], FeedState | None] = lambda _: None,
        feeds: ReadsFeeds = read_feed,
    ) -> None:
        self._fetcher = fetcher
        self._limits = limits
        self._feed_state = feed_state
        self._feeds = feeds

    def read(self, source: str) -> Iterator[Event]:
        """The items of a source, in order; what cannot be read comes as `Lost`, in its place."""
        if is_url(source):
            return self._read_url(source)
        return read_path(Path(source), source=source, limits=self._limits, feeds=self._feeds)

    def _read_url(self, url: str) -> Iterator[Event]:
        whole = source_item(url)
        known = self._feed_state(url)
        try:
            response = self._fetcher.get(url, known=known)
        except FetchError as error:
            yield Lost(whole, error.problem)
            return
        if response.status == 304 and known is not None:
            yield SourceRead(whole.item_id, url, replace(known, status=304))
            return
        fine = True
        if looks_like_feed(response.body):
            for entry in self._feeds(response.body, source=url, locator=response.url, charset=response.charset):
                fine = fine and isinstance(entry, Item)
                yield Lost(whole, entry) if isinstance(entry, Problem) else entry
        else:
            page = Item(item_id(url, response.body), url, url, Form.PAGE, hints=Hints(url=response.url))
            yield _page(page, response)
        if fine:
            yield SourceRead(whole.item_id, url, response.state(url))

    def fetch(self, item: Item) -> Item | Lost:
        """An item with its payload: a page that was only pointed to is fetched.

        Raises:
            Stopped: The run was asked to stop.
        """
        if item.form is not Form.PAGE:
            return item
        try:
            return _page(item, self._fetcher.get(item.hints.url or ""))
        except FetchError as error:
            return Lost(item, error.problem)

    def fetch_all(self, events: Iterable[Event], stop: threading.Event) -> Iterator[Event]:
        """Events in their order, the pages among them fetched, several at once. Ends early when asked to stop."""
        waiting: deque[Event | Future[Item | Lost]] = deque()
        with ThreadPoolExecutor(_THREADS, thread_name_prefix="fetch") as pool:
            try:
                for event in events:
                    pointed = isinstance(event, Item) and event.form is Form.PAGE
                    waiting.append(pool.submit(self.fetch, event) if pointed and isinstance(event, Item) else event)
                    while waiting and (
                        len(waiting) > _AHEAD or not isinstance(waiting[0], Future) or waiting[0].done()
                    ):
                        yield _result(waiting.popleft())
                    if stop.is_set():
                        return
                while waiting:
                    yield _result(waiting.popleft())
            except Stopped:
                return
            finally:
                pool.shutdown(wait=True, cancel_futures=True)


def _result(event: Event | Future[Item | Lost]) -> Event:
    return event.result() if isinstance(event, Future) else event


def _page(item: Item, response: Response) -> Item | Lost:
    if response.content_type not in _PAGE_TYPES:
        message = f"{item.locator}: {response.content_type} is neither a page nor a feed"
        return Lost(item, Problem(Fault.CONTENT_TYPE, message))
    form = Form.TEXT if response.content_type == "text/plain" else Form.HTML
    hints = replace(item.hints, url=response.url, charset=response.charset)
    return replace(item, form=form, payload=response.body, hints=hints)
