from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest

from treaty_clauses.error_kinds import KINDS, Mistake, count_kinds, find_mistakes
from treaty_clauses.errors_report import kinds_markdown, kinds_table, render_html, texts_in
from treaty_clauses.labels import ClauseType, Comparator, Modality, Role, Status, TermRole
from treaty_clauses.score import score_article
from treaty_clauses.training.gold import GoldArticle
from treaty_clauses.types import Actor, ArticleRecord, Clause, Mention, Proposal

Change = Callable[[ArticleRecord], ArticleRecord]


def with_clause(number: int, **update: Any) -> Change:
    """Change the clause of that number, counted over all proposals."""

    def change(record: ArticleRecord) -> ArticleRecord:
        seen = -1
        proposals = []
        for proposal in record.proposals:
            clauses = []
            for clause in proposal.clauses:
                seen += 1
                if seen == number:
                    done = {key: value(clause) if callable(value) else value for key, value in update.items()}
                    clause = clause.model_copy(update=done)
                clauses.append(clause)
            proposals.append(proposal.model_copy(update={"clauses": tuple(clauses)}))
        return record.model_copy(update={"proposals": tuple(proposals)})

    return change


def with_term(number: int, **update: Any) -> Change:
    return with_clause(number, terms=lambda clause: (clause.terms[0].model_copy(update=update), *clause.terms[1:]))


def without_clause(record: ArticleRecord) -> ArticleRecord:
    first, *rest = record.proposals
    return record.model_copy(update={"proposals": (first.model_copy(update={"clauses": first.clauses[1:]}), *rest)})


def with_one_more(record: ArticleRecord) -> ArticleRecord:
    first, *rest = record.proposals
    span = Mention(start=0, end=2, text="xx")
    clause = first.clauses[0].model_copy(update={"id": "c99", "mentions": (span,), "terms": (), "conditions": ()})
    return record.model_copy(
        update={"proposals": (first.model_copy(update={"clauses": (*first.clauses, clause)}), *rest)}
    )


def in_one_proposal(record: ArticleRecord) -> ArticleRecord:
    first, second = record.proposals
    merged: Proposal = first.model_copy(update={"clauses": (*first.clauses, *second.clauses)})
    return record.model_copy(update={"proposals": (merged,)})


def shift(clause: Clause, *, start: int = 0, end: int = 0) -> tuple[Mention, ...]:
    first, *rest = clause.mentions
    return first.model_copy(update={"start": first.start + start, "end": first.end + end}), *rest


def with_actor(number: int, change: Callable[[Actor], Actor]) -> Change:
    def changed(record: ArticleRecord) -> ArticleRecord:
        actors = tuple(change(actor) if index == number else actor for index, actor in enumerate(record.actors))
        return record.model_copy(update={"actors": actors})

    return changed


CASES: dict[str, tuple[Change, list[tuple[str, str]]]] = {
    "nothing": (lambda record: record, []),
    "missed": (without_clause, [("clause missed", "ceasefire"), ("term missed", "deadline")]),
    "spurious": (with_one_more, [("clause spurious", "ceasefire")]),
    "cut": (
        with_clause(4, mentions=lambda clause: shift(clause, start=10)),
        [("clause cut otherwise", "assets")],
    ),
    "border": (with_clause(4, mentions=lambda clause: shift(clause, end=-1)), [("clause border", "ends too early")]),
    "type": (with_clause(0, type=ClauseType.TRADE), [("type", "ceasefire → trade")]),
    "modality": (with_clause(0, modality=Modality.RIGHT), [("modality", "obligation → right")]),
    "status": (with_clause(0, status=Status.AGREED), [("status", "proposed → agreed")]),
    "proposal": (in_one_proposal, [("proposal", "unnamed → named")] * 2),
    "bearer": (with_clause(2, bearer=("EJ",)), [("bearer", "missing"), ("bearer", "too much")]),
    "counterparty": (with_clause(3, counterparty=()), [("counterparty", "missing")]),
    "territory": (with_clause(0, territory=("SM",)), [("territory", "too much")]),
    "proposers": (with_clause(4, proposers=()), [("proposers", "missing")]),
    "value": (with_term(2, value=1200, comparator=Comparator.LT), [("term value", "value, comparator le → lt")]),
    "term role": (with_term(2, role=TermRole.HEADCOUNT), [("term role", "troop_cap → headcount")]),
    "anchor": (with_term(0, anchor=None), [("term anchor", "missed")]),
    "term spurious": (
        with_clause(2, terms=lambda c: (*c.terms, c.terms[0].model_copy(update={"start": 0, "end": 2}))),
        [("term spurious", "troop_cap")],
    ),
    "condition": (with_clause(3, conditions=()), [("condition missed", "")]),
    "condition spurious": (
        with_clause(0, conditions=(Mention(start=0, end=2, text="xx"),)),
        [("condition spurious", "")],
    ),
    "actor link": (
        with_actor(2, lambda actor: actor.model_copy(update={"wikidata": "Q1"})),
        [("actor link", "item given, gold has none")],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_each_difference_is_one_error_of_its_kind(gold: GoldArticle, name: str) -> None:
    change, expected = CASES[name]
    mistakes = find_mistakes([(gold.record, change(gold.record))])
    found = [(mistake.kind, mistake.detail) for mistake in mistakes]
    if name == "actor link":  # one for each mention, and the role of the actor is another too
        assert set(found) >= set(expected)
    else:
        assert sorted(found) == sorted(expected)


def test_a_mention_gone_and_a_mention_moved(gold: GoldArticle) -> None:
    def change(actor: Actor) -> Actor:
        _, second, *rest = actor.mentions
        return actor.model_copy(update={"mentions": (second.model_copy(update={"end": second.end + 1}), *rest)})

    mistakes = find_mistakes([(gold.record, with_actor(0, change)(gold.record))])
    assert [(m.kind, m.detail) for m in mistakes] == [("actor missed", "not linked"), ("actor border", "ends too late")]


def test_errors_are_those_that_the_scorer_counts(gold: GoldArticle) -> None:
    empty = gold.record.model_copy(update={"actors": (), "proposals": ()})
    counts = score_article(gold.record, empty)
    rows = {kind: count for kind, count, _ in count_kinds(find_mistakes([(gold.record, empty)]))}
    assert rows == {
        "clause missed": counts.clause.fn,
        "term missed": counts.term.fn,
        "actor missed": counts.actor.fn,
    }
    rows = {kind: count for kind, count, _ in count_kinds(find_mistakes([(empty, gold.record)]))}
    assert rows == {
        "clause spurious": counts.clause.fn,
        "term spurious": counts.term.fn,
        "actor spurious": counts.actor.fn,
    }


def test_every_role_is_a_kind() -> None:
    assert {str(role) for role in Role} <= KINDS.keys()


def test_kinds_are_listed_by_frequency() -> None:
    mistakes = [Mistake("a", "status", "x", (0, 1), None)] + [
        Mistake("a", "type", str(n % 2), (n, 9), None) for n in range(3)
    ]
    assert count_kinds(mistakes) == [("type", 3, [("0", 2), ("1", 1)]), ("status", 1, [("x", 1)])]
    assert kinds_markdown(mistakes, most=1) == (
        "| kind | errors | share | most frequent |\n| --- | ---: | ---: | --- |\n| type | 3 | 75.0% | 0 2, 1 1 |\n"
    )
    assert kinds_table(mistakes).row_count == 2


def test_the_page_shows_each_error_in_its_sentence() -> None:
    text = "前一句。甲<國>同意停火90天，並撤軍。後一句。"
    mistakes = [
        Mistake("a&b", "clause border", "ends too late", (4, 13), (4, 10), "x → y"),
        Mistake("other", "clause missed", "trade", (0, 2), None),
    ]
    page = render_html(mistakes, {"a&b": text}, title="Errors <1>", conditions="n = 1")
    assert "<title>Errors &lt;1&gt;</title>" in page
    assert '<span class="around">前一句。</span>' in page
    assert '<span class="gold predicted">甲&lt;國&gt;同意</span><span class="gold">停火9</span>' in page
    assert '0天，並撤軍。<span class="around">後一句。</span>' in page
    assert "a&amp;b [4] · x → y" in page
    assert "other [0]" in page
    ElementTree.fromstring(page.removeprefix("<!DOCTYPE html>\n").replace('<meta charset="utf-8">', ""))


def test_without_texts_the_quotes_are_shown_in_their_places(gold: GoldArticle) -> None:
    shown = texts_in([gold.record])["harbor"]
    text = gold.article.text
    assert len(shown) == len(text)
    assert all(a in (b, "…") for a, b in zip(shown, text, strict=True))
    assert "西礁軍隊撤出沙門灣" in shown
