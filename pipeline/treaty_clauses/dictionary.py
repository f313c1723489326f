"""jieba's dictionary as its tokenizer searches it: every word and every beginning of one, with frequencies.

Making the table from jieba's own file takes half a second of every start, so it comes prebuilt in `data/jieba.bin`: the
SHA-256 of jieba's file, that of what follows, and the table, compressed. Written by `python -m treaty_clauses.dictionary`
(`make dictionary`) from the jieba that is installed. Words and frequencies: jieba, MIT licence (NOTICE).
"""

import hashlib
import logging
import struct
import zlib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np

_NAME = "data/jieba.bin"
_HASH_BYTES = 32
_SIZES = struct.Struct("<QQ")  # the total, and how many bytes the words take
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Dictionary:
    """Frequencies of words and, 0, of their beginnings; `total` counts a word as often as the file lists it."""

    frequencies: dict[str, int]
    total: int


def load_dictionary(source: Path) -> Dictionary:
    """The table for jieba's dictionary file `source`: the prebuilt one if it is whole and of that file, else made anew."""
    text = source.read_bytes()
    try:
        packed = files("treaty_clauses").joinpath(_NAME).read_bytes()
        return unpack(packed, source_hash=hashlib.sha256(text).digest())
    except (OSError, ValueError) as error:
        _log.info("the prebuilt dictionary is not used: %s", error)
        return build(text)


def build(text: bytes) -> Dictionary:
    r"""Make the table from the bytes of a dictionary file with a word, its frequency and its kind a line.

    >>> build("停火 12 n\n".encode())
    Dictionary(frequencies={'停火': 12, '停': 0}, total=12)
    """
    frequencies: dict[str, int] = {}
    total = 0
    for line in text.decode("utf-8").splitlines():
        if line.strip():
            word, frequency = line.split(" ")[:2]
            frequencies[word] = int(frequency)
            total += int(frequency)
            for end in range(1, len(word)):
                frequencies.setdefault(word[:end], 0)
    return Dictionary(frequencies, total)


def pack(dictionary: Dictionary, *, source_hash: bytes) -> bytes:
    """The prebuilt file's content."""
    keys = sorted(dictionary.frequencies)
    words = "\n".join(keys).encode("utf-8")
    numbers = np.array([dictionary.frequencies[key] for key in keys], "<u4").tobytes()
    body = zlib.compress(_SIZES.pack(dictionary.total, len(words)) + words + numbers, 9)
    return source_hash + hashlib.sha256(body).digest() + body


def unpack(packed: bytes, *, source_hash: bytes) -> Dictionary:
    """Read what `pack` made.

    Raises:
        ValueError: It is damaged, or was made from another dictionary file.
    """
    said, digest, body = packed[:_HASH_BYTES], packed[_HASH_BYTES : 2 * _HASH_BYTES], packed[2 * _HASH_BYTES :]
    if said != source_hash:
        raise ValueError("it was made from another version of jieba's dictionary")
    if digest != hashlib.sha256(body).digest():
        raise ValueError("it is damaged")
    data = zlib.decompress(body)
    total, size = _SIZES.unpack_from(data)
    end = _SIZES.size + size
    numbers = np.frombuffer(data, "<u4", offset=end).tolist()
    return Dictionary(dict(zip(data[_SIZES.size : end].decode("utf-8").split("\n"), numbers, strict=True)), total)


def jieba_source() -> Path:
    """The dictionary file of the jieba that is installed."""
    return Path(str(files("jieba").joinpath("dict.txt")))


if __name__ == "__main__":
    _text = jieba_source().read_bytes()
    _packed = pack(build(_text), source_hash=hashlib.sha256(_text).digest())
    Path(str(files("treaty_clauses").joinpath(_NAME))).write_bytes(_packed)
