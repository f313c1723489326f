"""What is said between the run and its processes: JSON, so that nothing of an article is ever unpickled."""

import base64
import json
from dataclasses import asdict
from datetime import date
from typing import Any

from treaty_clauses.io import parse_record, record_to_json
from treaty_clauses.items import Fault, Form, Found, Hints, Item, Lost, Problem
from treaty_clauses.types import Article, ArticleRecord

Message = dict[str, Any]


def article_message(article: Article) -> Message:
    """An article as JSON."""
    return {**asdict(article), "published": str(article.published) if article.published else None}


def read_article(message: Message) -> Article:
    """What `article_message` wrote."""
    published = message["published"]
    return Article(**{**message, "published": date.fromisoformat(published) if published else None})


def item_message(item: Item) -> Message:
    """An item as JSON, its payload in base 64."""
    return {
        "item_id": item.item_id,
        "source": item.source,
        "locator": item.locator,
        "form": item.form.value,
        "payload": base64.b64encode(item.payload).decode("ascii"),
        "hints": item.hints.to_json(),
    }


def read_item_message(message: Message) -> Item:
    """What `item_message` wrote."""
    return Item(
        message["item_id"],
        message["source"],
        message["locator"],
        Form(message["form"]),
        base64.b64decode(message["payload"]),
        Hints.from_json(message["hints"]),
    )


def feed_message(data: bytes, *, source: str, locator: str, charset: str | None) -> Message:
    """A feed that is to be read, as JSON; its key `feed` tells it from an item."""
    return {
        "feed": base64.b64encode(data).decode("ascii"),
        "options": {"source": source, "locator": locator, "charset": charset},
    }


def entry_message(entry: Item | Problem) -> Message:
    """What was read of a feed as JSON."""
    return problem_message(entry) if isinstance(entry, Problem) else item_message(entry)


def read_entry(message: Message) -> Item | Problem:
    """What `entry_message` wrote."""
    return read_problem(message) if "fault" in message else read_item_message(message)


def found_message(outcome: Found | Lost) -> Message:
    """What was read of an item as JSON, without the item, which the receiver has."""
    if isinstance(outcome, Lost):
        return problem_message(outcome.problem)
    return {
        "article": article_message(outcome.article),
        "external_id": outcome.external_id,
        "encoding": outcome.encoding,
        "script": outcome.script,
        "signature": outcome.signature.hex(),
        "notes": list(outcome.notes),
    }


def read_found(message: Message, item: Item) -> Found | Lost:
    """What `found_message` wrote."""
    if "fault" in message:
        return Lost(item, read_problem(message))
    return Found(
        item,
        read_article(message["article"]),
        message["external_id"],
        message["encoding"],
        message["script"],
        bytes.fromhex(message["signature"]),
        tuple(message["notes"]),
    )


def result_message(result: ArticleRecord | Problem) -> Message:
    """A record or a problem as JSON."""
    return problem_message(result) if isinstance(result, Problem) else json.loads(record_to_json(result))


def read_result(message: Message) -> ArticleRecord | Problem:
    """What `result_message` wrote."""
    return read_problem(message) if "fault" in message else parse_record(json.dumps(message), where="the extractor")


def problem_message(problem: Problem) -> Message:
    """A problem as JSON."""
    return {"fault": problem.fault.value, "message": problem.message, "transient": problem.transient}


def read_problem(message: Message) -> Problem:
    """What `problem_message` wrote."""
    return Problem(Fault(message["fault"]), message["message"], message["transient"])
