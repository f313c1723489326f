"""From an article to the tagger's inputs: ids a character, and overlapping windows so that nothing is truncated."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from treaty_clauses.gazetteer import Gazetteer
from treaty_clauses.labels import ActorKind
from treaty_clauses.quantities import find_quantities
from treaty_clauses.segment import Segmenter, boundary_ids
from treaty_clauses.vocabulary import Vocabulary
from treaty_clauses.words import WordTable

#: Hint ids a character: 0 none, then begin and inside of a gazetteer match of each actor kind.
GAZETTEER_HINTS = 1 + 2 * len(ActorKind)
#: Hint ids a character: 0 none, then begin and inside of a numeric expression.
QUANTITY_HINTS = 3


@dataclass(frozen=True, slots=True)
class Encoded:
    """What the network sees of one article: five arrays of shape (length,)."""

    characters: npt.NDArray[np.uint16]
    boundaries: npt.NDArray[np.uint8]
    gazetteer: npt.NDArray[np.uint8]
    quantities: npt.NDArray[np.uint8]
    words: npt.NDArray[np.uint16]

    def __len__(self) -> int:
        return len(self.characters)


@dataclass(frozen=True, slots=True)
class Window:
    """Characters `[start, end)` are read; only `[keep_start, keep_end)` are kept from this window."""

    start: int
    end: int
    keep_start: int
    keep_end: int


class ArticleEncoder:
    """Turns texts into `Encoded`; owns the segmenter and the gazetteer it was given."""

    def __init__(
        self, vocabulary: Vocabulary, segmenter: Segmenter, gazetteer: Gazetteer, words: WordTable | None = None
    ) -> None:
        self.vocabulary = vocabulary
        self.words = words
        self.segmenter = segmenter
        self.gazetteer = gazetteer

    def encode(self, text: str) -> Encoded:
        """Ids of every character of `text`; the arrays are as long as the text."""
        kinds = {kind: number for number, kind in enumerate(ActorKind)}
        gazetteer = _hints(len(text), ((m.start, m.end, kinds[m.kind]) for m in self.gazetteer.find(text)))
        quantities = _hints(len(text), ((m.start, m.end, 0) for m in find_quantities(text)))
        words = list(self.segmenter.spans(text))
        rows = self.words.rows(text, words) if self.words else np.zeros(len(text), np.uint16)
        return Encoded(self.vocabulary.encode(text), boundary_ids(words), gazetteer, quantities, rows)


def _hints(length: int, spans: Iterable[tuple[int, int, int]]) -> npt.NDArray[np.uint8]:
    """Begin and inside ids, 1 + 2 * kind and 2 + 2 * kind, of the spans (start, end, kind)."""
    hints = np.zeros(length, dtype=np.uint8)
    for start, end, kind in spans:
        hints[start] = 1 + 2 * kind
        hints[start + 1 : end] = 2 + 2 * kind
    return hints


def plan_windows(length: int, *, window_chars: int, context_chars: int) -> list[Window]:
    """Cover `[0, length)` with windows; each kept character has `context_chars` on both sides where they exist.

    >>> [(w.start, w.end, w.keep_start, w.keep_end) for w in plan_windows(10, window_chars=6, context_chars=1)]
    [(0, 6, 0, 5), (4, 10, 5, 10)]
    """
    stride = window_chars - 2 * context_chars
    if stride <= 0:
        raise ValueError(f"window of {window_chars} characters leaves nothing beside twice {context_chars} of context")
    windows = []
    kept = 0
    while kept < length:
        start = max(0, kept - context_chars)
        end = min(length, start + window_chars)
        start = max(0, end - window_chars)
        keep_end = length if end == length else end - context_chars
        windows.append(Window(start, end, kept, keep_end))
        kept = keep_end
    return windows
