"""Muon where bf16 is emulated: torch's optimizer makes updates orthogonal in bf16, which such processors multiply very slowly."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from treaty_clauses.training.precision import multiplies_bf16


class Muon(torch.optim.Muon):
    """torch's Muon; on a device without bf16 products the same update is worked out in fp32. The state is torch's."""

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step; `closure`, if given, is called first and its value returned."""
        parameters = [parameter for group in self.param_groups for parameter in group["params"]]
        if all(multiplies_bf16(str(parameter.device)) for parameter in parameters):
            return super().step(closure)  # type: ignore[no-untyped-call]
        loss = None if closure is None else closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, group)
        return loss

    @torch.no_grad()
    def _update(self, parameter: Tensor, group: dict[str, Any]) -> None:
        state, gradient = self.state[parameter], parameter.grad
        assert gradient is not None
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = torch.zeros_like(gradient)
        held: Tensor = state["momentum_buffer"]
        held.lerp_(gradient, 1 - group["momentum"])
        wanted = gradient.lerp(held, group["momentum"]) if group["nesterov"] else held
        update = orthogonal(wanted, group["ns_coefficients"], group["ns_steps"], group["eps"])
        rows, columns = parameter.shape
        parameter.mul_(1 - group["lr"] * group["weight_decay"])
        parameter.add_(update, alpha=-group["lr"] * math.sqrt(max(1, rows / columns)))


def orthogonal(matrix: Tensor, coefficients: tuple[float, float, float], steps: int, eps: float) -> Tensor:
    """A matrix whose singular values are brought near 1 by Newton-Schulz steps (Jordan et al. 2024, Muon), in its own precision."""
    first, second, third = coefficients
    is_tall = matrix.shape[0] > matrix.shape[1]
    found = matrix.T if is_tall else matrix
    found = found / found.norm().clamp(min=eps)
    for _ in range(steps):
        gram = found @ found.T
        found = torch.addmm(found, torch.addmm(gram, gram, gram, beta=second, alpha=third), found, beta=first)
    return found.T if is_tall else found
