"""How sure the extractor is of a clause: calibrated on dev, reported, and used to leave clauses out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.optimize import minimize

from treaty_clauses.canonical import RecordView
from treaty_clauses.counts import Tally
from treaty_clauses.proposals import CONFIDENCE_EDGE, keep_at_least
from treaty_clauses.score import Comparison, score_corpus
from treaty_clauses.types import ArticleRecord

_PRIOR = 0.5  # weight of staying with the raw value, in observations: dev sets are small
BINS = 10
#: The confidences from which on clauses are kept in the table of `evaluate --confidence`.
MINIMA = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True, slots=True)
class Judged:
    """One predicted clause: the confidence it carries, and whether a gold clause of its type lies there."""

    confidence: float
    is_right: bool


@dataclass(frozen=True, slots=True)
class Bin:
    """Clauses of like confidence: their count, mean confidence, and the share that is right."""

    count: int
    confidence: float
    right: float


@dataclass(frozen=True, slots=True)
class TradeOff:
    """What is left of the predictions when clauses below `minimum` are dropped."""

    minimum: float
    typed: Tally
    record: Tally


def judge(pairs: Iterable[tuple[ArticleRecord, ArticleRecord]]) -> list[Judged]:
    """Every predicted clause of (gold, predicted) pairs; right when its first mention matches and the type is the same."""
    judged = []
    for gold, predicted in pairs:
        found = Comparison.of(RecordView.of(gold), RecordView.of(predicted))
        right = set()
        for i, j in found.mention_pairs:
            (_, g), (chars, p) = found.gold.mentions[i], found.predicted.mentions[j]
            if found.gold.clauses[g].type == found.predicted.clauses[p].type:
                right.add(chars)
        for proposal in predicted.proposals:
            for clause in proposal.clauses:
                first = clause.mentions[0]
                judged.append(Judged(clause.confidence, (first.start, first.end) in right))
    return judged


def fit(judged: Sequence[Judged]) -> tuple[float, float]:
    """Scale and offset by which `proposals.corrected` turns raw confidences into the share that is right (Platt 1999).

    (1, 0), which changes nothing, where nothing was predicted or the confidences say nothing.
    """
    if not judged:
        return 1.0, 0.0
    raw = np.clip([item.confidence for item in judged], CONFIDENCE_EDGE, 1 - CONFIDENCE_EDGE)
    logits, right = np.log(raw / (1 - raw)), np.array([item.is_right for item in judged], float)

    def loss(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
        scores = values[0] * logits + values[1]
        likelihood = np.logaddexp(0, scores) - right * scores
        return float(likelihood.sum() + _PRIOR * ((values[0] - 1) ** 2 + values[1] ** 2))

    scale, offset = minimize(loss, np.array([1.0, 0.0])).x
    return (float(scale), float(offset)) if scale > 0 else (1.0, 0.0)


def reliability(judged: Sequence[Judged]) -> list[Bin]:
    """Clauses in BINS bins of equal width, empty ones left out."""
    bins = []
    edges = np.linspace(0, 1, BINS + 1)
    for number, (low, high) in enumerate(pairwise(edges)):
        held = [item for item in judged if low <= item.confidence < high or (number == BINS - 1 and item.confidence == 1)]
        if held:
            mean = sum(item.confidence for item in held) / len(held)
            bins.append(Bin(len(held), mean, sum(item.is_right for item in held) / len(held)))
    return bins


def calibration_error(judged: Sequence[Judged]) -> float | None:
    """Expected calibration error: the mean distance of confidence and share right over the bins (Guo et al. 2017)."""
    if not judged:
        return None
    return sum(found.count * abs(found.confidence - found.right) for found in reliability(judged)) / len(judged)


def trade_off(pairs: Sequence[tuple[ArticleRecord, ArticleRecord]]) -> list[TradeOff]:
    """Typed clause and record figures with the clauses of at least each of MINIMA."""
    rows = []
    for minimum in MINIMA:
        scores = score_corpus([(gold, keep_at_least(predicted, minimum)) for gold, predicted in pairs])
        rows.append(TradeOff(minimum, scores.total.typed, scores.total.record))
    return rows
