import pytest

from treaty_clauses.io import text_sha256
from treaty_clauses.merge import merge_sections, shift
from treaty_clauses.training.gold import GoldArticle
from treaty_clauses.types import Article, ArticleRecord


@pytest.fixture
def doubled(gold: GoldArticle) -> tuple[Article, ArticleRecord]:
    """The gold article twice, one after the other, merged from two sections."""
    start = len(gold.article.text)
    article = Article("twice", gold.article.text * 2, gold.article.published)
    first = gold.record.model_copy(update={"warnings": ("one",), "model": "m"})
    second = gold.record.model_copy(update={"warnings": ("two",), "model": "m"})
    return article, merge_sections(article, [first, second], [0, start])


def test_offsets_are_of_the_whole_article(doubled: tuple[Article, ArticleRecord]) -> None:
    article, record = doubled
    spans = [m for a in record.actors for m in a.mentions] + [m for p in record.proposals for m in p.mentions]
    for proposal in record.proposals:
        for clause in proposal.clauses:
            spans += [*clause.mentions, *clause.conditions]
            spans += [term.anchor for term in clause.terms if term.anchor]
            assert all(article.text[t.start : t.end] == t.text for t in clause.terms)
            assert clause.text == clause.mentions[0].text
    assert all(article.text[m.start : m.end] == m.text for m in spans)
    assert record.article.sha256 == text_sha256(article.text)
    assert record.article.length == len(article.text)


def test_actors_and_proposals_of_one_name_are_one(doubled: tuple[Article, ArticleRecord], gold: GoldArticle) -> None:
    _, record = doubled
    assert [a.name for a in record.actors] == [a.name for a in gold.record.actors]
    assert [len(a.mentions) for a in record.actors] == [2 * len(a.mentions) for a in gold.record.actors]
    assert [p.name for p in record.proposals] == [p.name for p in gold.record.proposals]
    assert [len(p.mentions) for p in record.proposals] == [2 * len(p.mentions) for p in gold.record.proposals]
    assert record.proposals[0].proposers == (record.actors[0].id,)


def test_roles_name_the_merged_actors(doubled: tuple[Article, ArticleRecord], gold: GoldArticle) -> None:
    _, record = doubled
    names = {actor.id: actor.name for actor in record.actors}
    before = {actor.id: actor.name for actor in gold.record.actors}
    for merged, single in zip(record.proposals, gold.record.proposals, strict=True):
        for number, clause in enumerate(merged.clauses):
            own = single.clauses[number % len(single.clauses)]
            assert [names[a] for a in clause.bearer] == [before[a] for a in own.bearer]
            assert [names[a] for a in clause.proposers] == [before[a] for a in own.proposers]


def test_ids_are_unique(doubled: tuple[Article, ArticleRecord]) -> None:
    _, record = doubled
    for ids in (
        [a.id for a in record.actors],
        [p.id for p in record.proposals],
        [c.id for p in record.proposals for c in p.clauses],
    ):
        assert len(set(ids)) == len(ids)


def test_warnings_say_from_which_section(doubled: tuple[Article, ArticleRecord], gold: GoldArticle) -> None:
    assert doubled[1].warnings == ("section from 0: one", f"section from {len(gold.article.text)}: two")


def test_same_wikidata_id_is_one_actor_whatever_the_name(gold: GoldArticle) -> None:
    def named(name: str, wikidata: str | None) -> ArticleRecord:
        actor = gold.record.actors[0].model_copy(update={"name": name, "wikidata": wikidata})
        return gold.record.model_copy(update={"actors": (actor,), "proposals": ()})

    records = [named("東礁", "Q1"), named("東礁國", "Q1"), named("東礁", None), named("東礁", "Q2")]
    article = Article("x", gold.article.text * 4)
    merged = merge_sections(article, records, [i * len(gold.article.text) for i in range(4)])
    assert [(a.name, a.wikidata) for a in merged.actors] == [("東礁", "Q1"), ("東礁", None), ("東礁", "Q2")]


def test_unnamed_comes_last_or_where_it_first_was(gold: GoldArticle) -> None:
    _, unnamed = gold.record.proposals
    first = gold.record.model_copy(update={"proposals": (unnamed,)})
    article = Article("x", gold.article.text * 2)
    merged = merge_sections(article, [first, gold.record], [0, len(gold.article.text)])
    assert [p.name for p in merged.proposals] == [None, "沙門灣六點方案"]
    assert [p.id for p in merged.proposals] == ["p1", "p2"]
    assert len(merged.proposals[0].clauses) == 4


def test_nothing_shared_between_records_is_changed(gold: GoldArticle) -> None:
    before = gold.record.model_dump_json()
    merge_sections(Article("x", gold.article.text * 2), [gold.record] * 2, [0, len(gold.article.text)])
    assert gold.record.model_dump_json() == before


def test_shifting_moves_every_offset_and_nothing_else() -> None:
    part = {"start": 1, "end": 3, "value": 10, "inner": ({"start": 0, "end": 1},), "text": "甲乙"}
    assert shift(part, 5) == {
        "start": 6,
        "end": 8,
        "value": 10,
        "inner": ({"start": 5, "end": 6},),
        "text": "甲乙",
    }
