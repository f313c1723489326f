import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from treaty_clauses.grams import BUCKETS, gram_buckets, span_bags
from treaty_clauses.segment import Segmenter, boundary_ids
from treaty_clauses.words import WordTable, spell


def grams_of(text: str) -> np.ndarray:
    length = len(text)
    return gram_buckets(text, np.zeros(length, np.uint8), np.zeros(length, np.uint16))


def test_the_same_characters_fall_into_the_same_bucket_in_either_script() -> None:
    first, second = grams_of("他說撤軍期限"), grams_of("撤军")
    assert first[2, :2].tolist() == second[0, :2].tolist()
    assert first[2, 2] != -1
    assert second[0, 2] == -1


def test_buckets_are_in_range_and_spread() -> None:
    text = "".join(chr(code) for code in range(0x4E00, 0x4E00 + 5000))
    grams = grams_of(text)
    assert grams.min() >= -1
    assert grams.max() < BUCKETS
    assert len(np.unique(grams[:4990, 1])) > 4000


def test_a_known_word_has_a_bucket_of_its_own_where_it_begins(segmenter: Segmenter) -> None:
    text = "兩國停火"
    words = list(segmenter.spans(text))
    rows = WordTable([spell("停火")]).rows(text, words)
    column = gram_buckets(text, boundary_ids(words), rows)[:, 3]
    assert column[2] != -1
    assert (np.delete(column, 2) == -1).all()


@given(st.text(max_size=40), st.lists(st.tuples(st.integers(0, 39), st.integers(1, 10)), max_size=5))
def test_bags_hold_what_lies_inside(text: str, places: list[tuple[int, int]]) -> None:
    spans = [(s, min(len(text), s + n)) for s, n in places if s < len(text)]
    array = np.array(spans, np.int64).reshape(-1, 2)
    length = len(text)
    bags = span_bags(text, np.zeros(length, np.uint8), np.zeros(length, np.uint16), array)
    assert len(bags.inside.starts) == len(spans)
    sizes = np.diff(np.append(bags.inside.starts, len(bags.inside.buckets)))
    assert sizes.tolist() == [sum(max(0, e - s - n) for n in range(3)) for s, e in spans]
    squares = np.add.reduceat(bags.inside.weights() ** 2, bags.inside.starts) if spans else np.zeros(0)
    assert np.allclose(squares, 1, atol=1e-4)


def test_no_spans_no_bags() -> None:
    bags = span_bags("停火", np.zeros(2, np.uint8), np.zeros(2, np.uint16), np.zeros((0, 2), np.int64))
    assert len(bags.inside.buckets) == len(bags.beside.starts) == 0
