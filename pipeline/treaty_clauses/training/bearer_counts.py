"""Fits the classifier of how many bearers a clause has, on what a trained tagger says of its gold clauses."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from treaty_clauses.spans import Ints

_EPOCHS, _BATCH, _RATE, _DECAY = 20, 128, 2e-3, 0.05  # as tried on half of a tagger's training articles (2026-11-24)


def fit_bearer_counts(classifier: nn.Module, vectors: Sequence[Tensor], counts: Sequence[Ints], *, seed: int) -> None:
    """Train a classifier alone; `vectors` (clauses, size) and `counts` (clauses,) have one entry an article."""
    if not vectors:
        return
    inputs, truth = torch.cat(list(vectors)), torch.from_numpy(np.concatenate(counts))
    order = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(classifier.parameters(), lr=_RATE, weight_decay=_DECAY)
    was_training = classifier.training
    classifier.train()
    for epoch in range(_EPOCHS):
        for group in optimizer.param_groups:
            group["lr"] = _RATE * (1 - epoch / _EPOCHS)
        for rows in torch.split(torch.randperm(len(inputs), generator=order), _BATCH):
            loss = nn.functional.cross_entropy(classifier(inputs[rows]), truth[rows])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    classifier.zero_grad(set_to_none=True)
    classifier.train(was_training)
