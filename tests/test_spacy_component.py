from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
import spacy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spacy import displacy
from spacy.language import Language
from spacy.tokens import Doc

from treaty_clauses import spacy_component
from treaty_clauses.extract import Extractor
from treaty_clauses.spacy_component import SegmenterTokenizer, annotate, split_tokens
from treaty_clauses.training.gold import GoldArticle

KEYS = {"clauses", "actors", "terms", "conditions", "proposals"}


@pytest.fixture(scope="module")
def nlp(model_folder: Path) -> Language:
    language = spacy.blank("zh")
    language.add_pipe("treaty_clauses", config={"model": str(model_folder), "published": "2026-01-13"})
    return language


@pytest.fixture(scope="module")
def jieba_nlp() -> Language:
    return spacy.blank("zh", config={"nlp": {"tokenizer": {"@tokenizers": "treaty_clauses.segmenter"}}})


def test_a_blank_pipeline_gets_spans_and_record(nlp: Language, gold: GoldArticle) -> None:
    doc = nlp(gold.article.text)
    assert set(doc.spans) == KEYS
    assert doc.text == gold.article.text
    texts = [span.text for span in doc.spans["clauses"]]
    assert "西礁駐軍不得超過1.2萬人" in texts
    assert {span.label_ for span in doc.spans["clauses"]} >= {"ceasefire", "force_limits"}
    assert doc._.treaty.article.published == "2026-01-13"
    assert doc._.treaty.proposals[0].name == "沙門灣六點方案"


def test_every_span_of_the_record_is_in_the_doc_to_the_character(jieba_nlp: Language, gold: GoldArticle) -> None:
    doc = jieba_nlp(gold.article.text)
    annotate(doc, gold.record)
    record = gold.record
    clauses = [clause for proposal in record.proposals for clause in proposal.clauses]
    expected = {
        "clauses": {(m.start, m.end, c.type.value) for c in clauses for m in c.mentions},
        "actors": {(m.start, m.end, a.kind.value) for a in record.actors for m in a.mentions},
        "terms": {(t.start, t.end, t.role.value) for c in clauses for t in c.terms},
        "conditions": {(m.start, m.end, "condition") for c in clauses for m in c.conditions},
        "proposals": {(m.start, m.end, "proposal") for p in record.proposals for m in p.mentions},
    }
    for key in KEYS:
        assert {(s.start_char, s.end_char, s.label_) for s in doc.spans[key]} == expected[key]


def test_tokens_are_split_where_a_border_falls_inside_and_nowhere_else(jieba_nlp: Language) -> None:
    doc = jieba_nlp("烏克蘭同意簽署停火協議")
    before = [token.text for token in doc]
    assert "停火協議" in before
    border = doc.text.index("協議")
    split_tokens(doc, [border, 0, len(doc.text)])
    assert [token.text for token in doc] == [*before[:-1], "停火", "協議"]
    assert doc.text == "烏克蘭同意簽署停火協議"


def test_a_border_between_tokens_splits_none(jieba_nlp: Language) -> None:
    doc = jieba_nlp("烏克蘭同意停火")
    before = [token.text for token in doc]
    split_tokens(doc, [3, 5])
    assert [token.text for token in doc] == before


def test_a_doc_of_words_with_spaces_keeps_its_text() -> None:
    doc = Doc(spacy.blank("zh").vocab, words=["Ukraine", "同意停火"], spaces=[True, False])
    split_tokens(doc, [3, 10])
    assert doc.text == "Ukraine 同意停火"
    assert [token.text for token in doc] == ["Ukr", "aine", "同意", "停火"]


@pytest.mark.parametrize("style", ["span", "ent"])
def test_displacy_renders(nlp: Language, gold: GoldArticle, style: str) -> None:
    doc = nlp(gold.article.text)
    if style == "span":
        html = displacy.render(doc, style="span", options={"spans_key": "clauses"}, jupyter=False)
    else:
        doc.ents = spacy.util.filter_spans(list(doc.spans["actors"]))
        html = displacy.render(doc, style="ent", jupyter=False)
    assert "沙" in html
    assert ("ceasefire" if style == "span" else "state") in html


@pytest.mark.parametrize("text", ["", "\n\n", "股市收高。", "\0兩國", "兩國 同意\t停火\r\n"])
def test_any_text_goes_through(nlp: Language, text: str) -> None:
    doc = nlp(text)
    assert doc.text == text
    assert set(doc.spans) == KEYS
    assert doc._.treaty.article.length == len(text)


def test_the_date_of_a_doc_goes_before_the_components_own(nlp: Language) -> None:
    doc = nlp.make_doc("兩國同意停火")
    doc.user_data["published"] = "2025-05-05"
    assert nlp(doc)._.treaty.article.published == "2025-05-05"


def test_a_stream_of_texts_keeps_its_order(nlp: Language, gold: GoldArticle) -> None:
    texts = ["股市收高。", gold.article.text, ""]
    assert [doc.text for doc in nlp.pipe(texts)] == texts


def test_spans_survive_bytes(jieba_nlp: Language, gold: GoldArticle) -> None:
    doc = jieba_nlp(gold.article.text)
    annotate(doc, gold.record)
    doc._.treaty = None  # a record is no JSON value; the spans are what travels
    again = Doc(jieba_nlp.vocab).from_bytes(doc.to_bytes())
    assert [s.text for s in again.spans["clauses"]] == [s.text for s in doc.spans["clauses"]]


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("烏克蘭停火協議 \n\t\u3000")))
def test_the_tokenizer_loses_nothing(jieba_nlp: Language, text: str) -> None:
    assert jieba_nlp.make_doc(text).text == text


def test_the_tokenizer_is_the_packages_own(jieba_nlp: Language) -> None:
    assert isinstance(jieba_nlp.tokenizer, SegmenterTokenizer)
    assert [token.text for token in jieba_nlp.make_doc("停火協議")] == ["停火協議"]


def test_component_and_library_give_the_same_record(nlp: Language, extractor: Extractor, gold: GoldArticle) -> None:
    record = extractor.extract(gold.article.text, published="2026-01-13", article_id="article")
    found = nlp(gold.article.text)._.treaty
    assert [p.name for p in found.proposals] == [p.name for p in record.proposals]
    assert found.article.sha256 == record.article.sha256


@pytest.mark.parametrize(
    ("group", "name", "target"),
    [
        ("spacy_factories", "treaty_clauses", spacy_component.create),
        ("spacy_tokenizers", "treaty_clauses.segmenter", spacy_component.create_tokenizer),
    ],
)
def test_spacy_finds_it_by_its_entry_points(group: str, name: str, target: object) -> None:
    try:
        points = distribution("treaty-clauses").entry_points
    except PackageNotFoundError:
        pytest.skip("the package is on the path, but not installed")
    (point,) = points.select(group=group, name=name)
    assert point.load() is target


def test_a_pipeline_with_our_tokenizer_is_saved_and_read_again(jieba_nlp: Language, tmp_path: Path) -> None:
    text = "俄烏同意停火九十天。"
    words = [token.text for token in jieba_nlp(text)]
    jieba_nlp.to_disk(tmp_path / "nlp")
    assert [token.text for token in spacy.load(tmp_path / "nlp")(text)] == words
    assert [token.text for token in jieba_nlp.from_bytes(jieba_nlp.to_bytes())(text)] == words
