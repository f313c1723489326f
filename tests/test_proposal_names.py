import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from treaty_clauses.proposal_names import cluster_names, join_names, tell_apart, trust_names
from treaty_clauses.spans import as_array


@pytest.mark.parametrize(
    ("names", "groups"),
    [
        (["28點方案", "12點方案", "28點方案"], [0, 1, 0]),
        (["俄烏和平28點方案", "28點方案"], [0, 0]),
        (["28點方案", "俄烏和平28點方案"], [0, 0]),
        (["「六點方案」", "六點方案"], [0, 0]),
        (["明斯克協議", "停火協議", "伊斯坦堡停火協議"], [0, 1, 1]),
        (["甲方停火協議", "停火協議", "乙方停火協議"], [0, 1, 2]),
        (["伊斯坦堡停火草案", "伊斯坦堡停火"], [0, 0]),
        (["協議", "和平協議草案"], [0, 1]),
        ([], []),
    ],
    ids=["different", "end", "end first", "quotes", "one longer", "two longer", "beginning", "bare", "none"],
)
def test_names_of_one_proposal_are_one(names: list[str], groups: list[int]) -> None:
    text, spans = "", []
    for name in names:
        spans.append((len(text), len(text) + len(name)))
        text += name + "。"
    assert cluster_names(text, as_array(spans)).tolist() == groups


def same(count: int, **pairs: float) -> np.ndarray:
    """Probabilities below the diagonal; `m10` is that of the mentions 1 and 0."""
    table = np.zeros((count, count), np.float32)
    for name, value in pairs.items():
        table[int(name[1]), int(name[2])] = value
    return table


def free(count: int) -> np.ndarray:
    """No two namings have to be told apart."""
    return np.zeros((count, count), np.bool_)


def owners(*values: float) -> np.ndarray:
    return np.array([values], np.float32)


def test_names_that_the_network_takes_for_one_are_joined_with_what_belongs_to_them() -> None:
    entities, attribution = join_names(np.array([0, 1, 2]), same(3, m20=0.8), free(3), owners(0.3, 0.1, 0.4, 0.2), threshold=0.5)
    assert entities.tolist() == [0, 1, 0]
    np.testing.assert_allclose(attribution, [[0.7, 0.1, 0.2]], rtol=1e-6)


def test_all_namings_of_two_proposals_count() -> None:
    numbers = np.array([0, 0, 1])
    assert join_names(numbers, same(3, m20=0.9, m21=0.3), free(3), owners(1, 0, 0), threshold=0.5)[0].tolist() == [0, 0, 0]
    assert join_names(numbers, same(3, m20=0.9, m21=0.05), free(3), owners(1, 0, 0), threshold=0.5)[0].tolist() == [0, 0, 1]


def test_a_joined_proposal_is_joined_further_only_where_both_its_names_allow() -> None:
    alike = same(3, m10=0.9, m21=0.8, m20=0.0)
    assert join_names(np.arange(3), alike, free(3), owners(1, 0, 0, 0), threshold=0.5)[0].tolist() == [0, 0, 1]


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_proposals_stay_as_they_are(count: int) -> None:
    entities, attribution = join_names(
        np.arange(count), same(count), free(count), np.ones((2, count + 1), np.float32), threshold=0.0
    )
    assert entities.tolist() == list(range(count))
    assert attribution.shape == (2, count + 1)


@given(st.lists(st.floats(0, 1, width=32), min_size=15, max_size=15), st.floats(0, 1))
def test_joining_loses_no_probability(values: list[float], threshold: float) -> None:
    table = np.zeros((6, 6), np.float32)
    table[np.tril_indices(6, -1)] = values
    before = np.full((2, 7), 1 / 7, np.float32)
    entities, attribution = join_names(np.arange(6), table, free(6), before, threshold=threshold)
    assert attribution.shape == (2, entities.max() + 2)
    assert set(entities.tolist()) == set(range(entities.max() + 1))
    np.testing.assert_allclose(attribution.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(attribution[:, -1], 1 / 7, rtol=1e-6)


def test_what_must_be_told_apart_is_never_joined_not_even_through_a_third() -> None:
    apart = free(3)
    apart[0, 1] = apart[1, 0] = True
    alike = same(3, m10=1.0, m20=0.9, m21=0.8)
    entities, _ = join_names(np.arange(3), alike, apart, owners(1, 0, 0, 0), threshold=0.1)
    assert entities.tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("28點方案", "12點方案", True),
        ("俄烏和平28點方案", "二十八點計畫", False),
        ("28點方案", "和平計畫", False),
        ("第一次宣言", "第二次宣言", True),
        ("安理會第1701號決議", "第1559號決議", True),
        ("2005年協議", "1991年協議", True),
        ("統一方案", "28點方案", False),
        ("三方聲明", "十點聲明", False),
    ],
)
def test_numbers_tell_proposals_apart(first: str, second: str, *, expected: bool) -> None:
    text = first + second
    spans = as_array([(0, len(first)), (len(first), len(text))])
    assert tell_apart(text, spans).tolist() == [[False, expected], [expected, False]]


def test_without_names_nothing_is_told_apart() -> None:
    assert tell_apart("甲國", as_array([])).shape == (0, 0)


SHARES = np.array([[0.6, 0.3, 0.1], [0.0, 0.0, 1.0]], np.float32)


def test_a_plan_whose_naming_is_doubtful_loses_clauses_to_the_others() -> None:
    trusted = trust_names(SHARES, np.array([0, 1, 1]), np.array([0.1, 0.7, 0.8]), weight=2.0)
    assert trusted.argmax(axis=1).tolist() == [1, 2]
    assert trusted.sum(axis=1) == pytest.approx([1.0, 1.0])


def test_sure_namings_and_a_weight_of_zero_change_nothing() -> None:
    sure = trust_names(SHARES, np.array([0, 1]), np.array([1.0, 1.0]), weight=3.0)
    assert sure == pytest.approx(SHARES)
    assert trust_names(SHARES, np.array([0, 1]), np.array([0.1, 0.2]), weight=0.0) is SHARES


def test_without_named_proposals_or_clauses_nothing_is_weighed() -> None:
    none = np.zeros(0, np.int64)
    alone = np.ones((2, 1), np.float32)
    assert trust_names(alone, none, np.zeros(0), weight=1.0) is alone
    empty = np.zeros((0, 3), np.float32)
    assert trust_names(empty, np.array([0, 1]), np.ones(2), weight=1.0).shape == (0, 3)
