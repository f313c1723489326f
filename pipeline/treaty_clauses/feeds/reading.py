"""Items into articles: decoding, main text, script, identity. Pure work on bytes, which a process of its own can do."""

import json
from datetime import date
from typing import Any

from treaty_clauses.duplicates import signature
from treaty_clauses.feeds.encoding import Decoded, declared_charset, decode
from treaty_clauses.feeds.html import Page, read_page
from treaty_clauses.feeds.syndication import read_moment
from treaty_clauses.items import Fault, Form, Found, Hints, Item, Limits, Lost, Problem, content_id, storable
from treaty_clauses.simplified import script
from treaty_clauses.types import Article

_HTML_HEADS = ("<!doctype html", "<html")


def read_item(item: Item, limits: Limits, *, published: date | None = None) -> Found | Lost:
    """The article of an item that has its payload; `published` is the date of articles that bring none."""
    try:
        outcome = _read_row(item) if item.form is Form.ROW else _read_document(item)
    except Exception as error:  # whatever a parser raises on untrusted bytes is this item's fault
        message = f"{item.locator}: cannot be parsed: {type(error).__name__}: {error}"
        return Lost(item, Problem(Fault.UNREADABLE, message))
    if isinstance(outcome, Problem):
        return Lost(item, outcome)
    page, decoded, hints = outcome
    if not page.text.strip():
        return Lost(item, Problem(Fault.EMPTY, f"{item.locator}: the article is empty; give it a text"))
    if len(page.text) > limits.max_chars:
        message = f"{item.locator}: {len(page.text):,} characters, the limit is {limits.max_chars:,}; see --max-chars"
        return Lost(item, Problem(Fault.TOO_LONG, message))
    day = hints.published or page.published or published
    article = Article(
        content_id(page.text, day),
        page.text,
        day,
        title=_clean(hints.title or page.title),
        source=_clean(hints.outlet or page.outlet),
        url=_clean(hints.url),
    )
    read_as = script(page.text)
    return Found(item, article, hints.external_id, decoded.encoding, read_as, signature(page.text), decoded.notes)


def _read_document(item: Item) -> tuple[Page, Decoded, Hints] | Problem:
    declared = (item.hints.charset, declared_charset(item.payload) if item.form is Form.HTML else None)
    decoded = decode(item.payload, declared=declared)
    if decoded is None:
        return Problem(Fault.UNDECODABLE, f"{item.locator}: no encoding fits; write it as UTF-8")
    if item.form is Form.TEXT and not decoded.text[:200].lstrip().lower().startswith(_HTML_HEADS):
        return Page(decoded.text, None, None, None), decoded, item.hints
    page = read_page(decoded.text, url=item.hints.url)
    if page is None:
        return Problem(Fault.NO_TEXT, f"{item.locator}: no main text was found on the page")
    return page, decoded, item.hints


def _read_row(item: Item) -> tuple[Page, Decoded, Hints] | Problem:
    try:
        row: Any = json.loads(item.payload)
    except (ValueError, RecursionError) as error:
        reason = f"not a whole JSON object ({error}); each line must be one object with `text`"
        return Problem(Fault.MALFORMED, f"{item.locator}: {reason}")
    if not isinstance(row, dict) or not isinstance(row.get("text", row.get("html")), str):
        return Problem(Fault.MALFORMED, f"{item.locator}: expected an object with a string `text`")
    stated = row.get("published")
    day = read_moment(str(stated)) if stated else None
    if stated and day is None:
        return Problem(Fault.MALFORMED, f"{item.locator}: {stated!r} is no date; write it as YYYY-MM-DD")
    page = Page(row["text"], None, None, None) if "text" in row else read_page(row["html"], url=_text(row, "url"))
    if page is None:
        return Problem(Fault.NO_TEXT, f"{item.locator}: no main text was found on the page")
    hints = Hints(
        url=_text(row, "url"),
        title=_text(row, "title"),
        published=day,
        outlet=_text(row, "source"),
        external_id=_text(row, "id"),
    )
    broken = page.text.count("\ufffd")
    notes = (f"{broken} places stand as U+FFFD, in the file already or since they are no valid text",) if broken else ()
    return page, Decoded(page.text, item.hints.charset or "utf-8", notes), hints


def _clean(text: str | None) -> str | None:
    return None if text is None else storable(text)


def _text(row: dict[str, Any], key: str) -> str | None:
    return str(row[key]) if row.get(key) else None
