import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from treaty_clauses.bearers import COUNTS, choose_bearers
from treaty_clauses.heads import HeadsConfig
from treaty_clauses.links import CLASSIFIERS, COUNTED
from treaty_clauses.training.bearer_counts import fit_bearer_counts

probabilities = st.lists(st.floats(0, 1), max_size=7)


def sure(count: int) -> np.ndarray:
    return np.where(np.arange(COUNTS) == count, 0.96, 0.01)


@pytest.mark.parametrize(
    ("count", "expected"),
    [(0, [0, 0, 0]), (1, [1, 0, 0]), (2, [1, 0, 1]), (3, [1, 1, 1])],
)
def test_the_number_decides_where_actors_are_doubtful(count: int, expected: list[int]) -> None:
    assert choose_bearers(np.array([0.6, 0.45, 0.5]), sure(count), weight=2.0).tolist() == [bool(n) for n in expected]


def test_certain_actors_outweigh_the_number() -> None:
    assert choose_bearers(np.array([0.999, 0.999]), sure(1), weight=0.5).all()


def test_more_than_the_last_label_are_told_by_the_actors() -> None:
    likely = np.array([0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.2])
    assert choose_bearers(likely, sure(COUNTS - 1), weight=1.0).sum() == 6


@given(probabilities)
def test_without_weight_each_actor_counts_alone(likely: list[float]) -> None:
    found = choose_bearers(np.array(likely), sure(2), weight=0.0)
    doubtful = np.isclose(likely, 0.5)
    assert ((found == (np.array(likely) > 0.5)) | doubtful).all()


@given(probabilities, st.integers(0, COUNTS - 1))
def test_the_likeliest_actors_are_taken(likely: list[float], count: int) -> None:
    values = np.array(likely)
    found = choose_bearers(values, sure(count), weight=1.0)
    assert len(found) == len(values)
    assert values[found].min(initial=1.0) >= values[~found].max(initial=0.0)


def test_the_classifier_is_asked_for_only_where_the_configuration_says_so() -> None:
    assert set(COUNTED) == {"bearers"}
    assert "bearers" not in CLASSIFIERS
    assert not HeadsConfig().count_bearers


def test_numbers_are_learnt_from_vectors_and_alike_for_a_seed() -> None:
    draw = torch.Generator().manual_seed(0)
    vectors = [2 * torch.randn(40, 4, generator=draw) for _ in range(160)]
    counts = [(part[:, 0] > 0).long().numpy() + (part[:, 1] > 0).long().numpy() for part in vectors]
    found = []
    for _ in range(2):
        torch.manual_seed(1)
        classifier = torch.nn.Linear(4, COUNTS)
        fit_bearer_counts(classifier, vectors, counts, seed=3)
        found.append(classifier.weight.detach().clone())
    assert torch.equal(*found)
    said = torch.cat([classifier(part).argmax(dim=1) for part in vectors])
    assert (said == torch.from_numpy(np.concatenate(counts))).float().mean() > 0.7


def test_without_clauses_the_classifier_stays_as_it_is() -> None:
    classifier = torch.nn.Linear(3, COUNTS)
    before = classifier.weight.detach().clone()
    fit_bearer_counts(classifier, [], [], seed=1)
    assert torch.equal(classifier.weight, before)
