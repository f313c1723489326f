"""Pages into articles: main text, title and date, by trafilatura. Nothing in a page is executed, fetched or followed."""

import re
from configparser import ConfigParser
from copy import deepcopy
from dataclasses import dataclass
from datetime import date
from html import unescape

#: trafilatura distrusts a result under 250 characters; a Chinese text says as much in about a third of that.
_LEAST_CHARS = 80
#: More elements than any article has (long live tickers: about 20,000); beyond, parsing time is not worth it.
_MOST_ELEMENTS = 100_000
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_TAG = re.compile(r"<[^<>]*>")  # of "<<<<" each is tried once


@dataclass(frozen=True, slots=True)
class Page:
    """What was read of a page."""

    text: str
    title: str | None
    published: date | None
    outlet: str | None


def read_page(html: str, *, url: str | None = None) -> Page | None:
    """The article on a page; None when it has no main text.

    The date is the page's own (metadata, then what its URL or text shows); one in the future of the machine's clock is
    left out by trafilatura.
    """
    import trafilatura  # here, since it takes half a second to load and most sources hold no pages

    document = trafilatura.bare_extraction(
        _CONTROL.sub(" ", html),
        url=url,
        with_metadata=True,
        include_comments=False,
        include_tables=False,
        favor_precision=True,
        config=_config(),
    )
    text = "" if document is None or isinstance(document, dict) else document.text or ""
    if document is None or isinstance(document, dict) or not text.strip():
        return None
    return Page(text, document.title or None, _day(document.date), document.sitename or document.hostname)


def visible_text(html: str) -> str:
    """The text of an HTML fragment such as a feed's summary, tags dropped; for judging it, not for reading it."""
    return unescape(_TAG.sub("", html)).strip()


def wrap_fragment(html: str, title: str | None) -> str:
    """A page around a feed entry's content, so that it is read as pages are."""
    heading = (title or "").replace("<", "&lt;")
    return f"<html><head><title>{heading}</title></head><body><article>{html}</article></body></html>"


def _config() -> ConfigParser:
    from trafilatura.settings import DEFAULT_CONFIG

    config = deepcopy(DEFAULT_CONFIG)
    config["DEFAULT"]["MIN_EXTRACTED_SIZE"] = str(_LEAST_CHARS)
    config["DEFAULT"]["MAX_TREE_SIZE"] = str(_MOST_ELEMENTS)
    config["DEFAULT"]["EXTENSIVE_DATE_SEARCH"] = "off"
    return config


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat((text or "")[:10])
    except ValueError:
        return None
