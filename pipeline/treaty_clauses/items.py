"""What a source offers, what becomes of it, and what can go wrong with it: the plain types of batch processing."""

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from datetime import date
from enum import StrEnum
from typing import Any

from treaty_clauses.types import Article

#: Lone surrogates have no UTF-8; NUL PostgreSQL refuses.
_UNSTORABLE = re.compile("[\ud800-\udfff\0]")
_ID_DIGITS = 32  # 128 bits of SHA-256: no collision to be expected below 10**18 items


class Fault(StrEnum):
    """Why an item gave no record."""

    MISSING = "missing"  # no such file
    UNREADABLE = "unreadable"  # cannot be opened, is damaged, or its parser fails
    MALFORMED = "malformed"  # no JSON object, no such column, no feed
    UNDECODABLE = "undecodable"  # no encoding fits
    EMPTY = "empty"  # no character but white space
    NO_TEXT = "no_text"  # a page without a main text
    TOO_LARGE = "too_large"  # bytes over the limit, decompressed ones included
    TOO_LONG = "too_long"  # characters over the limit
    ADDRESS = "address"  # an address or scheme that may not be asked
    ROBOTS = "robots"  # robots.txt says no
    STATUS = "status"  # HTTP status other than 200
    CONNECTION = "connection"  # no connection, or broken off
    SLOW = "slow"  # not answered in full within the time limit
    REDIRECTS = "redirects"  # too many, or to nowhere
    CONTENT_TYPE = "content_type"  # neither a page nor a feed
    ENTITIES = "entities"  # XML that declares entities
    EXTRACTION = "extraction"  # the extractor raised
    TIMEOUT = "timeout"  # not done within the time limit of an article
    CRASH = "crash"  # the process that worked on it died


@dataclass(frozen=True, slots=True)
class Problem:
    """Why something was not done. `transient`: the same may succeed later without anyone mending anything."""

    fault: Fault
    message: str
    transient: bool = False


class Form(StrEnum):
    """What an item's payload is."""

    TEXT = "text"  # bytes of a text file
    HTML = "html"  # bytes of a page
    ROW = "row"  # JSON object of a row: `text` or `html`, and if known id, title, published, source, url
    PAGE = "page"  # nothing yet: the page at `Hints.url` must be fetched
    SOURCE = "source"  # nothing: the source itself could not be read


@dataclass(frozen=True, slots=True)
class Hints:
    """What the source says of an item, each overridden by nothing but the reader's own finding where it is None."""

    url: str | None = None
    charset: str | None = None
    title: str | None = None
    published: date | None = None
    outlet: str | None = None
    external_id: str | None = None

    def to_json(self) -> str:
        """One line of JSON without what is not known."""
        table = {key: str(value) for key, value in asdict(self).items() if value is not None}
        return json.dumps(table, ensure_ascii=True, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Hints":
        """What `to_json` wrote."""
        table: dict[str, Any] = json.loads(text)
        if "published" in table:
            table["published"] = date.fromisoformat(table["published"])
        return cls(**{field.name: table[field.name] for field in fields(cls) if field.name in table})


@dataclass(frozen=True, slots=True)
class Item:
    """One thing in a source that should become one article.

    `item_id` depends on where it was found and on what it holds, so the same item is known again, and a changed one is
    new. `locator` says where to look: a path, "path:line", "path@offset" or a URL. `read_bytes` counts the bytes that it
    takes of a local source, for the progress display.
    """

    item_id: str
    source: str
    locator: str
    form: Form
    payload: bytes = b""
    hints: Hints = Hints()
    read_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Lost:
    """An item that gave no article, and why; it becomes a dead letter."""

    item: Item
    problem: Problem


@dataclass(frozen=True, slots=True)
class Ignored:
    """Something in a source that is no article by its kind (an image in a WARC archive); counted, nothing else."""

    source: str
    locator: str
    reason: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """Some items that were dealt with in an earlier run."""

    items: int
    read_bytes: int


@dataclass(frozen=True, slots=True)
class Limits:
    """What a single article may take; beyond it becomes a dead letter and the others go on.

    `max_bytes` counts its raw and its decompressed bytes, `max_chars` the characters of its text, `max_seconds` the time
    to read or to extract it. The longest articles of news corpora are about 30,000 characters long.
    """

    max_bytes: int = 10_000_000
    max_chars: int = 100_000
    max_seconds: float = 300.0


@dataclass(frozen=True, slots=True)
class FeedState:
    """What a server said of a feed, for the next conditional request. `status` is the HTTP status, 0 without one."""

    url: str
    etag: str | None
    last_modified: str | None
    status: int


@dataclass(frozen=True, slots=True)
class SourceRead:
    """A source was read to its end without a problem of its own; `item_id` is the id of its dead letter, if it had one.

    It is stored after all items before it: a feed's state must not be kept while its entries could still be lost.
    """

    item_id: str
    source: str
    feed: FeedState | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """An item read into an article. `article.id` is its content's, see `content_id`; `external_id` is the source's own."""

    item: Item
    article: Article
    external_id: str | None
    encoding: str
    script: str
    signature: bytes
    notes: tuple[str, ...] = ()


def item_id(locator: str, content: bytes | Iterable[bytes]) -> str:
    """The id of what was found at `locator`; the content may come in pieces.

    >>> item_id("a.txt", b"xy") == item_id("a.txt", iter([b"x", b"y"])) != item_id("b.txt", b"xy")
    True
    """
    pieces = [content] if isinstance(content, bytes) else content
    return _digest(locator.encode("utf-8", "surrogatepass"), pieces)


def content_id(text: str, published: date | None) -> str:
    """The id of an article: of all that its record depends on, the text and the date that completes its dates.

    >>> content_id("停火", None) == content_id("停火", None) != content_id("停火", date(2025, 11, 24))
    True
    """
    return _digest(str(published or "").encode(), [text.encode("utf-8", "surrogatepass")])


def is_storable(text: str) -> bool:
    """Whether databases and JSON texts hold each of its characters."""
    return _UNSTORABLE.search(text) is None


def storable(text: str) -> str:
    r"""The text with each character that no database or JSON text holds replaced by U+FFFD, so that offsets stay.

    >>> storable("停\0火") == "停\ufffd火"
    True
    """
    return _UNSTORABLE.sub("\ufffd", text)


def source_item(source: str, locator: str | None = None) -> Item:
    """The item that stands for a whole source, for when it cannot be read."""
    place = locator or source
    return Item(item_id(place, b"source"), source, place, Form.SOURCE)


def _digest(first: bytes, pieces: Iterable[bytes]) -> str:
    digest = hashlib.sha256(len(first).to_bytes(8, "big"))
    digest.update(first)
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()[:_ID_DIGITS]
