"""Reads Traditional Chinese news about peace proposals, ceasefires and treaties into structured proposal records.

>>> import treaty_clauses
>>> extractor = treaty_clauses.load()                                    # doctest: +SKIP
>>> record = extractor.extract(text, published="2025-11-24")             # doctest: +SKIP
"""

from pathlib import Path
from typing import TYPE_CHECKING

from treaty_clauses.errors import AnnotationError, ConfigError, InputError, ModelError, TreatyClausesError
from treaty_clauses.types import Article, ArticleRecord

if TYPE_CHECKING:
    from treaty_clauses.extract import Extractor

__all__ = [
    "AnnotationError",
    "Article",
    "ArticleRecord",
    "ConfigError",
    "InputError",
    "ModelError",
    "TreatyClausesError",
    "load",
]


def load(model: Path | str | None = None) -> "Extractor":
    """Load the extractor with the default model, or with the model folder `model`.

    Raises:
        ModelError: The folder is missing or damaged.
    """
    from treaty_clauses.extract import load as load_extractor

    return load_extractor(model)
