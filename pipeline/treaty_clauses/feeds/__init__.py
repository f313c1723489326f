"""Sources of articles: files, archives, tables, pages and feeds, read into items and items into articles."""

from treaty_clauses.feeds.fetch import Fetcher, FetchOptions
from treaty_clauses.feeds.files import Event
from treaty_clauses.feeds.reading import read_item
from treaty_clauses.feeds.sources import SourceReader, is_url, total_bytes

__all__ = ["Event", "FetchOptions", "Fetcher", "SourceReader", "is_url", "read_item", "total_bytes"]
