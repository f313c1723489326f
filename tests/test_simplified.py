from pathlib import Path

import opencc
import pytest

from batching import process, rows
from standin import Standin, make_text
from treaty_clauses.isolated import extract_isolated
from treaty_clauses.simplified import NOTE, script, to_traditional
from treaty_clauses.store import Store
from treaty_clauses.types import Article

ROOT = Path(__file__).parents[1]
SIMPLE = opencc.OpenCC("t2s").convert(make_text(7))


@pytest.mark.parametrize("text", ["兩國同意停火", "台北的后里", "", "ABC 123", "公里"])
def test_what_is_not_clearly_simplified_is_left_alone(text: str) -> None:
    assert script(text) != "simplified"


def test_every_article_of_the_corpus_is_told_from_its_conversion() -> None:
    converter = opencc.OpenCC("t2s")
    paths = sorted((ROOT / "corpus" / "written").glob("*.txt"))[::10]
    assert paths
    for path in paths:
        text = path.read_text(encoding="utf-8")
        simple = converter.convert(text)
        assert (script(text), script(simple)) == ("traditional", "simplified"), path.name
        back = to_traditional(simple)
        assert len(back) == len(simple)
        assert sum(a != b for a, b in zip(text, back, strict=True)) < 0.02 * len(text)


@pytest.mark.parametrize("text", ["\n\n", "发\n\n展", "𠀀发展\U0001f600", "\ud800发展", "a\r\nb"])
def test_the_conversion_keeps_every_offset(text: str) -> None:
    assert len(to_traditional(text)) == len(text)


def test_quotes_and_hash_are_of_the_original_names_are_traditional() -> None:
    article = Article("a", SIMPLE)
    (record,) = extract_isolated(Standin(), [article])
    (traditional,) = extract_isolated(Standin(), [Article("a", to_traditional(SIMPLE))])
    assert not isinstance(record, Exception)
    assert record.proposals, "the pattern is in Traditional"  # type: ignore[union-attr]
    for proposal in record.proposals:  # type: ignore[union-attr]
        for clause in proposal.clauses:
            for mention in (*clause.mentions, *clause.terms, *proposal.mentions):
                assert SIMPLE[mention.start : mention.end] == mention.text
        assert proposal.name == "嶼方方案" or proposal.name in to_traditional(SIMPLE)
    assert record.article.length == len(SIMPLE)  # type: ignore[union-attr]
    assert record.warnings == (NOTE,)  # type: ignore[union-attr]
    assert [p.name for p in record.proposals] == [p.name for p in traditional.proposals]  # type: ignore[union-attr]


def test_the_store_says_which_articles_were_converted(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(SIMPLE, encoding="utf-8")
    with Store(":memory:") as store:
        process([tmp_path], store)
        assert rows(store, "SELECT script, text FROM articles") == [{"script": "simplified", "text": SIMPLE}]
        assert rows(store, "SELECT message FROM warnings") == [{"message": NOTE}]
        assert rows(store, "SELECT value FROM terms") == [{"value": 80_000.0}]
