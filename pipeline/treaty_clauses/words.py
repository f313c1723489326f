"""Which word each character lies in, as row numbers of a table of word vectors."""

import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from treaty_clauses.errors import ModelError
from treaty_clauses.text import fold_width, simplify

UNKNOWN = 0  # row of the words that the table does not hold: a vector of zeros
_DIGIT = re.compile(r"\d")


def spell(text: str) -> str:
    """The spelling under which words are counted and looked up, as long as `text`: one for both scripts, digits alike.

    >>> spell("撤軍１２")
    '撤军00'
    """
    return _DIGIT.sub("0", fold_width(simplify(text)))


class WordTable:
    """Words and their rows, from 1 on in the order of the list; row 0 is UNKNOWN."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = tuple(words)
        self._rows = {word: row for row, word in enumerate(self._words, start=1)}

    def __len__(self) -> int:
        """Number of rows, that of UNKNOWN included."""
        return len(self._words) + 1

    def rows(self, text: str, spans: Iterable[tuple[int, int]]) -> npt.NDArray[np.uint16]:
        """The row of the word that each character lies in; `spans` are the words of `text` in order, without gaps."""
        spelled = spell(text)
        found = self._rows
        bounds = np.array(list(spans), np.int64).reshape(-1, 2)
        rows = [found.get(spelled[start:end], UNKNOWN) for start, end in bounds.tolist()]
        return np.repeat(np.array(rows, np.uint16), bounds[:, 1] - bounds[:, 0])

    def save(self, path: Path) -> None:
        """Write one word a line."""
        path.write_text("".join(f"{word}\n" for word in self._words), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "WordTable":
        """Read a list written by `save`.

        Raises:
            ModelError: The file is missing or is no UTF-8.
        """
        try:
            return cls(path.read_text(encoding="utf-8").split("\n")[:-1])
        except (OSError, UnicodeDecodeError) as error:
            raise ModelError(f"{path}: cannot read the word list: {error}; restore the model folder") from error
