import numpy as np
import pytest

from treaty_clauses.encode import ArticleEncoder
from treaty_clauses.labels import ActorKind, TermRole
from treaty_clauses.spans import Layer, SpanSet, as_array
from treaty_clauses.training.gold import UNKNOWN_LINK, Example, GoldArticle, make_example
from treaty_clauses.training.predicted import NOBODY, Owned, disjoint, mix_spans

TEXT = "甲國與乙國締約，丙國不滿。甲國將撤軍，協定生效"
GOLD: dict[Layer, list[Owned]] = {
    Layer.CLAUSE: [(13, 18, 0)],
    Layer.CONDITION: [],
    Layer.ACTOR: [(0, 2, 0), (3, 5, 1)],
    Layer.TERM: [],
    Layer.PROPOSAL: [],
    Layer.ANCHOR: [],
}


def found(**layers: list[tuple[int, int]]) -> SpanSet:
    return SpanSet({layer: as_array(layers.get(layer.value, [])) for layer in Layer})


def mixed(seed: int = 0, **layers: list[tuple[int, int]]) -> dict[Layer, list[Owned]]:
    return mix_spans(TEXT, GOLD, found(**layers), np.random.default_rng(seed))


def test_spurious_spans_belong_to_nobody() -> None:
    table = mixed(actor=[(8, 10)], proposal=[(19, 21)])
    assert table[Layer.ACTOR] == [(0, 2, 0), (3, 5, 1), (8, 10, NOBODY)]
    assert table[Layer.PROPOSAL] == [(19, 21, NOBODY)]


def test_spurious_actors_with_the_same_words_are_one_and_overlooked_ones_are_left_out() -> None:
    table = mixed(actor=[(5, 7), (8, 10), (13, 15)])  # the last is 甲國 again
    assert [owner for _, _, owner in table[Layer.ACTOR]] == [0, 1, NOBODY, NOBODY - 1]


def test_a_spurious_clause_has_no_labels_and_is_left_out() -> None:
    assert mixed(clause=[(0, 7)])[Layer.CLAUSE] == GOLD[Layer.CLAUSE]


def test_borders_are_the_gold_ones_or_the_found_ones() -> None:
    drawn = {mixed(seed, clause=[(15, 18)])[Layer.CLAUSE][0] for seed in range(20)}
    assert drawn == {(13, 18, 0), (15, 18, 0)}


def test_a_span_that_overlaps_little_or_two_gold_spans_changes_no_border() -> None:
    for seed in range(10):
        assert mixed(seed, clause=[(17, 21)])[Layer.CLAUSE] == GOLD[Layer.CLAUSE]
        assert mixed(seed, actor=[(0, 5)])[Layer.ACTOR] == GOLD[Layer.ACTOR]


def test_two_spans_within_one_gold_span_change_no_border() -> None:
    for seed in range(10):
        assert mixed(seed, clause=[(13, 16), (16, 18)])[Layer.CLAUSE] == GOLD[Layer.CLAUSE]


def test_disjoint_keeps_the_longer_of_two() -> None:
    assert disjoint([(2, 4, 0), (3, 9, 1), (10, 11, 2)]) == [(3, 9, 1), (10, 11, 2)]


def test_what_the_network_found_changes_no_target_of_the_gold(
    example: Example, gold: GoldArticle, article_encoder: ArticleEncoder
) -> None:
    again = make_example(gold, example.encoded, predicted=example.spans, rng=np.random.default_rng(1))
    np.testing.assert_array_equal(again.targets.tags, example.targets.tags)
    np.testing.assert_array_equal(again.targets.roles, example.targets.roles)
    np.testing.assert_array_equal(again.targets.conditions, example.targets.conditions)


def test_found_spans_need_a_generator(example: Example, gold: GoldArticle) -> None:
    with pytest.raises(ValueError, match="rng"):
        make_example(gold, example.encoded, predicted=example.spans)


def test_spurious_spans_become_candidates_that_are_wrong(example: Example, gold: GoldArticle) -> None:
    text = gold.article.text
    start = text.index("本報訊")
    spurious = as_array([(start, start + 3)])
    predicted = SpanSet(
        {layer: spurious if layer not in (Layer.CLAUSE, Layer.ANCHOR) else as_array([]) for layer in Layer}
    )
    mixed_example = make_example(gold, example.encoded, predicted=predicted, rng=np.random.default_rng(0))
    targets, before = mixed_example.targets, example.targets
    np.testing.assert_array_equal(targets.tags, before.tags)
    assert targets.roles.shape[1] == before.roles.shape[1] + 1
    assert targets.roles.sum() == before.roles.sum()
    assert targets.attribution.shape[1] == before.attribution.shape[1] + 1
    assert targets.attribution.sum() == before.attribution.sum()
    row = int(np.flatnonzero(mixed_example.spans.layers[Layer.PROPOSAL][:, 0] == start)[0])
    assert (targets.proposers[row] == UNKNOWN_LINK).all()
    assert (targets.same_proposal[row] == UNKNOWN_LINK).all()
    assert (targets.same_proposal[:, row] == UNKNOWN_LINK).all()
    kinds, roles = targets.labels["kind"], targets.labels["term_role"]
    assert (kinds == -100).sum() == 1
    assert kinds.max() < len(ActorKind)
    assert (roles == -100).sum() == 1
    assert roles.max() < len(TermRole)
