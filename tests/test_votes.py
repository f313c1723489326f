import numpy as np
import torch
from torch import nn

from treaty_clauses.grams import SpanBags, span_bags
from treaty_clauses.heads import BagClassifier
from treaty_clauses.training.votes import fit_votes

TEXTS = [("甲軍撤出谷地", 0), ("乙方釋放戰俘", 1), ("丙軍撤出北境", 0), ("丁方釋放人質", 1)]


def bags_of(text: str) -> SpanBags:
    length = len(text)
    return span_bags(text, np.zeros(length, np.uint8), np.zeros(length, np.uint16), np.array([[0, length]]))


def fitted() -> nn.ModuleDict:
    classifiers = nn.ModuleDict({"clause_type": BagClassifier(2)})
    nothing = span_bags("", np.zeros(0, np.uint8), np.zeros(0, np.uint16), np.zeros((0, 2), np.int64))
    labels = [np.array([label]) for _, label in TEXTS]
    bags = [bags_of(text) for text, _ in TEXTS]
    fit_votes(classifiers, [*bags[:2], nothing, *bags[2:]], {"clause_type": [*labels[:2], np.zeros(0, int), *labels[2:]]})
    return classifiers


def test_new_spans_are_told_by_the_words_they_share() -> None:
    votes = fitted()["clause_type"]
    assert votes(bags_of("戊軍撤出海岸")).argmax() == 0
    assert votes(bags_of("己方釋放船員")).argmax() == 1


def test_the_fit_follows_from_the_data_alone() -> None:
    torch.manual_seed(1)
    first = fitted()["clause_type"].state_dict()
    torch.manual_seed(2)
    second = fitted()["clause_type"].state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)
