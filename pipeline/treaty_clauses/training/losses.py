"""What training minimizes, head by head."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from treaty_clauses.heads import Heads
from treaty_clauses.spans import Layer
from treaty_clauses.training.gold import UNKNOWN_LINK, Example

_CHARS_PER_SPAN = 25  # brings the tag losses, summed over characters, to the size of the losses summed over spans


@dataclass(frozen=True, slots=True)
class LossWeights:
    """How much each head counts, and how much a tag inside a span counts against one outside."""

    tags: float = 1.0
    labels: float = 1.0
    roles: float = 0.5
    links: float = 0.6
    inside: float = 2.0
    smoothing: float = 0.02


def article_losses(
    heads: Heads, hidden: Tensor, words: Tensor, example: Example, weights: LossWeights
) -> dict[str, Tensor]:
    """Loss sums of one article by head, each with its weight; divide by the batch's count of characters or spans.

    `hidden`: (length, hidden) states of the article; `words`: (length, word_size) vectors of its words.
    """
    targets = example.targets
    device = hidden.device
    log_probabilities = heads.tag(hidden)
    gold = torch.from_numpy(targets.tags).to(device)
    per_tag = -log_probabilities.gather(-1, gold[..., None])[..., 0]  # (length, layers)
    per_tag = per_tag * (1 + (weights.inside - 1) * (gold > 0))
    losses = {"tags": weights.tags * per_tag.sum() / _CHARS_PER_SPAN}
    described = heads.describe(hidden, example.spans, words, example.bags)
    for name, logits in described.labels.items():
        if len(logits):
            label = torch.from_numpy(targets.labels[name]).to(device)
            losses[name] = weights.labels * nn.functional.cross_entropy(
                logits, label, reduction="sum", label_smoothing=weights.smoothing
            )
    links = heads.link(described, example.inputs)
    if example.spans.count(Layer.CLAUSE):
        pairs = {
            "roles": (links["roles"], targets.roles, weights.roles),
            "conditions": (links["conditions"][..., 0], targets.conditions, weights.links),
            "same_norm": (_below_diagonal(links["same_norm"][..., 0]), targets.same_norm, weights.links),
        }
        for name, (logits, target, weight) in pairs.items():
            if logits.numel():
                losses[name] = weight * _binary(logits, torch.from_numpy(target).to(device))
        choices, right = links["attribution"][..., 0], torch.from_numpy(targets.attribution).to(device)
        missed = choices.logsumexp(dim=1) - choices.masked_fill(~right, -1e4).logsumexp(dim=1)
        losses["attribution"] = weights.links * missed.sum()
    if links["same_proposal"].numel():
        truth = torch.from_numpy(targets.same_proposal).to(device)
        losses["same_proposal"] = weights.links * _binary(_below_diagonal(links["same_proposal"][..., 0]), truth)
    if links["proposers"].numel():
        truth = torch.from_numpy(targets.proposers).to(device)
        losses["proposers"] = weights.links * _binary(links["proposers"][..., 0], truth)
    return losses


def _below_diagonal(logits: Tensor) -> Tensor:
    """(n, n) logits with everything on and above the diagonal out of reach: each pair is asked once."""
    return logits.masked_fill(torch.ones_like(logits, dtype=torch.bool).triu(), -1e4)


def _binary(logits: Tensor, truth: Tensor) -> Tensor:
    """Sum of binary cross-entropies; pairs without a candidate mention (very small logits) or of unknown truth cost nothing."""
    counted = (logits > -1e3) & (truth != UNKNOWN_LINK)
    losses = nn.functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    return torch.where(counted, losses, torch.zeros_like(losses)).sum()
