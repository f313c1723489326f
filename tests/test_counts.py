from dataclasses import replace

import pytest

from scoring_cases import actor, one_clause, term
from treaty_clauses.counts import Confusion, Counts, Share, Tally, sum_counts
from treaty_clauses.labels import ClauseType, Modality, Role
from treaty_clauses.score import score_article

UKRAINE = actor("u", (0, 3), wikidata="Q212", name="烏克蘭")
CAP = term((3, 8), 600000)


def test_rates_are_none_where_they_are_undefined():
    assert (Tally().precision, Tally().recall, Tally().f1, Share().accuracy) == (None,) * 4
    assert (Tally(0, 0, 2).precision, Tally(0, 0, 2).recall, Tally(0, 0, 2).f1) == (None, 0.0, 0.0)
    assert Tally(1, 1, 3).f1 == pytest.approx(2 / 6)


def test_counts_add_field_by_field():
    counts = score_article(one_clause(UKRAINE, bearer=("u",), terms=(CAP,)), one_clause(UKRAINE, terms=(CAP,)))
    doubled = sum_counts([counts, counts, Counts()])
    assert doubled.articles == 2
    assert doubled.roles[Role.BEARER] == Tally(0, 0, 2)
    assert doubled.types == {ClauseType.CEASEFIRE: Tally(2, 0, 0)}
    assert doubled.type_confusion.total == 2
    assert replace(doubled, articles=1) != counts


@pytest.mark.parametrize(
    ("first", "second", "alpha"),
    [
        # The two worked examples with two coders in Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011).
        pytest.param("0100000010", "1110010000", 0.095, id="two labels"),
        pytest.param("aabbdcccedda", "babbbccceddd", 0.692, id="five labels"),
        pytest.param("aabb", "aabb", 1.0, id="agreement"),
    ],
)
def test_alpha_agrees_with_published_examples(first, second, alpha):
    labels = dict(zip("01abcde", ClauseType, strict=False))
    pairs = zip(map(labels.get, first), map(labels.get, second), strict=True)
    assert Confusion.of(pairs).alpha == pytest.approx(alpha, abs=0.0005)


def test_alpha_is_undefined_without_a_second_label():
    assert Confusion().alpha is None
    assert Confusion.of([(Modality.RIGHT, Modality.RIGHT)] * 5).alpha is None
