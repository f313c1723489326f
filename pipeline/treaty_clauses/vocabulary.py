"""The character vocabulary: what the encoder sees of a text."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from treaty_clauses.errors import ModelError
from treaty_clauses.text import fold_width

PAD, UNKNOWN, SEPARATOR, MASK = 0, 1, 2, 3
SPECIAL = ("[PAD]", "[UNK]", "[SEP]", "[MASK]")
_BEYOND = 0x110000  # one past the last Unicode code point


@dataclass(frozen=True)
class Vocabulary:
    """Characters in id order; ids 0 to 3 are PAD, UNKNOWN, SEPARATOR, MASK."""

    characters: tuple[str, ...]
    _table: npt.NDArray[np.uint16] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        table = np.full(_BEYOND, UNKNOWN, dtype=np.uint16)
        for index, character in enumerate(self.characters[len(SPECIAL) :], start=len(SPECIAL)):
            table[ord(character)] = index
        object.__setattr__(self, "_table", table)

    def __len__(self) -> int:
        return len(self.characters)

    def encode(self, text: str) -> npt.NDArray[np.uint16]:
        """Character ids after width folding: shape (len(text),); lone surrogates and rare characters are UNKNOWN."""
        codes = np.frombuffer(fold_width(text).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
        ids: npt.NDArray[np.uint16] = self._table[codes]
        return ids

    def save(self, path: Path) -> None:
        """Write one entry a line; a newline is written as its escape."""
        lines = (character.replace("\n", "\\n") for character in self.characters)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "Vocabulary":
        """Read a file that `save` wrote.

        Raises:
            ModelError: The file is missing or does not begin with the special entries.
        """
        try:
            lines = path.read_text(encoding="utf-8").split("\n")[:-1]
        except (OSError, UnicodeDecodeError) as error:
            raise ModelError(f"{path}: cannot read the vocabulary: {error}; restore the model folder") from error
        characters = tuple("\n" if line == "\\n" else line for line in lines)
        if characters[: len(SPECIAL)] != SPECIAL or any(len(c) != 1 for c in characters[len(SPECIAL) :]):
            raise ModelError(f"{path}: not a character vocabulary of this package; restore the model folder")
        return cls(characters)

    @classmethod
    def from_counts(cls, counts: Iterable[tuple[str, int]], *, floor: int) -> "Vocabulary":
        """The characters seen at least `floor` times, most frequent first, ties by code point."""
        kept = sorted(((n, c) for c, n in counts if n >= floor), key=lambda pair: (-pair[0], pair[1]))
        return cls((*SPECIAL, *(c for _, c in kept)))
