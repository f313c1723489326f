from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring_cases import UNHURRIED, chars_strategy
from treaty_clauses.matching import Edge, count_overlap, match_best, match_spans, reaches_iou


def find_best_by_force(weights: dict[Edge, tuple[int, ...]], length: int) -> tuple[int, ...]:
    """The greatest summed weights over every one-to-one matching, by trying them all."""
    rows = sorted({edge[0] for edge in weights})
    columns: list[int | None] = sorted({edge[1] for edge in weights})
    best = (0,) * length
    for chosen in permutations(columns + [None] * len(rows), len(rows)):
        picked = [weights[pair] for pair in zip(rows, chosen, strict=True) if pair in weights]
        best = max(best, tuple(map(sum, zip(*picked, strict=True))) if picked else best)
    return best


weights_strategy = st.dictionaries(
    st.tuples(st.integers(0, 3), st.integers(0, 3)),
    st.tuples(st.integers(1, 4), st.integers(0, 3), st.integers(0, 3)),
    max_size=9,
)


@given(weights_strategy)
@UNHURRIED
def test_the_matching_is_as_heavy_as_brute_force_finds_and_one_to_one(weights):
    pairs = match_best(weights)
    summed = tuple(map(sum, zip(*(weights[pair] for pair in pairs), strict=True))) if pairs else (0, 0, 0)
    assert summed == find_best_by_force(weights, 3)
    assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs)


@given(st.lists(chars_strategy, max_size=4), st.lists(chars_strategy, max_size=4))
@UNHURRIED
def test_matched_spans_have_the_total_overlap_that_brute_force_finds(gold, predicted):
    overlaps = {
        (i, j): (count_overlap(one, other),)
        for i, one in enumerate(gold)
        for j, other in enumerate(predicted)
        if reaches_iou(one, other)
    }
    pairs = match_spans(gold, predicted)
    assert set(pairs) <= overlaps.keys()
    assert (sum(overlaps[pair][0] for pair in pairs),) == find_best_by_force(overlaps, 1)


@given(chars_strategy, chars_strategy)
@UNHURRIED
def test_iou_is_compared_as_the_sets_of_characters_would_be(left, right):
    shared, union = set(range(*left)) & set(range(*right)), set(range(*left)) | set(range(*right))
    assert reaches_iou(left, right) == (2 * len(shared) >= len(union))
    assert reaches_iou(left, right, min_iou=(0, 1)) == bool(shared)


def test_a_greedy_choice_is_avoided_where_it_costs_overlap():
    # Greedy takes the overlap of 9 first and leaves 5 to nothing; together 8 + 9 overlap more.
    assert match_best({(0, 0): (9,), (0, 1): (8,), (1, 0): (9,)}) == [(0, 1), (1, 0)]


@pytest.mark.parametrize(
    ("gold", "predicted", "pairs"),
    [
        pytest.param([(0, 10)], [(0, 5)], [(0, 0)], id="exactly half"),
        pytest.param([(0, 10)], [(1, 5)], [], id="below half"),
        pytest.param([(0, 10)], [(10, 20)], [], id="touching borders share nothing"),
        pytest.param([(0, 10)], [(0, 12), (0, 10)], [(0, 1)], id="equal overlap: the closer one"),
        pytest.param([(5, 5)], [(5, 5)], [], id="empty stretches"),
        pytest.param([(0, 4), (0, 4)], [(0, 4)], [(0, 0)], id="duplicates compete"),
    ],
)
def test_spans_are_paired(gold, predicted, pairs):
    assert match_spans(gold, predicted) == pairs


def test_agreement_breaks_a_tie_but_never_outweighs_overlap():
    prefer_last = {"agreement": lambda _, j: 50 * j}
    assert match_spans([(0, 10)], [(0, 10), (0, 10)], **prefer_last) == [(0, 1)]
    assert match_spans([(0, 10)], [(0, 10), (0, 9)], **prefer_last) == [(0, 0)]


def test_pairs_that_are_not_allowed_are_never_chosen():
    assert match_spans([(0, 10)], [(0, 10), (0, 9)], allowed=lambda _, j: j == 1) == [(0, 1)]


@given(st.randoms(use_true_random=False))
@settings(UNHURRIED, max_examples=20)
def test_a_component_too_large_for_exact_tie_breakers_is_matched_by_overlap(random):
    size = 150
    overlaps = {(i, j): random.randint(1, 2**40) for i in range(size) for j in range(max(0, i - 1), i + 1)}
    pairs = match_best({edge: (overlap, 999, 7) for edge, overlap in overlaps.items()})
    # On a ladder, each row takes its own column or the one before: a dynamic program over "is column i - 1 free".
    free, taken = 0, -1
    for i in range(size):
        before = overlaps.get((i, i - 1), 0) if i else 0
        best = max(free, taken)
        free, taken = max(best, free + before), best + overlaps[i, i]
    assert sum(overlaps[pair] for pair in pairs) == max(free, taken)
