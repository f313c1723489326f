"""The store of a batch: articles, records, dead letters and runs in DuckDB or PostgreSQL, and its exports."""

from treaty_clauses.store.connection import StoreError, StoreInUseError
from treaty_clauses.store.export import ExportFormat, export
from treaty_clauses.store.schema import SCHEMA_VERSION, TABLES, VIEWS
from treaty_clauses.store.store import Extracted, Outcome, Store

__all__ = [
    "SCHEMA_VERSION",
    "TABLES",
    "VIEWS",
    "ExportFormat",
    "Extracted",
    "Outcome",
    "Store",
    "StoreError",
    "StoreInUseError",
    "export",
]
