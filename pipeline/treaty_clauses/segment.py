"""Word segmentation with an own jieba instance: no machine-wide cache, no process-wide dictionary.

jieba reads a Simplified shadow of equal length (its dictionary is Simplified); the words are cut from the text as it
was given, so `"".join(words) == text`.
"""

import re
import warnings
from collections.abc import Iterator, Sequence
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt

from treaty_clauses.dictionary import jieba_source, load_dictionary
from treaty_clauses.text import fold_width, simplify

#: Word-boundary ids of the model's input: 0 is padding or unknown, then begin, middle, end, single.
BEGIN, MIDDLE, END, SINGLE = 1, 2, 3, 4

_LEXICON_FREQUENCY = 5_000  # high enough to win against the splits of words that jieba knows (measured 2026-11-23)
_LINE = re.compile(r"[^\n]*\n?")


class Segmenter:
    """Cuts Traditional Chinese text into words; one instance owns its dictionary.

    Safe to share between threads once built: cutting only reads.
    """

    def __init__(self) -> None:
        tokenizer = _jieba().Tokenizer()
        dictionary = load_dictionary(jieba_source())
        tokenizer.FREQ, tokenizer.total = dictionary.frequencies, dictionary.total
        tokenizer.initialized = True
        lexicon = files("treaty_clauses").joinpath("data/lexicon.txt").read_text(encoding="utf-8")
        for line in lexicon.splitlines():
            word = line.strip()
            if word and not word.startswith("#"):
                _add_word(tokenizer, simplify(word))
        self._tokenizer = tokenizer

    def words(self, text: str) -> list[str]:
        """Cut `text` into words, losing nothing.

        >>> Segmenter().words("俄烏同意停火")
        ['俄烏', '同意', '停火']
        """
        return [text[start:end] for start, end in self.spans(text)]

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield the `[start, end)` code-point offsets of each word, in order and without gaps."""
        shadow = simplify(fold_width(text))
        start = 0
        for line in _LINE.findall(shadow):
            for word in self._tokenizer.cut(line):
                end = start + len(word)
                yield start, end
                start = end
        if start != len(text):
            raise AssertionError(f"segmentation lost text: {start} of {len(text)} characters")

    def boundaries(self, text: str) -> npt.NDArray[np.uint8]:
        """Word-boundary ids, one a character: shape (len(text),), values BEGIN, MIDDLE, END, SINGLE."""
        return boundary_ids(list(self.spans(text)))


def boundary_ids(words: Sequence[tuple[int, int]]) -> npt.NDArray[np.uint8]:
    """Word-boundary ids of a text cut into `words`, its `[start, end)` offsets in order and without gaps.

    >>> boundary_ids([(0, 2), (2, 3), (3, 6)]).tolist()
    [1, 3, 4, 1, 2, 3]
    """
    bounds = np.array(words, np.int64).reshape(-1, 2)
    ids = np.full(int(bounds[-1, 1]) if len(bounds) else 0, MIDDLE, dtype=np.uint8)
    ids[bounds[:, 1] - 1] = END
    ids[bounds[:, 0]] = np.where(bounds[:, 1] - bounds[:, 0] == 1, SINGLE, BEGIN)
    return ids


def _jieba() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import jieba
    return jieba


def _add_word(tokenizer: Any, word: str) -> None:
    frequencies = tokenizer.FREQ
    tokenizer.total += _LEXICON_FREQUENCY - frequencies.get(word, 0)
    frequencies[word] = max(_LEXICON_FREQUENCY, frequencies.get(word, 0))
    for end in range(1, len(word)):
        frequencies.setdefault(word[:end], 0)
