import numpy as np
import pytest
import torch

from treaty_clauses.heads import TableRefiner
from treaty_clauses.refine import Refiner


@pytest.fixture
def trained() -> TableRefiner:
    torch.manual_seed(4)
    module = TableRefiner(6, 2).eval()
    torch.nn.init.normal_(module.leave.weight)
    return module


def in_numpy(module: TableRefiner) -> Refiner:
    state = module.state_dict()
    return Refiner.read(lambda name: state[name].numpy())


def table(clauses: int, columns: int) -> torch.Tensor:
    return torch.randn(clauses, columns, 6, generator=torch.Generator().manual_seed(clauses + columns)) * 4


@pytest.mark.parametrize(("clauses", "columns"), [(7, 3), (1, 1), (2, 9)])
def test_numpy_reads_as_torch_does(trained: TableRefiner, clauses: int, columns: int) -> None:
    scores = table(clauses, columns)
    expected = trained(scores).detach().numpy()
    assert expected.shape == (clauses, columns, 2)
    np.testing.assert_allclose(in_numpy(trained)(scores.numpy()), expected, atol=1e-4)


@pytest.mark.parametrize(("clauses", "columns"), [(0, 3), (3, 0), (0, 0)])
def test_an_empty_table_stays_empty(trained: TableRefiner, clauses: int, columns: int) -> None:
    scores = torch.zeros(clauses, columns, 6)
    assert trained(scores).shape == in_numpy(trained)(scores.numpy()).shape == (clauses, columns, 2)


def test_a_new_refiner_leaves_the_logits_alone() -> None:
    scores = table(4, 3)
    assert torch.equal(TableRefiner(6, 2)(scores), scores[..., :2])


def test_the_order_of_the_columns_makes_no_difference(trained: TableRefiner) -> None:
    scores, order = table(5, 4), [2, 0, 3, 1]
    torch.testing.assert_close(trained(scores[:, order]), trained(scores)[:, order])


def test_a_clause_sees_the_clauses_and_the_actors_beside_it(trained: TableRefiner) -> None:
    scores = table(6, 3)
    before, other_clause, other_actor = scores.clone(), scores.clone(), scores.clone()
    other_clause[1, 0] = 5
    other_actor[2, 1] = 5
    here = trained(before)[2, 0]
    assert not torch.allclose(trained(other_clause)[2, 0], here)
    assert not torch.allclose(trained(other_actor)[2, 0], here)


def test_a_pair_out_of_reach_upsets_no_other(trained: TableRefiner) -> None:
    scores = table(3, 3)
    scores[1, 1] = -1e4
    assert torch.isfinite(trained(scores)).all()
    assert (trained(scores)[1, 1] < -1e3).all()
