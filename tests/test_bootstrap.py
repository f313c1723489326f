from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring_cases import UNHURRIED, records_strategy
from treaty_clauses.bootstrap import Rate, estimate_rates
from treaty_clauses.counts import Counts, Share, Tally, iterate_tallies, sum_counts
from treaty_clauses.score import score_corpus

ARTICLES = [Counts(articles=1, clause=Tally(tp, 4 - tp, 1), anchor=Share(tp, 4)) for tp in (0, 1, 2, 3, 4, 4)]


@given(st.lists(st.tuples(records_strategy(), records_strategy()), max_size=4), st.randoms(use_true_random=False))
@settings(UNHURRIED, max_examples=30)
def test_rates_agree_with_the_counts_and_do_not_depend_on_the_order_of_articles(pairs, random):
    counts = score_corpus(pairs).articles
    rates = estimate_rates(counts, resamples=20, seed=0)
    assert estimate_rates(random.sample(counts, len(counts)), resamples=20, seed=0) == rates
    total = sum_counts(counts)
    for name, tally in iterate_tallies(total):
        derived = [rates[f"{name}.{kind}"].value for kind in ("precision", "recall", "f1")]
        assert derived == [tally.precision, tally.recall, tally.f1]
    for name, share in total.shares.items():
        assert rates[f"{name}.accuracy"].value == share.accuracy
    for name, confusion in total.confusions.items():
        expected = confusion.alpha
        assert rates[f"{name}.alpha"].value == (expected if expected is None else pytest.approx(expected))


def test_intervals_agree_with_resampling_articles_one_by_one():
    articles = ARTICLES * 6
    rate = estimate_rates(articles, resamples=4000, seed=1)["clause.f1"]
    random = Random(2)
    tallies = [item.clause for item in articles]
    values = [sum(random.choices(tallies, k=len(tallies)), Tally()).f1 for _ in range(4000)]
    low, high = np.quantile(values, [0.025, 0.975])
    assert rate.value == sum_counts(articles).clause.f1
    assert (rate.low, rate.high) == (pytest.approx(low, abs=0.015), pytest.approx(high, abs=0.015))


def test_a_seed_gives_the_same_interval_again_and_another_seed_another():
    first, again, other = (estimate_rates(ARTICLES, resamples=50, seed=seed) for seed in (3, 3, 4))
    assert first == again
    assert first["clause.f1"] != other["clause.f1"]


def test_drawing_in_chunks_changes_nothing(monkeypatch):
    whole = estimate_rates(ARTICLES, resamples=50, seed=3)
    monkeypatch.setattr("treaty_clauses.bootstrap._WEIGHTS_AT_ONCE", 7 * len(ARTICLES))
    assert estimate_rates(ARTICLES, resamples=50, seed=3) == whole


@pytest.mark.parametrize(
    ("counts", "resamples", "rate"),
    [
        pytest.param([], 100, Rate(None, None, None, 0), id="no article"),
        pytest.param(ARTICLES[4:5], 100, Rate(8 / 9, None, None, 0), id="a single article"),
        pytest.param(ARTICLES[4:], 0, Rate(8 / 9, None, None, 0), id="no resamples"),
        pytest.param([Counts(articles=1)] * 3, 100, Rate(None, None, None, 0), id="never defined"),
    ],
)
def test_there_is_no_interval_without_a_sample(counts, resamples, rate):
    assert estimate_rates(counts, resamples=resamples, seed=0)["clause.f1"] == rate


def test_resamples_in_which_a_rate_is_undefined_are_left_out_and_told():
    rate = estimate_rates([ARTICLES[1], Counts(articles=1)], resamples=400, seed=0)["anchor.accuracy"]
    assert (rate.value, rate.low, rate.high) == (0.25, 0.25, 0.25)
    assert 250 < rate.resamples < 350  # both draws miss the first article in a quarter of the resamples
