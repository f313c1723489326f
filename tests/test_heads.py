import numpy as np
import pytest
import torch

from treaty_clauses import heads as heads_module
from treaty_clauses.decode import TAGS
from treaty_clauses.grams import span_bags
from treaty_clauses.heads import BagClassifier, Heads, HeadsConfig, PairScorer
from treaty_clauses.labels import ClauseType, Role
from treaty_clauses.links import CHANNELS, CLASSIFIERS, LINKS, link_inputs
from treaty_clauses.segment import Segmenter, boundary_ids
from treaty_clauses.spans import FEATURE_SIZES, Discourse, Layer, Pairs, SpanSet, as_array
from treaty_clauses.words import WordTable, spell

HIDDEN = 8
NO_BAGS = span_bags("", np.zeros(0, np.uint8), np.zeros(0, np.uint16), np.zeros((0, 2), np.int64))


@pytest.fixture(scope="module")
def heads() -> Heads:
    torch.manual_seed(3)
    config = HeadsConfig(span_size=12, pair_size=6, document_layers=1, document_heads=2)
    return Heads(HIDDEN, config).eval()


def spans_with(**layers: list[tuple[int, int]]) -> SpanSet:
    table = {layer: as_array(layers.get(layer.value, [])) for layer in Layer}
    return SpanSet(
        table,
        actor_entities=np.arange(len(table[Layer.ACTOR])),
        proposal_entities=np.zeros(len(table[Layer.PROPOSAL]), np.int64),
    )


def read(length: int) -> torch.Tensor:
    return torch.randn(length, HIDDEN, generator=torch.Generator().manual_seed(length))


def no_words(length: int) -> torch.Tensor:
    return torch.zeros(length, 0)


def test_tags_are_log_probabilities(heads: Heads) -> None:
    tags = heads.tag(read(7))
    assert tags.shape == (7, len(Layer), TAGS)
    assert torch.allclose(tags.exp().sum(-1), torch.ones(7, len(Layer)), atol=1e-5)


def test_shapes_follow_the_spans(heads: Heads) -> None:
    spans = spans_with(clause=[(0, 4), (5, 9)], actor=[(0, 1), (5, 6), (10, 11)], proposal=[(10, 12), (14, 15)])
    described = heads.describe(read(16), spans, no_words(16), NO_BAGS)
    assert {layer: len(vectors) for layer, vectors in described.vectors.items()} == {
        layer: spans.count(layer) for layer in Layer
    }
    assert described.labels["clause_type"].shape == (2, len(ClauseType))
    assert described.unnamed.shape == (2, CHANNELS["attribution"])
    links = heads.link(described, link_inputs(spans, Discourse.of("字" * 16)))
    assert links["roles"].shape == (2, 3, len(Role))
    assert links["attribution"].shape == (2, 2, 1), "one proposal, and none with a name"
    assert links["proposers"].shape == (2, 3, 1)
    assert links["conditions"].shape == (2, 0, 1)
    assert links["same_norm"].shape == (2, 2, 1)
    assert links["same_proposal"].shape == (2, 2, 1)


@pytest.mark.parametrize("length", [0, 5])
def test_an_article_without_spans_goes_through(heads: Heads, length: int) -> None:
    spans = spans_with()
    assert heads.tag(read(length)).shape == (length, len(Layer), TAGS)
    described = heads.describe(read(length), spans, no_words(length), NO_BAGS)
    assert all(described.labels[name].shape == (0, size) for name, (_, size) in CLASSIFIERS.items())
    links = heads.link(described, link_inputs(spans, Discourse.of("字" * length)))
    columns = {"attribution": 1}
    assert all(links[name].shape == (0, columns.get(name, 0), size) for name, (_, _, size) in LINKS.items())


def test_entities_without_candidates_are_out_of_reach() -> None:
    scorer = PairScorer(4, 4, 2, 0.0).eval()
    one = np.zeros(1, np.int64)
    pairs = Pairs((1, 2), one, one + 1, one, one, np.zeros((1, len(FEATURE_SIZES)), np.int32))
    scores = scorer(torch.randn(1, 4), torch.randn(1, 4), pairs)
    assert scores.shape == (1, 2, 2)
    assert (scores[0, 0] < -1e3).all()
    assert (scores[0, 1] > -1e2).all()
    assert (scores.sigmoid()[0, 0] == 0).all()


@pytest.mark.parametrize("at_once", [1, 7])
def test_how_many_pairs_are_scored_at_once_makes_no_difference(
    heads: Heads, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    spans = spans_with(clause=[(0, 4), (5, 9), (12, 14)], actor=[(0, 1), (5, 6), (10, 11)], condition=[(14, 16)])
    described, inputs = heads.describe(read(16), spans, no_words(16), NO_BAGS), link_inputs(spans, Discourse.of("字" * 16))
    expected = heads.link(described, inputs)
    monkeypatch.setattr(heads_module, "_PAIRS_AT_ONCE", at_once)
    for name, scores in heads.link(described, inputs).items():
        assert torch.allclose(scores, expected[name], atol=1e-5), name


def test_a_span_vector_sees_nothing_of_the_characters_outside_but_their_spans(heads: Heads) -> None:
    hidden = read(12)
    other = hidden.clone()
    other[8:] = 0
    spans = spans_with(clause=[(1, 6)])
    first = heads.describe(hidden, spans, no_words(len(hidden)), NO_BAGS).labels["clause_type"]
    assert torch.allclose(first, heads.describe(other, spans, no_words(len(other)), NO_BAGS).labels["clause_type"], atol=1e-5)


def test_extreme_states_stay_finite(heads: Heads) -> None:
    hidden = read(9) * 1e4
    described = heads.describe(hidden, spans_with(clause=[(0, 1), (1, 9)], actor=[(8, 9)]), no_words(len(hidden)), NO_BAGS)
    assert all(torch.isfinite(labels).all() for labels in described.labels.values())


def test_long_articles_pool_their_last_spans_exactly(heads: Heads) -> None:
    tail = read(10)
    spans = spans_with(clause=[(2, 9)])
    moved = spans_with(clause=[(50_002, 50_009)])
    near = heads._span_vectors(tail, spans, no_words(len(tail)))[Layer.CLAUSE]
    far = heads._span_vectors(torch.cat([read(50_000), tail]), moved, no_words(50_010))[Layer.CLAUSE]
    assert torch.allclose(near, far, atol=1e-4)


def test_labels_follow_the_words_of_a_span_and_beside_it() -> None:
    """With the states held still, other word vectors near the span change its labels; far ones do not."""
    torch.manual_seed(4)
    config = HeadsConfig(span_size=12, pair_size=6, document_layers=1, document_heads=2)
    heads = Heads(HIDDEN, config, word_size=5).eval()
    hidden, words = torch.randn(200, HIDDEN), torch.randn(200, 5)
    spans = spans_with(clause=[(100, 110)])
    first = heads.describe(hidden, spans, words, NO_BAGS).labels["clause_type"]
    for place, moves in ((105, True), (95, True), (115, True), (10, False), (199, False)):
        other = words.clone()
        other[place] += 20.0
        same = torch.allclose(first, heads.describe(hidden, spans, other, NO_BAGS).labels["clause_type"], atol=1e-4)
        assert same is not moves


def test_votes_follow_the_words_inside_and_beside_a_span(segmenter: Segmenter) -> None:
    """A bag-of-words classifier tells spans apart by their words, wherever they stand in the span."""
    text = "甲國軍隊撤出邊境。乙國釋放全部戰俘。"
    table = WordTable([spell("撤出"), spell("釋放"), spell("軍隊")])
    words = list(segmenter.spans(text))
    rows = table.rows(text, words)
    spans = as_array([(0, 8), (9, 17), (9, 17)])
    bags = span_bags(text, boundary_ids(words), rows, spans)
    torch.manual_seed(5)
    classifier = BagClassifier(4)
    torch.nn.init.normal_(classifier.inside.weight)
    votes = classifier(bags)
    assert votes.shape == (3, 4)
    assert not torch.allclose(votes[0], votes[1])
    assert torch.allclose(votes[1], votes[2])
    torch.nn.init.zeros_(classifier.inside.weight)
    torch.nn.init.normal_(classifier.beside.weight)
    votes = classifier(bags)
    assert not torch.allclose(votes[0], votes[1])
