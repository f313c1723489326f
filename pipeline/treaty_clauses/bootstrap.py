"""Rates of a corpus with percentile bootstrap intervals over its articles.

Articles, not clauses, are drawn: clauses of one article share its events and its style, so they are no independent
sample (guidelines section 9). Everything is computed from the stored counts of each article; nothing is scored twice.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from treaty_clauses.counts import Counts, iterate_tallies
from treaty_clauses.labels import ClauseType, Modality, Status

LEVEL = 0.95
"""Coverage of the intervals (guidelines section 9)."""

_LABELS = {"type": tuple(ClauseType), "modality": tuple(Modality), "status": tuple(Status)}

# Draws held at once: 4 million 8-byte weights are 32 MB.
_WEIGHTS_AT_ONCE = 4_000_000

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate over a corpus; None where it is undefined.

    `low` and `high` bound the interval, taken over those resamples in which the rate is defined (`resamples` of them);
    both are None when that is none of them or when there are fewer than two articles to draw from.
    """

    value: float | None
    low: float | None
    high: float | None
    resamples: int


def estimate_rates(counts: Sequence[Counts], *, resamples: int, seed: int) -> dict[str, Rate]:
    """Return every rate by its dotted name: `record.f1`, `modality.accuracy`, `type.ceasefire.recall`, `status.alpha`.

    The result depends on the multiset of counts, never on the order of articles.

    Args:
        counts: One entry per article.
        resamples: Number of bootstrap resamples; 0 gives no intervals.
        seed: Seed of NumPy's default generator.
    """
    # One all-zero row stands for an empty corpus.
    rows = np.array([_to_row(item) for item in counts] or [_to_row(Counts())], dtype=np.float64)
    rows = rows[np.lexsort(rows.T[::-1])]
    names, points = _derive_rates(rows.sum(axis=0, keepdims=True))
    samples = np.empty((0, len(names)))
    if len(counts) > 1 and resamples:
        samples = np.concatenate([_derive_rates(sums)[1] for sums in _resample(rows, resamples, seed)])
    rates = {}
    for column, name in enumerate(names):
        point = points[0, column]
        defined = samples[:, column][~np.isnan(samples[:, column])]
        low, high = np.quantile(defined, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]) if len(defined) else (None, None)
        rates[name] = Rate(
            value=None if np.isnan(point) else float(point),
            low=None if low is None else float(low),
            high=None if high is None else float(high),
            resamples=len(defined),
        )
    return rates


def _resample(rows: Floats, resamples: int, seed: int) -> Iterable[Floats]:
    """Yield summed rows of resamples, in chunks; rows: (articles, columns), chunks: (resamples of it, columns)."""
    articles = len(rows)
    generator = np.random.default_rng(seed)
    chunk = max(1, _WEIGHTS_AT_ONCE // articles)
    for start in range(0, resamples, chunk):
        size = min(chunk, resamples - start)
        # How often each article is drawn: exact whole numbers in float64, so that the product runs in BLAS.
        weights = generator.multinomial(articles, np.full(articles, 1 / articles), size=size).astype(np.float64)
        yield weights @ rows


def _to_row(counts: Counts) -> list[int]:
    """Flatten the additive counts the rates need; `_derive_rates` reads them back in the same order."""
    row: list[int] = []
    for _, tally in iterate_tallies(counts):
        row += [tally.tp, tally.fp, tally.fn]
    for share in counts.shares.values():
        row += [share.right, share.total]
    for name, labels in _LABELS.items():
        confusion = counts.confusions[name]
        row += [confusion.agreed, *(confusion.count_label(label) for label in labels)]
    return row


def _derive_rates(sums: Floats) -> tuple[list[str], Floats]:
    """Derive all rates from summed rows; sums: (resamples, columns) -> (resamples, rates), NaN where undefined."""
    names: list[str] = []
    rates: list[Floats] = []
    column = 0
    for name, _ in iterate_tallies(Counts()):
        tp, fp, fn = (sums[:, column + offset] for offset in range(3))
        column += 3
        names += [f"{name}.precision", f"{name}.recall", f"{name}.f1"]
        rates += [_divide(tp, tp + fp), _divide(tp, tp + fn), _divide(2 * tp, 2 * tp + fp + fn)]
    for name in Counts().shares:
        names.append(f"{name}.accuracy")
        rates.append(_divide(sums[:, column], sums[:, column + 1]))
        column += 2
    for name, labels in _LABELS.items():
        agreed, given = sums[:, column], sums[:, column + 1 : column + 1 + len(labels)]
        column += 1 + len(labels)
        values = given.sum(axis=1)
        expected = values**2 - (given**2).sum(axis=1)
        names.append(f"{name}.alpha")
        rates.append(1 - _divide((values - 1) * (values - 2 * agreed), expected))
    return names, np.stack(rates, axis=1)


def _divide(numerator: Floats, denominator: Floats) -> Floats:
    return np.divide(numerator, denominator, out=np.full_like(numerator, np.nan), where=denominator != 0)
