"""A resumable stream of packed character windows from JSON Lines or Parquet corpora."""

import hashlib
import json
import logging
import lzma
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from datasets import load_dataset

from treaty_clauses.errors import InputError
from treaty_clauses.segment import SINGLE, Segmenter
from treaty_clauses.vocabulary import SEPARATOR, Vocabulary

logger = logging.getLogger(__name__)

HELD_OUT_ONE_IN = 200  # documents by hash of their text: the same ones whatever the order of files
_MIN_CHARS = 60  # shorter documents are navigation remnants more often than prose
_MAX_CHARS = 20_000  # a longer one would fill the shuffle buffer alone; the rest of it is read as further documents
_DEDUPLICATION_CHARS = 200
_UNDECODABLE = "\ufffd"  # what a byte that is not UTF-8 is read as


@dataclass(frozen=True, slots=True)
class Source:
    """One corpus file and how often its documents are drawn, relative to the others (by characters).

    With `words` only the documents are read that hold at least `different_words` different ones of them. A training that
    goes on from another leaves out the `skip` documents that one has read, until the file is begun anew.
    """

    name: str
    path: str
    weight: float
    words: tuple[str, ...] = ()
    different_words: int = 1
    skip: int = 0

    def admits(self, text: str) -> bool:
        """Whether a document is about what the source is asked for."""
        return not self.words or sum(word in text for word in self.words) >= self.different_words


@dataclass
class _Cursor:
    """Where a source stands: documents read, and how often its end was passed."""

    documents: int = 0
    epochs: int = 0


@dataclass
class StreamState:
    """All that a stream needs to go on exactly where it stopped; plain JSON values."""

    cursors: dict[str, _Cursor] = field(default_factory=dict)
    characters: dict[str, int] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)

    def to_table(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "cursors": {name: [c.documents, c.epochs] for name, c in self.cursors.items()},
            "characters": dict(self.characters),
            "seen": sorted(self.seen),
        }

    @classmethod
    def from_table(cls, table: dict[str, Any]) -> "StreamState":
        """From what `to_table` gave."""
        cursors = {name: _Cursor(*values) for name, values in table["cursors"].items()}
        return cls(cursors, dict(table["characters"]), set(table.get("seen", ())))


def read_documents(source: Source, *, skip: int = 0) -> Iterator[str]:
    """Texts of one corpus file in its order, from document number `skip` on, through `datasets` streaming.

    Raises:
        InputError: The file is missing or cannot be read, or holds no `text`.
    """
    path = Path(source.path)
    if not path.exists():
        raise InputError(f"{path}: corpus file of source {source.name!r} not found; mend the recipe's path")
    is_table = path.suffix == ".parquet"
    try:
        kind: dict[str, Any] = {"path": "parquet"} if is_table else {"path": "text", "encoding_errors": "replace"}
        rows = load_dataset(**kind, data_files=str(path), split="train", streaming=True)
        for number, row in enumerate(rows.select_columns(["text"]).skip(skip), start=skip + 1):
            yield (row["text"] or "") if is_table else _text_of(row["text"], f"{path}:{number}")
    except (OSError, ValueError, KeyError, EOFError, lzma.LZMAError) as error:
        raise InputError(f"{path}: cannot read the corpus: {error}") from error


def _text_of(line: str, where: str) -> str:
    try:
        if _UNDECODABLE in line:
            raise ValueError("bytes that are not UTF-8")
        table = json.loads(line)
        return str(table["text"])
    except (ValueError, KeyError, TypeError) as error:
        logger.warning("%s: not a JSON object with `text`, passed over: %s", where, error)
        return ""


def is_held_out(text: str) -> bool:
    """Whether a document is kept from training to measure on."""
    digest = hashlib.sha256(text.encode("utf-8", "replace")).digest()
    return int.from_bytes(digest[:4], "big") % HELD_OUT_ONE_IN == 0


class WindowStream:
    """Packed windows of characters and word boundaries, drawn from several sources by weight.

    `next_batch(windows, length)` gives two arrays of shape (windows, length): uint16 character ids and uint8 boundary
    ids. Documents are joined by SEPARATOR; a batch takes each of its windows from a source drawn by what it still
    lacks of its share, so the order is the same on every run.
    """

    def __init__(
        self,
        sources: tuple[Source, ...],
        vocabulary: Vocabulary,
        segmenter: Segmenter,
        state: StreamState | None = None,
    ) -> None:
        self._sources = {source.name: source for source in sources}
        self._vocabulary = vocabulary
        self._segmenter = segmenter
        self.state = state or StreamState()
        self._pending: dict[str, tuple[npt.NDArray[np.uint16], npt.NDArray[np.uint8]]] = {}
        self._documents: dict[str, Iterator[str]] = {}
        total = sum(source.weight for source in sources)
        self._share = {source.name: source.weight / total for source in sources}

    def next_batch(self, windows: int, length: int) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.uint8]]:
        """The next (windows, length) character and boundary ids."""
        characters = np.empty((windows, length), dtype=np.uint16)
        boundaries = np.empty((windows, length), dtype=np.uint8)
        for row in range(windows):
            characters[row], boundaries[row] = self._take(self._most_lacking(), length)
        return characters, boundaries

    def pending(self) -> dict[str, tuple[list[int], list[int]]]:
        """The characters read but not yet given out, for a checkpoint."""
        return {name: (c.tolist(), b.tolist()) for name, (c, b) in self._pending.items()}

    def restore_pending(self, pending: dict[str, tuple[list[int], list[int]]]) -> None:
        """Take back what `pending` gave."""
        for name, (characters, boundaries) in pending.items():
            self._pending[name] = np.array(characters, np.uint16), np.array(boundaries, np.uint8)

    def _most_lacking(self) -> str:
        counts = self.state.characters
        return min(self._share, key=lambda name: (counts.get(name, 0) / self._share[name], name))

    def _take(self, name: str, length: int) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.uint8]]:
        characters, boundaries = self._pending.get(name, (np.empty(0, np.uint16), np.empty(0, np.uint8)))
        while len(characters) < length:
            text = self._next_text(name)
            for start in range(0, len(text), _MAX_CHARS):
                part = text[start : start + _MAX_CHARS]
                separator = (np.array([SEPARATOR], np.uint16), np.array([SINGLE], np.uint8))
                characters = np.concatenate([characters, self._vocabulary.encode(part), separator[0]])
                boundaries = np.concatenate([boundaries, self._segmenter.boundaries(part), separator[1]])
        self._pending[name] = characters[length:], boundaries[length:]
        self.state.characters[name] = self.state.characters.get(name, 0) + length
        return characters[:length], boundaries[:length]

    def _next_text(self, name: str) -> str:
        cursor = self.state.cursors.setdefault(name, _Cursor(self._sources[name].skip))
        is_second_pass = False
        while True:
            if name not in self._documents:
                self._documents[name] = read_documents(self._sources[name], skip=cursor.documents)
            text = next(self._documents[name], None)
            if text is None:
                if is_second_pass:
                    raise InputError(f"{self._sources[name].path}: source {name!r} holds no usable document")
                is_second_pass = True
                cursor.documents = 0
                cursor.epochs += 1
                self.state.seen.clear()
                del self._documents[name]
                continue
            cursor.documents += 1
            head = hashlib.blake2b(text[:_DEDUPLICATION_CHARS].encode("utf-8", "replace"), digest_size=8).hexdigest()
            if len(text) < _MIN_CHARS or head in self.state.seen or is_held_out(text):
                continue
            if not self._sources[name].admits(text):
                continue
            self.state.seen.add(head)
            return text


def held_out_documents(source: Source, *, most: int) -> list[str]:
    """The first `most` held-out documents of a source."""
    found = []
    for text in read_documents(source):
        if len(text) >= _MIN_CHARS and is_held_out(text):
            found.append(text)
            if len(found) == most:
                break
    return found
