"""Precision and optimizer on processors without bf16 products."""

import pytest
import torch

from treaty_clauses.training import muon, precision
from treaty_clauses.training.muon import Muon, orthogonal


def test_a_device_without_bf16_is_trained_in_fp32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    with precision.autocast("cpu"):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype is torch.float32


@pytest.mark.parametrize("native", ["_is_avx512_bf16_supported", "_is_amx_tile_supported"])
def test_a_device_with_bf16_is_trained_in_it(monkeypatch: pytest.MonkeyPatch, native: str) -> None:
    monkeypatch.setattr(torch.cpu, native, lambda: True)
    with precision.autocast("cpu"):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype is torch.bfloat16


def test_a_device_that_is_not_known_is_trained_in_fp32() -> None:
    assert not precision.multiplies_bf16("meta")


@pytest.mark.parametrize("shape", [(24, 24), (40, 16), (16, 40)])
def test_singular_values_come_near_one(shape: tuple[int, int]) -> None:
    found = orthogonal(
        torch.randn(shape, generator=torch.Generator().manual_seed(1)), (3.4445, -4.775, 2.0315), 5, 1e-7
    )
    values = torch.linalg.svdvals(found)
    assert found.shape == shape
    assert values.min() > 0.5
    assert values.max() < 1.3


@pytest.mark.parametrize("shape", [(24, 24), (40, 16)])
def test_fp32_steps_are_torchs_but_for_rounding(monkeypatch: pytest.MonkeyPatch, shape: tuple[int, int]) -> None:
    start = torch.randn(shape, generator=torch.Generator().manual_seed(2))
    moved = {}
    for is_native in (True, False):
        monkeypatch.setattr(muon, "multiplies_bf16", lambda _, answer=is_native: answer)
        weight = torch.nn.Parameter(start.clone())
        optimizer = Muon([weight], lr=0.1, weight_decay=0.01)
        for seed in range(3):
            weight.grad = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
            optimizer.step()
        moved[is_native] = weight.detach() - start
        assert set(optimizer.state[weight]) == {"momentum_buffer"}
    assert torch.nn.functional.cosine_similarity(moved[True].flatten(), moved[False].flatten(), dim=0) > 0.999
    assert moved[False].norm() == pytest.approx(float(moved[True].norm()), rel=0.02)


def test_a_parameter_without_gradient_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(muon, "multiplies_bf16", lambda _: False)
    weight = torch.nn.Parameter(torch.ones(3, 3))
    optimizer = Muon([weight], lr=0.1)
    assert optimizer.step(lambda: 2.5) == 2.5
    assert torch.equal(weight, torch.ones(3, 3))
