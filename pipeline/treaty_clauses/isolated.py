"""Extraction in which one article's failure is its own: what a batch, a cluster's worker and a data frame have in common."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from treaty_clauses.items import Fault, Problem
from treaty_clauses.simplified import quote_original, script, traditional_article
from treaty_clauses.types import Article, ArticleRecord

if TYPE_CHECKING:
    from treaty_clauses.extract import Extractor

_log = logging.getLogger(__name__)


class PipesArticles(Protocol):
    """What is needed of an extractor: one record for each article, in order."""

    def pipe(self, articles: Iterable[Article]) -> Iterator[ArticleRecord]:
        """Records of a stream of articles."""


class ReadsAhead:
    """The extractor, taking articles ahead of their records: what is given in batches then keeps all cores at work."""

    def __init__(self, extractor: "Extractor") -> None:
        self._extractor = extractor

    def pipe(self, articles: Iterable[Article]) -> Iterator[ArticleRecord]:
        """Records of a stream of articles."""
        from treaty_clauses.extract import AHEAD_CHARS

        return self._extractor.pipe(articles, ahead_chars=AHEAD_CHARS)


def extract_isolated(extractor: PipesArticles, articles: Sequence[Article]) -> list[ArticleRecord | Problem]:
    """The records of some articles, in order, with a problem in the place of each that failed.

    Simplified articles are read through a length-preserving conversion and quoted as they were given.
    """
    read = [traditional_article(article) if script(article.text) == "simplified" else article for article in articles]
    results: list[ArticleRecord | Problem]
    try:
        results = [*extractor.pipe(read)]
    except Exception:  # of any article: each is then tried by itself, and the failing one recorded
        _log.debug("a batch of %d articles failed; each is tried by itself", len(read))
        results = [_one(extractor, article) for article in read]
    if len(results) != len(articles):
        raise RuntimeError(f"the extractor gave {len(results)} records for {len(articles)} articles")
    return [
        quote_original(result, article) if converted is not article and isinstance(result, ArticleRecord) else result
        for article, converted, result in zip(articles, read, results, strict=True)
    ]


def _one(extractor: PipesArticles, article: Article) -> ArticleRecord | Problem:
    try:
        (record,) = extractor.pipe([article])
    except Exception as error:  # whatever it is, it is this article's, and is kept with it
        return Problem(Fault.EXTRACTION, f"{type(error).__name__}: {error}")
    return record
