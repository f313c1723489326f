"""Reads Traditional Chinese news about peace proposals, ceasefires and treaties into structured proposal records.

>>> import treaty_clauses
>>> extractor = treaty_clauses.load()                                    # doctest: +SKIP
>>> record = extractor.extract(text, published="2025-11-24")             # doctest: +SKIP
"""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

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


def load(model: Path | str | None = None, *, backend: Literal["fast", "torch"] | None = None) -> "Extractor":
    """Load the extractor with the default model, or with the model folder `model`.

    Args:
        model: A model folder.
        backend: "fast" runs the folder's exported graphs, "torch" the reference; without it the fast one where it can run.

    Raises:
        ModelError: The folder is missing or damaged, or what the backend needs is not installed.
    """
    from treaty_clauses.extract import load as load_extractor

    return load_extractor(model, backend=backend)
