"""RSS and Atom into items, by feedparser, after defusedxml has made sure that no entity is declared."""

import io
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Any, Protocol
from urllib.parse import urljoin
from xml.sax import SAXException
from xml.sax.handler import ContentHandler

import feedparser  # type: ignore[import-untyped]
from defusedxml.common import DefusedXmlException  # type: ignore[import-untyped]
from defusedxml.sax import parseString  # type: ignore[import-untyped]

from treaty_clauses.feeds.html import visible_text, wrap_fragment
from treaty_clauses.items import Fault, Form, Hints, Item, Problem, item_id

#: The date of an article is the day in Taiwan, Hong Kong and Macau (UTC+8, no summer time), wherever a server keeps time.
LOCAL = timezone(timedelta(hours=8))
#: From how many characters on an entry's `content`, or its `summary`, is taken as the whole article.
_FULL_CONTENT_CHARS = 100
_FULL_SUMMARY_CHARS = 500
_CUT = re.compile(r"(…|\.\.\.|⋯|閱讀全文|繼續閱讀|阅读全文|更多|more)\W*$", re.IGNORECASE)
_ENDING_CHARS = 40  # in which `_CUT` is looked for
_FEED_ROOT = re.compile(rb"<(\w+:)?(rss|feed|rdf)\b", re.IGNORECASE)
_SNIFFED_BYTES = 4096


class ReadsFeeds(Protocol):
    """What reads a feed: `read_feed`, or the same in a process that may be killed."""

    def __call__(
        self, data: bytes, *, source: str, locator: str, charset: str | None = None
    ) -> Iterable[Item | Problem]:
        """The entries of a feed."""


def looks_like_feed(data: bytes) -> bool:
    """Whether the bytes of a document begin as a feed does."""
    head = data[:_SNIFFED_BYTES].replace(b"\0", b"")  # NUL: UTF-16
    return b"<html" not in head.lower() and _FEED_ROOT.search(head) is not None


def read_feed(data: bytes, *, source: str, locator: str, charset: str | None = None) -> Iterator[Item | Problem]:
    """The entries of a feed as items: pages with their content where the feed holds it, else pages to fetch.

    An entry's id comes from its link and content, not from the feed, so that it counts once in whichever feed it stands.
    """
    try:
        parseString(data, ContentHandler(), forbid_dtd=False, forbid_entities=True, forbid_external=True)
    except DefusedXmlException as error:
        name = type(error).__name__
        yield Problem(Fault.ENTITIES, f"the feed declares entities or external documents and is not read ({name})")
        return
    except (SAXException, ValueError, LookupError):
        pass  # not well-formed: feedparser reads what can be read, without expanding anything
    headers = {"content-location": locator} if locator.startswith("http") else {}
    if charset:
        headers["content-type"] = f"application/xml; charset={charset}"
    try:
        feed = feedparser.parse(io.BytesIO(data), response_headers=headers)
    except Exception as error:  # whatever it raises on untrusted bytes
        yield Problem(Fault.MALFORMED, f"the feed cannot be parsed: {type(error).__name__}: {error}")
        return
    if not feed.entries and (feed.get("bozo") or not feed.get("version")):  # bozo: not well-formed
        reason = feed.get("bozo_exception") or "neither RSS nor Atom"
        yield Problem(Fault.MALFORMED, f"no entry of the feed could be read: {reason}")
        return
    outlet = feed.feed.get("title")
    for entry in feed.entries:
        try:
            yield _entry(dict(entry), source=source, base=locator, outlet=outlet)
        except ValueError as error:  # a link or a date that is none
            yield Problem(Fault.MALFORMED, f"an entry cannot be read: {entry.get('title')!r}: {error}")


def _entry(entry: Mapping[str, Any], *, source: str, base: str, outlet: str | None) -> Item | Problem:
    title = entry.get("title") or None
    link = urljoin(base, entry["link"]) if entry.get("link") and base.startswith("http") else entry.get("link")
    content, whole = _content(entry)
    hints = Hints(
        url=link or None,
        title=visible_text(title) if title else None,
        published=entry_date(entry),
        outlet=outlet or None,
        external_id=entry.get("id") or link or None,
    )
    place = link or f"{base}#{entry.get('id') or title}"
    if not link and not content:
        return Problem(Fault.MALFORMED, f"an entry without link and content: {title or entry.get('id')!r}")
    # A summary that changes (a counter, an advertisement) must not have the page fetched anew; a corrected date may.
    stated = f"{entry.get('id')}\n{entry.get('updated') or entry.get('published')}\n{title}".encode()
    if whole or not link:
        page = wrap_fragment(content, title).encode("utf-8", "replace")
        return Item(item_id(place, stated + page), source, place, Form.HTML, page, hints)
    return Item(item_id(place, stated), source, place, Form.PAGE, b"", hints)


def _content(entry: Mapping[str, Any]) -> tuple[str, bool]:
    """An entry's longest content, and whether it is the whole article rather than its beginning."""
    full = max((str(part.get("value", "")) for part in entry.get("content", ())), key=len, default="")
    summary = str(entry.get("summary", ""))
    for html, least in ((full, _FULL_CONTENT_CHARS), (summary, _FULL_SUMMARY_CHARS)):
        text = visible_text(html)
        if len(text) >= least and not _CUT.search(text[-_ENDING_CHARS:]):
            return html, True
    return full or summary, False


def entry_date(entry: Mapping[str, Any]) -> date | None:
    """The day an entry was published, in local time; None when it does not say."""
    for key in ("published", "updated", "created"):
        day = read_moment(str(entry.get(key) or ""))
        if day is not None:
            return day
        parsed = entry.get(f"{key}_parsed")
        if parsed:
            year, month, day, hour, minute, second = parsed[:6]
            return datetime(year, month, day, hour, minute, second, tzinfo=UTC).astimezone(LOCAL).date()
    return None


def read_moment(text: str) -> date | None:
    """The day in local time of an ISO or RFC 822 moment; None when it is neither.

    >>> read_moment("Sun, 23 Nov 2025 17:30:00 GMT"), read_moment("2025-11-24"), read_moment("soon")
    (datetime.date(2025, 11, 24), datetime.date(2025, 11, 24), None)
    """
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = read(text.strip())
        except (ValueError, TypeError, IndexError):
            continue
        return (moment.astimezone(LOCAL) if moment.tzinfo else moment).date()
    return None
