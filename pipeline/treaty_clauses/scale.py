"""The public batch interface, `Iterator[Batch] -> Iterator[Batch]`: what Spark, Ray Data and `datasets` call.

A batch is a pandas data frame with a column `text` and, if known, `article_id`, `published`, `title`, `source`, `url`.
Each row gives one row of `article_id`, `record` (JSON), `fault` and `message`, in order; a failure is its row's own.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from treaty_clauses.errors import InputError
from treaty_clauses.io import parse_date, record_to_json
from treaty_clauses.isolated import PipesArticles, ReadsAhead, extract_isolated
from treaty_clauses.items import Fault, Limits, Problem, content_id, storable
from treaty_clauses.types import Article, ArticleRecord

if TYPE_CHECKING:
    import pandas as pd  # type: ignore[import-untyped]

_MOST_CHARS = Limits().max_chars
OUTPUT_COLUMNS = ("article_id", "record", "fault", "message")
#: The same as Spark's `mapInPandas` wants to hear it.
SPARK_SCHEMA = "article_id string, record string, fault string, message string"


@dataclass(frozen=True)
class BatchExtractor:
    """Extracts data frames; loads its model with the first, so that it travels to other processes as its settings only.

    >>> extract = BatchExtractor()                                                # doctest: +SKIP
    >>> dataset.with_format("pandas").map(extract, batched=True, batch_size=32)   # doctest: +SKIP
    """

    model: str | None = None
    max_chars: int = _MOST_CHARS

    def __call__(self, batch: "pd.DataFrame") -> "pd.DataFrame":
        """The records of one batch.

        Raises:
            InputError: The batch has no column `text`.
            ModelError: The model cannot be loaded.
        """
        return extract_frame(batch, self._extractor(), max_chars=self.max_chars)

    def _extractor(self) -> PipesArticles:
        if "_loaded" not in self.__dict__:
            from treaty_clauses.extract import load

            object.__setattr__(self, "_loaded", ReadsAhead(load(Path(self.model) if self.model else None)))
        loaded: PipesArticles = self.__dict__["_loaded"]
        return loaded

    def __getstate__(self) -> dict[str, Any]:
        return {"model": self.model, "max_chars": self.max_chars}


def extract_batches(batches: Iterable["pd.DataFrame"], *, model: str | None = None) -> Iterator["pd.DataFrame"]:
    """The records of a stream of batches, one batch in memory at a time; the model is loaded once.

    Raises:
        InputError: A batch has no column `text`.
        ModelError: The model cannot be loaded.
    """
    extractor = BatchExtractor(model)
    for batch in batches:
        yield extractor(batch)


def extract_frame(batch: "pd.DataFrame", extractor: PipesArticles, *, max_chars: int) -> "pd.DataFrame":
    """The records of a batch by a given extractor.

    Raises:
        InputError: The batch has no column `text`.
    """
    import pandas as pd

    if "text" not in batch.columns:
        raise InputError(f"a batch needs a column `text`; it has {', '.join(map(str, batch.columns)) or 'none'}")
    rows = [_article(row, max_chars) for row in batch.to_dict("records")]
    results = iter(extract_isolated(extractor, [row for row in rows if isinstance(row, Article)]))
    answers = [(row, next(results)) if isinstance(row, Article) else row for row in rows]
    return pd.DataFrame([_answer(*answer) for answer in answers], columns=list(OUTPUT_COLUMNS), dtype=object)


def _article(row: dict[Any, Any], max_chars: int) -> "Article | tuple[Article, Problem]":
    fields = {key: storable(str(row[key])) for key in ("title", "source", "url") if _known(row.get(key))}
    text = row["text"] if isinstance(row["text"], str) else ""
    problem, day = None, None
    try:
        day = parse_date(str(row["published"])[:10], where="published") if _known(row.get("published")) else None
    except InputError as error:
        problem = Problem(Fault.MALFORMED, str(error))
    own = row.get("article_id")
    article = Article(storable(str(own)) if _known(own) else content_id(text, day), text, day, **fields)
    if not text.strip():
        problem = Problem(Fault.EMPTY, "the article is empty; give it a text")
    if len(text) > max_chars:
        problem = Problem(Fault.TOO_LONG, f"{len(text):,} characters, the limit is {max_chars:,}")
    return (article, problem) if problem else article


def _answer(article: Article, result: ArticleRecord | Problem) -> tuple[str, str | None, str | None, str | None]:
    if isinstance(result, Problem):
        return article.id, None, result.fault.value, result.message
    return article.id, record_to_json(result), None, None


def _known(value: Any) -> bool:
    """Whether a cell holds something; what is missing in pandas is unequal to itself, or None."""
    return value is not None and bool(value == value) and value != ""
