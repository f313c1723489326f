"""Near-duplicates: MinHash signatures of character shingles, and the bands by which a store finds candidates.

Agency copy is printed by several outlets with another headline, a cut last paragraph or other punctuation; its shingles
stay mostly the same. Method: A. Broder, "On the resemblance and containment of documents" (1997), by datasketch.
"""

import re

import numpy as np
import numpy.typing as npt
from datasketch import MinHash  # type: ignore[import-untyped]

#: Values of a signature, bands of it, and values a band. With 16 bands of 4, two texts of similarity 0.7 share a band
#: with probability 1 - (1 - 0.7**4)**16 = 0.99, of 0.3 with 0.12 (and are then told apart by the whole signature).
SIGNATURE_VALUES = 64
BANDS = 16
#: From which estimated Jaccard similarity on an article is linked to an earlier one.
SIMILAR = 0.6
_SHINGLE_CHARS = 4
_SHORTEST = 40  # letters; a shorter text says too little to call another its copy
_SKIPPED = re.compile(r"[\W_]+")
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio: Fibonacci hashing (Knuth, TAOCP 3, section 6.4)


def signature(text: str) -> bytes:
    """The MinHash signature of a text, 256 bytes; empty for a text too short to compare.

    White space and punctuation do not count, nor does anything beyond letters and digits.
    """
    letters = _SKIPPED.sub("", text)
    if len(letters) < _SHORTEST:
        return b""
    codes = np.frombuffer(letters.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    shingles = np.zeros(len(codes) - _SHINGLE_CHARS + 1, np.uint64)
    for offset in range(_SHINGLE_CHARS):
        shingles = (shingles ^ codes[offset : offset + len(shingles)]) * _MULTIPLIER
        shingles ^= shingles >> np.uint64(29)
    hashed = np.unique(shingles >> np.uint64(32))
    minhash = MinHash(num_perm=SIGNATURE_VALUES, seed=1, hashfunc=int, scheme="affine32")
    minhash.update_batch(hashed.tolist())
    return np.asarray(minhash.hashvalues, np.uint32).tobytes()


def bands(data: bytes) -> list[int]:
    """The keys of a signature's bands, signed 64-bit; two texts that share one are worth comparing."""
    if not data:
        return []
    rows = _values(data).reshape(BANDS, -1)
    keys = np.arange(BANDS, dtype=np.uint64)
    for column in rows.T:
        keys = (keys ^ column.astype(np.uint64)) * _MULTIPLIER
        keys ^= keys >> np.uint64(29)
    return [int(key) for key in keys.view(np.int64)]


def similarity(first: bytes, second: bytes) -> float:
    """The estimated Jaccard similarity of two texts by their signatures; standard error 0.06 at most."""
    return np.count_nonzero(_values(first) == _values(second)) / SIGNATURE_VALUES


def _values(data: bytes) -> npt.NDArray[np.uint32]:
    return np.frombuffer(data, np.uint32)
