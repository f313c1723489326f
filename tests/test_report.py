import io

import pytest
from rich.console import Console

from treaty_clauses.labels import Comparator, TermRole
from treaty_clauses.proposals import empty_record
from treaty_clauses.report import describe_term, record_table
from treaty_clauses.training.gold import GoldArticle
from treaty_clauses.types import Article, ArticleRecord, Mention, Term


def shown(record: ArticleRecord, *, width: int = 220) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(record_table(record))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def term(value: float | str, unit: str = "person", **more: object) -> Term:
    fields = {"role": TermRole.QUANTITY, "comparator": Comparator.EQ, "high": None, "anchor": None, **more}
    return Term(start=0, end=1, text="字", value=value, unit=unit, **fields)


def test_the_table_shows_who_what_numbers_and_conditions(gold: GoldArticle) -> None:
    text = shown(gold.record)
    for part in (
        "harbor (2026-01-13)",
        "沙門灣六點方案 — 東礁",
        "(no named proposal)",
        "東礁、西礁",
        "西礁駐軍不得超過1.2萬人",
        "troop_cap ≤ 12,000 person",
        "如果西礁違反承諾",
        "deadline ≤ 10 day after 簽署",
        "prohibition",
        "demanded",
    ):
        assert part in text, part


def test_warnings_are_shown(gold: GoldArticle) -> None:
    record = gold.record.model_copy(update={"warnings": ("term [1, 2) dropped",)})
    assert "warning: term [1, 2) dropped" in shown(record)


def test_an_article_without_clauses_says_so() -> None:
    text = shown(empty_record(Article("leer", ""), model="m", warnings=["the article is empty"]))
    assert "no clause found" in text
    assert "the article is empty" in text


def test_brackets_in_a_clause_are_no_markup(gold: GoldArticle) -> None:
    proposal = gold.record.proposals[0]
    clause = proposal.clauses[0].model_copy(update={"text": "[red]停火[/red] [/bold]"})
    proposal = proposal.model_copy(update={"clauses": (clause,), "name": "[x]方案[/y]"})
    record = gold.record.model_copy(update={"proposals": (proposal,)})
    text = shown(record)
    assert "[red]停火[/red] [/bold]" in text
    assert "[x]方案[/y]" in text


def test_an_id_with_brackets_is_no_markup(gold: GoldArticle) -> None:
    info = gold.record.article.model_copy(update={"id": "[a/b][/c]"})
    assert "[a/b][/c]" in shown(gold.record.model_copy(update={"article": info}))


def test_a_narrow_terminal_loses_no_word(gold: GoldArticle) -> None:
    flat = "".join(shown(gold.record, width=60).split())
    assert flat.count("停") >= 1


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (term(600000, comparator=Comparator.LE), "quantity ≤ 600,000 person"),
        (term(0.3, "ratio"), "quantity = 0.3 ratio"),
        (term(10, high=20, comparator=Comparator.RANGE), "quantity = 10..20 person"),
        (term("2026-03-01", "date", comparator=Comparator.LT), "quantity < 2026-03-01 date"),
        (
            term(100, "day", anchor=Mention(start=0, end=2, text="簽署")),
            "quantity = 100 day after 簽署",
        ),
    ],
    ids=["bound", "share", "range", "date", "anchor"],
)
def test_a_term_in_short(given: Term, text: str) -> None:
    assert describe_term(given) == text
