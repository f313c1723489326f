import math
from pathlib import Path

import numpy as np
import pytest

from treaty_clauses.confidence import Judged, calibration_error, fit, judge, reliability, trade_off
from treaty_clauses.io import read_records
from treaty_clauses.proposals import corrected, keep_at_least
from treaty_clauses.types import ArticleRecord


def drawn(count: int, *, power: float, seed: int = 3) -> list[Judged]:
    """Clauses that are right as often as their confidence to the `power` says."""
    rng = np.random.default_rng(seed)
    raw = rng.uniform(0.02, 0.98, count)
    return [Judged(float(p), bool(rng.random() < p**power)) for p in raw]


@pytest.mark.parametrize("power", [0.3, 1.0, 3.0])
def test_fitting_brings_the_calibration_error_down(power: float) -> None:
    judged = drawn(4000, power=power)
    scale, offset = fit(judged)
    mended = [Judged(corrected(item.confidence, scale, offset), item.is_right) for item in judged]
    before, after = calibration_error(judged), calibration_error(mended)
    assert before is not None
    assert after is not None
    assert after < max(0.04, 0.5 * before)


def test_nothing_predicted_leaves_confidences_as_they_are() -> None:
    assert fit([]) == (1.0, 0.0)
    assert calibration_error([]) is None
    assert corrected(0.25, 1.0, 0.0) == pytest.approx(0.25)


def test_confidences_that_mislead_are_not_turned_round() -> None:
    assert fit([Judged(0.9, False), Judged(0.1, True)] * 200) == (1.0, 0.0)


def test_the_error_is_the_mean_distance_over_bins() -> None:
    judged = [Judged(0.95, True), Judged(0.95, False), Judged(0.15, False), Judged(1.0, True)]
    error = calibration_error(judged)
    assert error is not None
    assert math.isclose(error, (3 * abs((0.95 + 0.95 + 1.0) / 3 - 2 / 3) + 1 * 0.15) / 4)
    assert [found.count for found in reliability(judged)] == [1, 3]


@pytest.fixture(scope="module")
def gold(pytestconfig: pytest.Config) -> list[ArticleRecord]:
    return list(read_records(Path(pytestconfig.rootpath) / "annotations" / "dev.jsonl"))[:6]


def with_confidence(record: ArticleRecord, values: list[float]) -> ArticleRecord:
    left = iter(values)
    proposals = tuple(
        p.model_copy(update={"clauses": tuple(c.model_copy(update={"confidence": next(left)}) for c in p.clauses)})
        for p in record.proposals
    )
    return record.model_copy(update={"proposals": proposals})


def test_clauses_below_the_minimum_are_left_out_and_named_proposals_stay(gold: list[ArticleRecord]) -> None:
    record = next(r for r in gold if sum(len(p.clauses) for p in r.proposals) > 2)
    count = sum(len(p.clauses) for p in record.proposals)
    confidences = [0.2, *[0.8] * (count - 1)]
    kept = keep_at_least(with_confidence(record, confidences), 0.5)
    assert sum(len(p.clauses) for p in kept.proposals) == count - 1
    none = keep_at_least(with_confidence(record, confidences), 0.9)
    assert [p.name for p in none.proposals] == [p.name for p in record.proposals if p.name is not None]
    assert keep_at_least(record, 0.0) == record


def test_a_higher_minimum_trades_recall_for_precision(gold: list[ArticleRecord]) -> None:
    pairs = []
    for record in gold:
        count = sum(len(p.clauses) for p in record.proposals)
        pairs.append((record, with_confidence(record, [0.05 + 0.9 * n / max(count - 1, 1) for n in range(count)])))
    rows = trade_off(pairs)
    recalls = [row.typed.recall for row in rows]
    assert recalls[0] == 1.0
    assert recalls == sorted(recalls, key=lambda value: -(value or 0))
    assert all(row.typed.precision == 1.0 for row in rows if row.typed.tp)
    assert all(item.is_right for item in judge(pairs))
