from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as stn

from treaty_clauses.decode import (
    BEGIN,
    END,
    INSIDE,
    OUTSIDE,
    SINGLE,
    TAGS,
    best_tags,
    decode_spans,
    spans_of,
    tags_of,
)
from treaty_clauses.spans import Layer, as_array

_FOLLOWS = {
    OUTSIDE: (OUTSIDE, BEGIN, SINGLE),
    BEGIN: (INSIDE, END),
    INSIDE: (INSIDE, END),
    END: (OUTSIDE, BEGIN, SINGLE),
    SINGLE: (OUTSIDE, BEGIN, SINGLE),
}


def is_legal(tags: tuple[int, ...]) -> bool:
    closed = not tags or (tags[0] in (OUTSIDE, BEGIN, SINGLE) and tags[-1] in (OUTSIDE, END, SINGLE))
    return closed and all(after in _FOLLOWS[before] for before, after in pairwise(tags))


@st.composite
def disjoint_spans(draw: st.DrawFn) -> tuple[list[tuple[int, int]], int]:
    length = draw(st.integers(0, 30))
    lengths = draw(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 5)), max_size=8))
    spans, position = [], 0
    for gap, size in lengths:
        if position + gap + size <= length:
            spans.append((position + gap, position + gap + size))
            position += gap + size
    return spans, length


scores = stn.arrays(
    np.float32,
    st.tuples(st.integers(1, 5), st.integers(1, 2), st.just(TAGS)),
    elements=st.floats(-9, 0, width=32),
)


@given(disjoint_spans())
def test_tags_spell_the_spans_they_were_made_of(drawn: tuple[list[tuple[int, int]], int]) -> None:
    spans, length = drawn
    tags = tags_of(as_array(spans), length)
    assert is_legal(tuple(tags.tolist()))
    assert spans_of(tags) == spans


@given(disjoint_spans())
def test_decoding_gives_back_encoded_labels(drawn: tuple[list[tuple[int, int]], int]) -> None:
    spans, length = drawn
    tags = tags_of(as_array(spans), length)
    certain = np.where(np.arange(TAGS) == tags[:, None, None], 0.0, -20.0).astype(np.float32)
    decoded = decode_spans(np.repeat(certain, len(Layer), axis=1))
    for layer in Layer:
        assert decoded.layers[layer].tolist() == [list(span) for span in spans]
        assert decoded.scores[layer] == pytest.approx(np.ones(len(spans)))


def test_overlapping_spans_have_no_tags() -> None:
    with pytest.raises(ValueError, match=r"span \[2, 4\) overlaps"):
        tags_of(as_array([(0, 3), (2, 4)]), 5)


@settings(deadline=None, max_examples=40)
@given(scores)
def test_the_best_tags_are_the_best_of_all_legal_ones(drawn: np.ndarray) -> None:
    found = best_tags(drawn)
    length, layers, _ = drawn.shape
    legal = [tags for tags in product(range(TAGS), repeat=length) if is_legal(tags)]
    for layer in range(layers):
        totals = [sum(float(drawn[i, layer, tag]) for i, tag in enumerate(tags)) for tags in legal]
        total = sum(float(drawn[i, layer, tag]) for i, tag in enumerate(found[:, layer].tolist()))
        assert total == pytest.approx(max(totals), abs=1e-4)


@settings(deadline=None)
@given(stn.arrays(np.float32, (40, 2, TAGS), elements=st.floats(-50, 0, width=32)))
def test_tags_are_always_legal(drawn: np.ndarray) -> None:
    tags = best_tags(drawn)
    assert all(is_legal(tuple(tags[:, layer].tolist())) for layer in range(2))


def test_layers_do_not_touch_one_another() -> None:
    rng = np.random.default_rng(3)
    drawn = rng.normal(size=(12, 3, TAGS)).astype(np.float32)
    alone = [best_tags(drawn[:, [layer]])[:, 0] for layer in range(3)]
    assert (best_tags(drawn) == np.stack(alone, axis=1)).all()


def test_an_empty_text_has_no_spans() -> None:
    decoded = decode_spans(np.zeros((0, len(Layer), TAGS), np.float32))
    assert all(decoded.layers[layer].shape == (0, 2) for layer in Layer)


def test_a_span_scores_the_geometric_mean_of_its_tags() -> None:
    probabilities = np.full((3, len(Layer), TAGS), 1e-6, np.float32)
    probabilities[:, :, OUTSIDE] = 1.0
    number = list(Layer).index(Layer.TERM)
    probabilities[0, number] = [0.1, 0.9, 1e-6, 1e-6, 1e-6]
    probabilities[1, number] = [0.6, 1e-6, 1e-6, 0.4, 1e-6]
    decoded = decode_spans(np.log(probabilities))
    assert decoded.layers[Layer.TERM].tolist() == [[0, 2]]
    assert decoded.scores[Layer.TERM][0] == pytest.approx((0.9 * 0.4) ** 0.5, rel=1e-4)


def test_a_bias_finds_more_spans_of_its_layer_alone_and_leaves_the_scores() -> None:
    rng = np.random.default_rng(5)
    logits = rng.normal(size=(200, len(Layer), TAGS))
    logits[..., OUTSIDE] += 2
    drawn = (logits - np.log(np.exp(logits).sum(-1, keepdims=True))).astype(np.float32)
    plain = decode_spans(drawn)
    biased = decode_spans(drawn, bias={Layer.TERM: 1.5})
    assert biased.count(Layer.TERM) > plain.count(Layer.TERM)
    assert biased.layers[Layer.ACTOR].tolist() == plain.layers[Layer.ACTOR].tolist()
    assert ((biased.scores[Layer.TERM] > 0) & (biased.scores[Layer.TERM] <= 1)).all()
    assert plain.layers[Layer.CLAUSE].tolist() == decode_spans(drawn).layers[Layer.CLAUSE].tolist()
