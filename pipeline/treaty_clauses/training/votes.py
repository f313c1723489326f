"""Fits the bag-of-words classifiers of clauses: a convex problem of its own, solved before the network is trained."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from treaty_clauses.grams import Bags, SpanBags
from treaty_clauses.heads import BagClassifier
from treaty_clauses.spans import Ints

#: L2 penalties of the weights of what lies inside a span and beside it (1 / 2C of a logistic regression with C = 8 and 2),
#: chosen on dev by a logistic regression on the same bags: clause types 0.66 to 0.68 right on real articles (2026-11-23).
_PENALTY_INSIDE, _PENALTY_BESIDE = 1 / 16, 1 / 4
_STEPS = 60  # of L-BFGS; the loss no longer moves by then


def fit_votes(classifiers: nn.ModuleDict, bags: Sequence[SpanBags], labels: Mapping[str, Sequence[Ints]]) -> None:
    """Fit each classifier to the labels of the clauses of all articles, from zero; the result follows from the data alone.

    `bags` and `labels[name]` have one entry an article.
    """
    joined = SpanBags(_join([bag.inside for bag in bags]), _join([bag.beside for bag in bags]))
    for name, classifier in classifiers.items():
        assert isinstance(classifier, BagClassifier)
        truth = torch.from_numpy(np.concatenate(labels[name])).to(classifier.bias.device)
        if len(truth):
            _fit(classifier, joined, truth)


def _fit(classifier: BagClassifier, bags: SpanBags, truth: Tensor) -> None:
    was_training = classifier.training
    classifier.eval()
    for parameter in classifier.parameters():
        nn.init.zeros_(parameter)
    solver = torch.optim.LBFGS(classifier.parameters(), max_iter=_STEPS, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        solver.zero_grad()
        loss = nn.functional.cross_entropy(classifier(bags), truth, reduction="sum")
        loss = loss + _PENALTY_INSIDE * classifier.inside.weight.square().sum()
        loss = loss + _PENALTY_BESIDE * classifier.beside.weight.square().sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    solver.step(closure)  # type: ignore[no-untyped-call]
    classifier.zero_grad(set_to_none=True)
    classifier.train(was_training)


def _join(bags: Sequence[Bags]) -> Bags:
    moves = np.cumsum([0, *(len(bag.buckets) for bag in bags)])
    starts = [bag.starts + move for bag, move in zip(bags, moves.tolist(), strict=False)]
    empty = [np.zeros(0, np.int64)]
    return Bags(np.concatenate(empty + [bag.buckets for bag in bags]), np.concatenate(empty + starts))
