import json
import time
from dataclasses import replace
from datetime import date
from importlib.resources import files
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from treaty_clauses import extract as extract_module
from treaty_clauses.encode import ArticleEncoder
from treaty_clauses.errors import InputError
from treaty_clauses.extract import Extractor, cut_sections, load
from treaty_clauses.gazetteer import Gazetteer
from treaty_clauses.io import record_to_json, text_sha256
from treaty_clauses.segment import Segmenter
from treaty_clauses.tagger import Tagger, TorchTagger
from treaty_clauses.training.gold import GoldArticle
from treaty_clauses.types import Article, ArticleRecord

MOST_SECONDS = 120  # for 1,000,000 characters on a busy machine


@pytest.fixture(scope="module")
def contract() -> Draft202012Validator:
    return Draft202012Validator(
        json.loads(files("treaty_clauses").joinpath("data/record.schema.json").read_text("utf-8"))
    )


def assert_sound(record: ArticleRecord, article: Article, contract: Draft202012Validator) -> None:
    """Valid against the contract, offsets slice to their quotes, and every id that is used is defined."""
    contract.validate(json.loads(record_to_json(record)))
    text = article.text
    assert (record.article.id, record.article.length) == (article.id, len(text))
    assert record.article.sha256 == text_sha256(text)
    clauses = [clause for proposal in record.proposals for clause in proposal.clauses]
    spans = [m for a in record.actors for m in a.mentions] + [m for p in record.proposals for m in p.mentions]
    spans += [m for c in clauses for m in (*c.mentions, *c.conditions)]
    spans += [t.anchor for c in clauses for t in c.terms if t.anchor]
    assert all(text[m.start : m.end] == m.text for m in spans)
    assert all(text[t.start : t.end] == t.text for c in clauses for t in c.terms)
    actors = {actor.id for actor in record.actors}
    assert len(actors) == len(record.actors)
    assert len({clause.id for clause in clauses}) == len(clauses)
    for clause in clauses:
        assert {*clause.bearer, *clause.counterparty, *clause.territory, *clause.proposers} <= actors
    assert all(set(proposal.proposers) <= actors for proposal in record.proposals)
    borders = sorted((m.start, m.end) for c in clauses for m in c.mentions)
    assert all(first[1] <= second[0] for first, second in pairwise(borders)), "clause spans overlap"


def test_the_article_it_learnt_comes_back(
    extractor: Extractor, gold: GoldArticle, contract: Draft202012Validator
) -> None:
    record = extractor.extract_article(gold.article)
    assert_sound(record, gold.article, contract)
    named, unnamed = record.proposals
    assert (named.name, unnamed.name) == ("沙門灣六點方案", None)
    assert [c.text for c in (*named.clauses, *unnamed.clauses)] == [
        c.text for p in gold.record.proposals for c in p.clauses
    ]
    terms = {
        t.text: (t.value, t.unit, t.comparator.value) for p in record.proposals for c in p.clauses for t in c.terms
    }
    assert terms["不得超過1.2萬人"] == (12000, "person", "le")
    assert terms["20億美元"] == (2_000_000_000, "USD", "eq")
    assert record.model == "tiny"


@pytest.mark.parametrize(
    "text",
    [
        "停",
        "\n\n停火\r\n協議\n",
        "兩國\0同意\0停火。" * 20,
        "兩國\ud800同意\udfff停火。" * 20,
        "１０天內\u3000停火\ufeff" * 20,
        "🕊️👨‍👩‍👧停火𠀋" * 20,
        "Ceasefire within 10 days. " * 20,
        "停" * 3000,
        "第" * 500 + "1" * 500,
    ],
    ids=["one", "breaks", "nul", "surrogates", "wide", "emoji", "latin", "one character", "digits"],
)
def test_every_text_gives_one_sound_record(extractor: Extractor, contract: Draft202012Validator, text: str) -> None:
    article = Article("odd", text, date(2025, 11, 24))
    assert_sound(extractor.extract_article(article), article, contract)


def test_no_quote_holds_a_lone_surrogate_and_the_record_says_so(
    extractor: Extractor, gold: GoldArticle, contract: Draft202012Validator
) -> None:
    text = gold.article.text.replace("不得超過1.2萬人", "不得超過\udc00.2萬人").replace(
        "沙門灣六點方案", "沙門灣\ud800方案"
    )
    article = replace(gold.article, id="\ud800", title="題\udfff", text=text)
    record = extractor.extract_article(article)
    assert_sound(record, replace(article, id="?"), contract)
    (warning,) = [warning for warning in record.warnings if "surrogate" in warning]
    assert warning == f"2 lone surrogates, first at {text.index(chr(0xD800))}: nothing is quoted across them"


def test_odd_characters_around_it_leave_a_clause_in_place(
    extractor: Extractor, gold: GoldArticle, contract: Draft202012Validator
) -> None:
    article = replace(gold.article, text=gold.article.text + "\n\ud800\0\n" + gold.article.text)
    record = extractor.extract_article(article)
    assert_sound(record, article, contract)
    quotes = [m.text for p in record.proposals for c in p.clauses for m in c.mentions]
    assert quotes.count("西礁駐軍不得超過1.2萬人") == 2


@pytest.mark.parametrize("text", ["", " ", "\n\u3000\n"], ids=["none", "space", "wide space"])
def test_an_empty_article_gives_an_empty_record_with_a_warning(
    extractor: Extractor, contract: Draft202012Validator, text: str
) -> None:
    record = extractor.extract(text, article_id="empty")
    assert_sound(record, Article("empty", text), contract)
    assert (record.actors, record.proposals, record.warnings) == ((), (), ("the article is empty",))


@pytest.mark.parametrize("published", ["2026-01-13", date(2026, 1, 13)], ids=["text", "date"])
def test_the_date_may_be_a_date_or_its_text(extractor: Extractor, published: date | str) -> None:
    assert extractor.extract("停火", published=published).article.published == "2026-01-13"


def test_an_unknown_date_is_an_input_error(extractor: Extractor) -> None:
    with pytest.raises(InputError, match="'24/11/2025' is no date"):
        extractor.extract("停火", published="24/11/2025")


def test_title_source_and_url_are_carried(extractor: Extractor) -> None:
    info = extractor.extract_article(Article("x", "停火", None, "題", "報", "https://example.org")).article
    assert (info.title, info.source, info.url) == ("題", "報", "https://example.org")


def test_a_stream_gives_one_record_each_in_order_whatever_stands_beside(
    extractor: Extractor, gold: GoldArticle
) -> None:
    articles = [
        Article("a", ""),
        gold.article,
        Article("b", "停火" * 700),
        Article("c", gold.article.text[:100]),
        gold.article,
    ]
    alone = [extractor.extract_article(article) for article in articles]
    assert list(extractor.pipe(articles)) == alone
    assert list(extractor.pipe(reversed(articles))) == alone[::-1]
    assert [record.article.id for record in alone] == ["a", "harbor", "b", "c", "harbor"]


def test_a_stream_is_read_one_article_at_a_time(extractor: Extractor) -> None:
    taken = []

    def articles() -> object:
        for name in "abc":
            taken.append(name)
            yield Article(name, "停火。")

    stream = extractor.pipe(articles())  # type: ignore[arg-type]
    assert taken == []
    next(stream)
    assert taken == ["a"]


def test_a_long_article_is_read_in_sections(
    extractor: Extractor, gold: GoldArticle, contract: Draft202012Validator, monkeypatch: pytest.MonkeyPatch
) -> None:
    article = replace(gold.article, text=(gold.article.text + "\n") * 4)
    monkeypatch.setattr(extract_module, "SECTION_CHARS", len(gold.article.text) + 1)
    record = extractor.extract_article(article)
    assert_sound(record, article, contract)
    named, unnamed = record.proposals
    assert (named.name, unnamed.name) == ("沙門灣六點方案", None)
    quotes = [m.text for c in named.clauses for m in c.mentions]
    assert quotes.count("西礁軍隊撤出沙門灣") == 4


def test_a_million_characters_are_read_in_bounded_time(
    tagger: TorchTagger, segmenter: Segmenter, gazetteer: Gazetteer, gold: GoldArticle, contract: Draft202012Validator
) -> None:
    model = Tagger(replace(tagger.config, window_chars=256))
    model.load_state_dict(tagger.model.state_dict())
    filler = "peace process news\n" * 900
    text = ((gold.article.text + "\n" + filler) * 60)[:1_000_000]
    assert len(text) == 1_000_000
    article = Article("long", text, gold.article.published)
    began = time.monotonic()
    record = Extractor(TorchTagger(model, tagger.vocabulary), segmenter, gazetteer).extract_article(article)
    assert time.monotonic() - began < MOST_SECONDS
    assert_sound(record, article, contract)
    positions = [m.start for p in record.proposals for c in p.clauses for m in c.mentions]
    assert max(positions) > 950_000, "the end was not read"


@given(st.text("甲。\n字", max_size=200), st.integers(2, 40))
def test_sections_cover_the_text_once(text: str, most: int) -> None:
    sections = cut_sections(text, most=most)
    assert "".join(text[start:end] for start, end in sections) == text
    assert all(0 < end - start <= most for start, end in sections) or not text


def test_sections_are_cut_at_sentence_ends_where_there_are_some() -> None:
    text = "甲乙丙。" * 10
    assert all(text[end - 1] == "。" for _, end in cut_sections(text, most=7))


def test_the_extractor_is_loaded_from_a_folder(model_folder: object, gold: GoldArticle) -> None:
    record = load(str(model_folder)).extract_article(gold.article)
    assert record.proposals


def test_the_gazetteer_links_what_it_knows(extractor: Extractor, article_encoder: ArticleEncoder) -> None:
    assert article_encoder.gazetteer.find("烏克蘭")[0].entries[0].wikidata == "Q212"
