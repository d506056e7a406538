"""Muon for matrices (batched by shape, shared out among processes) and AdamW for the rest."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

_MOMENTUM = 0.95
_DECAY = 0.01
_ITERATIONS = 4


def orthogonal(x: Tensor) -> Tensor:
    """Nearly orthogonal matrices [count, rows, columns], rows <= columns, by Newton-Schulz iteration.

    Coefficients: Keller Jordan, "Muon: an optimizer for hidden layers" (2024). In bfloat16, as there: the
    iteration only has to come near, and costs less than half on a CPU.
    """
    x = (x / (x.flatten(1).norm(dim=1).view(-1, 1, 1) + 1e-7)).bfloat16()
    for _ in range(_ITERATIONS):
        square = x @ x.transpose(1, 2)
        x = torch.baddbmm(x, torch.baddbmm(square, square, square, beta=-4.7750, alpha=2.0315), x, beta=3.4445)
    return x.float()


class Muon:
    """Momentum orthogonalised by matrix; every process does its share and all receive the whole."""

    def __init__(self, parameters: list[nn.Parameter], rank: int, world: int) -> None:
        self.rank, self.world = rank, world
        groups: dict[tuple[int, ...], list[nn.Parameter]] = {}
        for p in parameters:
            groups.setdefault(tuple(sorted(p.shape)), []).append(p)
        self.groups = list(groups.values())
        self.parameters = [p for group in self.groups for p in group]
        self.momentum = [torch.zeros_like(p) for p in self.parameters]
        self._updates = [
            torch.zeros((len(group), *sorted(group[0].shape)), device=group[0].device) for group in self.groups
        ]

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """One step; gradients must already be the same in every process."""
        gradients = [p.grad for p in self.parameters if p.grad is not None]
        torch._foreach_mul_(self.momentum, _MOMENTUM)
        torch._foreach_add_(self.momentum, gradients)
        looks = torch._foreach_add(gradients, self.momentum, alpha=_MOMENTUM)
        start = 0
        for group, updates in zip(self.groups, self._updates, strict=True):
            here = looks[start : start + len(group)]
            start += len(group)
            mine = list(range(self.rank, len(group), self.world))
            updates.zero_()
            if mine:
                wide = [here[i] if here[i].shape[0] <= here[i].shape[1] else here[i].T for i in mine]
                updates[mine] = orthogonal(torch.stack(wide))
            if self.world > 1:
                dist.all_reduce(updates)
            scale = rate * 0.2 * math.sqrt(max(group[0].shape))
            for p, u in zip(group, updates, strict=True):
                p.mul_(1 - rate * _DECAY).add_(u if p.shape[0] <= p.shape[1] else u.T, alpha=-scale)

    def state_dict(self) -> dict[str, Any]:
        """Momentum, in the order of the parameters."""
        return {"momentum": self.momentum}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over saved momentum."""
        for mine, saved in zip(self.momentum, state["momentum"], strict=True):
            mine.copy_(saved)


class Optimizer:
    """Both optimizers over one flat gradient, so that averaging it among processes is one call."""

    def __init__(self, model: nn.Module, rank: int = 0, world: int = 1) -> None:
        self.world = world
        named = list(model.named_parameters())
        matrices = [p for n, p in named if p.ndim == 2 and "embed" not in n]
        others = [p for n, p in named if p.ndim != 2 or "embed" in n]
        self.muon = Muon(matrices, rank, world)
        self.adam = torch.optim.AdamW(others, lr=1e-3, betas=(0.9, 0.95), weight_decay=0.0)
        parameters = [p for _, p in named]
        self._flat = torch.zeros(sum(p.numel() for p in parameters), device=parameters[0].device)
        start = 0
        for p in parameters:
            p.grad = self._flat[start : start + p.numel()].view_as(p)
            start += p.numel()

    def step(self, rate: float) -> None:
        """Average gradients among processes, clip them to norm 1, step, and clear them."""
        if self.world > 1:
            dist.all_reduce(self._flat)
            self._flat /= self.world
        self._flat *= (1.0 / (self._flat.norm() + 1e-6)).clamp(max=1.0)
        for group in self.adam.param_groups:
            group["lr"] = rate * 0.3
        self.adam.step()
        self.muon.step(rate)
        self._flat.zero_()

    def state_dict(self) -> dict[str, Any]:
        """State of both optimizers."""
        return {"muon": self.muon.state_dict(), "adam": self.adam.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over a saved state."""
        self.muon.load_state_dict(state["muon"])
        self.adam.load_state_dict(state["adam"])
