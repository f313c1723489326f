from dataclasses import replace

import numpy as np
import pytest
import torch

from treaty_clauses.encode import ArticleEncoder
from treaty_clauses.heads import Heads, HeadsConfig
from treaty_clauses.training.gold import Example, GoldArticle, make_example
from treaty_clauses.training.losses import LossWeights, article_losses

EVERY = {
    "tags",
    "clause_type",
    "modality",
    "status",
    "kind",
    "term_role",
    "roles",
    "conditions",
    "same_norm",
    "attribution",
    "proposers",
    "same_proposal",
}


@pytest.fixture
def heads() -> Heads:
    torch.manual_seed(2)
    return Heads(16, HeadsConfig(span_size=16, pair_size=8, document_layers=1, document_heads=2))


def no_words(hidden: torch.Tensor) -> torch.Tensor:
    return torch.zeros(len(hidden), 0)


def test_every_head_has_a_finite_loss_that_reaches_its_weights(heads: Heads, example: Example) -> None:
    hidden = torch.randn(len(example.encoded), 16, requires_grad=True)
    losses = article_losses(heads, hidden, no_words(hidden), example, LossWeights())
    assert set(losses) == EVERY
    assert all(torch.isfinite(loss) and loss > 0 for loss in losses.values())
    torch.stack(list(losses.values())).sum().backward()
    without = [name for name, parameter in heads.named_parameters() if parameter.grad is None]
    assert without == []
    assert hidden.grad is not None
    assert torch.isfinite(hidden.grad).all()


def test_a_head_of_no_weight_costs_nothing(heads: Heads, example: Example) -> None:
    hidden = torch.randn(len(example.encoded), 16)
    losses = article_losses(heads, hidden, no_words(hidden), example, replace(LossWeights(), links=0.0, roles=0.0))
    assert all(
        losses[name] == 0 for name in ("roles", "conditions", "same_norm", "attribution", "proposers", "same_proposal")
    )
    assert losses["tags"] > 0


def test_an_article_without_annotation_costs_its_tags_only(
    heads: Heads, gold: GoldArticle, article_encoder: ArticleEncoder
) -> None:
    record = gold.record.model_copy(update={"actors": (), "proposals": ()})
    example = make_example(GoldArticle(gold.article, record), article_encoder.encode(gold.article.text))
    hidden = torch.randn(len(example.encoded), 16)
    losses = article_losses(heads, hidden, no_words(hidden), example, LossWeights())
    assert set(losses) == {"tags"}


def test_pairs_of_one_clause_are_asked_once(heads: Heads, example: Example) -> None:
    """Turning the truth above the diagonal changes nothing."""
    heads.eval()
    hidden = torch.randn(len(example.encoded), 16)
    turned = replace(
        example,
        targets=replace(
            example.targets, same_norm=example.targets.same_norm + np.triu(np.ones((7, 7)), 0).astype("f4")
        ),
    )
    first = article_losses(heads, hidden, no_words(hidden), example, LossWeights())["same_norm"]
    assert torch.equal(first, article_losses(heads, hidden, no_words(hidden), turned, LossWeights())["same_norm"])
