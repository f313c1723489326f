"""Texts one after the other in one row of characters, each at the start of a block: what the runtimes read at once."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from treaty_clauses.encode import Encoded

BLOCK_CHARS = 64
_GAP_CHARS = 2  # padding behind a text, half the width of the encoder's local mixing: no text mixes with the next

Ids = npt.NDArray[np.int32]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Packed:
    """Packed texts.

    `inputs[name]` (1, length) for every field of `Encoded`, then "texts", the number of each character's text from 1 on
    (0: padding), and "positions", its place within it. `spans` are the texts' `[start, end)` in the row.
    """

    inputs: dict[str, Ids]
    spans: list[tuple[int, int]]


def packed_chars(length: int) -> int:
    """How many characters of a row a text of `length` takes.

    >>> packed_chars(100), packed_chars(127)
    (128, 192)
    """
    return -(-(length + _GAP_CHARS) // BLOCK_CHARS) * BLOCK_CHARS


def pack(articles: Sequence[Encoded], *, row_chars: int | None = None) -> Packed:
    """Pack texts into one row, filled up with padding to `row_chars`."""
    starts = np.cumsum([0, *(packed_chars(len(article)) for article in articles)])
    size = max(int(starts[-1]), row_chars or 0)
    names = [field.name for field in fields(Encoded)]
    inputs = {name: np.zeros((1, size), np.int32) for name in (*names, "texts", "positions")}
    spans = []
    for number, (article, start) in enumerate(zip(articles, starts.tolist(), strict=False), start=1):
        end = start + len(article)
        spans.append((start, end))
        for name in names:
            inputs[name][0, start:end] = getattr(article, name)
        inputs["texts"][0, start:end] = number
        inputs["positions"][0, start:end] = np.arange(end - start)
    return Packed(inputs, spans)
