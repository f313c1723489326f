"""What the processes of a run do; each imports only what it needs."""

import base64
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

from treaty_clauses.batch.messages import (
    Message,
    entry_message,
    found_message,
    read_article,
    read_item_message,
    result_message,
)
from treaty_clauses.isolated import PipesArticles, ReadsAhead, extract_isolated
from treaty_clauses.items import Limits


def reading_handler(
    *, max_bytes: int, max_chars: int, published: str | None
) -> Callable[[Any], Message | list[Message]]:
    """In the reading process: what answers an item with what was read of it, and a feed with its entries."""
    from treaty_clauses.feeds.reading import read_item
    from treaty_clauses.feeds.syndication import read_feed

    limits = replace(Limits(), max_bytes=max_bytes, max_chars=max_chars)
    day = date.fromisoformat(published) if published else None

    def handle(request: Any) -> Message | list[Message]:
        if "feed" in request:
            return [
                entry_message(entry) for entry in read_feed(base64.b64decode(request["feed"]), **request["options"])
            ]
        return found_message(read_item(read_item_message(request), limits, published=day))

    return handle


def extraction_handler(*, model: str | None) -> Callable[[Any], list[Message]]:
    """In the extraction process: what answers articles with records."""
    from treaty_clauses.extract import load

    return serve_extractor(ReadsAhead(load(model)))


def serve_extractor(extractor: PipesArticles) -> Callable[[Any], list[Message]]:
    """A handler that answers articles with the records of an extractor."""
    return lambda request: [result_message(r) for r in extract_isolated(extractor, [read_article(m) for m in request])]
