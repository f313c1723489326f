import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from treaty_clauses.spans import (
    CANDIDATES,
    FEATURE_SIZES,
    Discourse,
    Layer,
    SpanSet,
    as_array,
    pair_up,
)

TEXT = "甲國提案。乙國撤軍！\n丙國同意，甲國也同意。乙國離開"
ORDER, DISTANCE, SENTENCES, PARAGRAPHS, BETWEEN, NAMED, FIRST, OPENS, DEPTH, RANK = range(len(FEATURE_SIZES))


def find(*forms: str) -> np.ndarray:
    """Spans of the forms, each from where the last one ended."""
    spans, position = [], 0
    for form in forms:
        start = TEXT.index(form, position)
        spans.append((start, start + len(form)))
        position = start + len(form)
    return as_array(spans)


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def test_discourse_counts_sentences_and_paragraphs() -> None:
    discourse = Discourse.of(TEXT)
    assert [discourse.sentence[TEXT.index(c)] for c in "提撤丙離"] == [0, 1, 3, 4]
    assert [discourse.paragraph[TEXT.index(c)] for c in "提撤丙離"] == [0, 0, 1, 1]
    assert discourse.sentence_start[TEXT.index("離")] == TEXT.index("離") - 2
    assert discourse.sentence.shape == (len(TEXT) + 1,)


@given(st.text("甲。\n！字", max_size=40))
def test_discourse_numbers_never_go_back(text: str) -> None:
    discourse = Discourse.of(text)
    assert (np.diff(discourse.sentence) >= 0).all()
    assert (np.diff(discourse.paragraph) >= 0).all()
    assert discourse.paragraph[-1] == text.count("\n")
    assert (discourse.sentence_start <= np.arange(len(text) + 1)).all()


def test_candidates_are_the_mentions_around_the_source() -> None:
    targets = find("甲國", "乙國", "丙國", "甲國", "乙國")
    pairs = pair_up(find("丙國同意"), targets, ints(0, 1, 2, 0, 1), Discourse.of(TEXT))
    assert pairs.candidates.shape == (1, 3, CANDIDATES)
    assert [sorted(set(row.tolist()) - {-1}) for row in pairs.candidates[0]] == [[0, 3], [1, 4], [2]]


def test_of_many_mentions_the_nearest_and_the_first_are_taken() -> None:
    targets = as_array([(i, i + 1) for i in range(0, 100, 5)])
    pairs = pair_up(as_array([(50, 62)]), targets, np.zeros(20, np.int64), Discourse.of("字" * 100))
    assert pairs.candidates[0, 0].tolist() == [0, 9, 10, 11, 13]


def test_features_tell_where_a_mention_stands() -> None:
    targets = find("甲國", "乙國", "丙國", "甲國", "乙國")
    pairs = pair_up(find("同意"), targets, ints(0, 1, 2, 0, 1), Discourse.of(TEXT))
    by_mention = {
        int(mention): pairs.features[0, entity, slot]
        for entity in range(3)
        for slot, mention in enumerate(pairs.candidates[0, entity])
        if mention >= 0
    }
    assert [by_mention[i][ORDER] for i in range(5)] == [1, 1, 1, 2, 2]
    assert [by_mention[i][PARAGRAPHS] for i in range(5)] == [4, 4, 5, 5, 5]
    assert [by_mention[i][SENTENCES] for i in range(5)] == [2, 3, 5, 5, 6]
    assert [by_mention[i][BETWEEN] for i in range(5)] == [2, 1, 0, 0, 1]
    assert [by_mention[i][FIRST] for i in range(5)] == [1, 1, 1, 0, 0]
    assert [by_mention[i][OPENS] for i in range(5)] == [1, 1, 1, 0, 1]
    assert by_mention[2][DISTANCE] < by_mention[3][DISTANCE] < by_mention[4][DISTANCE]
    assert all(by_mention[i][DEPTH] == 0 for i in range(5))


def test_features_tell_how_deep_in_the_source_a_mention_lies() -> None:
    targets = find("甲國", "乙國", "丙國", "甲國", "乙國")
    pairs = pair_up(find("丙國同意，甲國也同意"), targets, np.arange(5), Discourse.of(TEXT))
    features = pairs.features[0, :, 0]
    assert features[:, ORDER].tolist() == [1, 1, 0, 0, 2]
    assert features[:, DEPTH].tolist() == [0, 0, 3, 2, 0]
    assert features[:, DISTANCE].tolist()[2:4] == [0, 0]


def test_mentions_out_of_reach_are_no_candidates() -> None:
    targets = as_array([(0, 2), (90, 92)])
    pairs = pair_up(as_array([(80, 85)]), targets, ints(0, 1), Discourse.of("字" * 100), reach_chars=10)
    assert (pairs.candidates[0, 0] == -1).all()
    assert pairs.candidates[0, 1, 0] == 1


@pytest.mark.parametrize(("sources", "targets"), [(0, 2), (2, 0), (0, 0)])
def test_no_span_on_one_side_gives_empty_pairs(sources: int, targets: int) -> None:
    spans = as_array([(i, i + 1) for i in range(2)])
    pairs = pair_up(spans[:sources], spans[:targets], np.arange(targets), Discourse.of("字字"))
    assert pairs.candidates.shape == (sources, targets, CANDIDATES)
    assert pairs.features.shape == (sources, targets, CANDIDATES, len(FEATURE_SIZES))


@st.composite
def span_lists(draw: st.DrawFn) -> np.ndarray:
    borders = sorted(draw(st.sets(st.integers(0, 60), max_size=16)))
    return as_array(list(zip(borders[::2], borders[1::2], strict=False)))


@given(span_lists(), span_lists(), st.data())
def test_features_stay_within_their_sizes(sources: np.ndarray, targets: np.ndarray, data: st.DataObject) -> None:
    entities = [0] if len(targets) else []
    for _ in range(len(targets) - 1):
        entities.append(data.draw(st.integers(0, max(entities) + 1)))
    text = data.draw(st.text("字。\n", min_size=60, max_size=60))
    pairs = pair_up(sources, targets, np.array(entities, np.int64), Discourse.of(text))
    for number, size in enumerate(FEATURE_SIZES):
        values = pairs.features[..., number]
        assert ((values >= 0) & (values < size)).all(), f"feature {number}"
    named = pairs.candidates[pairs.candidates >= 0]
    assert (named < len(targets)).all()
    for row, entity in np.ndindex(pairs.candidates.shape[:2]):
        chosen = pairs.candidates[row, entity]
        assert all(entities[mention] == entity for mention in chosen[chosen >= 0])
        assert chosen[0] >= 0, "an entity always has a candidate when nothing limits the reach"


def test_a_span_set_counts_its_layers() -> None:
    spans = SpanSet({layer: as_array([]) for layer in Layer} | {Layer.TERM: as_array([(1, 2), (3, 4)])})
    assert spans.count(Layer.TERM) == 2
    assert spans.count(Layer.CLAUSE) == 0
    assert spans.layers[Layer.CLAUSE].shape == (0, 2)
