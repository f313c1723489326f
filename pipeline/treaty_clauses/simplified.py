"""Simplified input: converted character for character, read as Traditional, quoted as it was given."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import opencc

from treaty_clauses.io import restore_text, strip_text, text_sha256
from treaty_clauses.types import Article, ArticleRecord

#: A text counts as Simplified when at least so many of its telling characters are. A Simplified text has about one telling
#: character in three; a Traditional one holds a few that exist in both scripts (台, 后, 里, 干), which do not tell.
_SHARE = 0.7
NOTE = "Simplified text: read through a conversion character by character, quoted as it was given"


def script(text: str) -> str:
    """The script of a text: "traditional", "simplified", or "other" when no character tells.

    >>> script("兩國同意停火"), script("两国同意停火"), script("ABC")
    ('traditional', 'simplified', 'other')
    """
    traditional, simplified = _telling()
    counts = [sum(map(text.count, set(text) & kind)) for kind in (traditional, simplified)]
    if not any(counts):
        return "other"
    return "simplified" if counts[1] >= _SHARE * sum(counts) else "traditional"


def to_traditional(text: str) -> str:
    """Convert to Traditional, one character for one: by OpenCC's phrases where they keep the length, else by characters.

    >>> to_traditional("两国发展关系")
    '兩國發展關係'
    """
    converter = _converter()
    lines = []
    for line in text.split("\n"):
        converted = converter.convert(line)
        lines.append(converted if len(converted) == len(line) else "".join(map(_one, line)))
    result = "\n".join(lines)
    assert len(result) == len(text)
    return result


def quote_original(record: ArticleRecord, article: Article) -> ArticleRecord:
    """The record of a converted text as one of the original: every quote is cut from `article.text`.

    Names of actors and proposals stay Traditional, so that they compare with those of other outlets.
    """
    table = strip_text(record)
    table["article"] |= {"sha256": text_sha256(article.text), "title": article.title}
    restored = restore_text(table, article.text, where=article.id)
    return restored.model_copy(update={"warnings": (*record.warnings, NOTE)})


def traditional_article(article: Article) -> Article:
    """The article with its text converted, which is what the extractor reads."""
    return replace(article, text=to_traditional(article.text))


def _one(character: str) -> str:
    converted = str(_converter().convert(character))
    return converted if len(converted) == 1 else character


@cache
def _converter() -> opencc.OpenCC:
    return opencc.OpenCC("s2tw")


@cache
def _telling() -> tuple[frozenset[str], frozenset[str]]:
    """Characters that only Traditional has, and those that only Simplified has, by OpenCC's character tables.

    A character that may stand for itself (后, 台, 里) is in neither.
    """
    folder = Path(opencc.__file__).parent / "dictionary"
    return _changed(folder / "TSCharacters.txt"), _changed(folder / "STCharacters.txt")


def _changed(table: Path) -> frozenset[str]:
    rows = (line.split("\t") for line in table.read_text(encoding="utf-8").splitlines() if line)
    return frozenset(old for old, new in rows if len(old) == 1 and old not in new.split(" "))
