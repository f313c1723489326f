"""Which characters the encoder must guess: single characters and whole jieba words."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from treaty_clauses.segment import BEGIN, SINGLE
from treaty_clauses.vocabulary import MASK, SPECIAL

_KEEP, _RANDOM = 0.1, 0.1  # the rest becomes MASK: BERT's 80/10/10 (Devlin et al. 2019, section 3.1)


@dataclass(frozen=True, slots=True)
class Masked:
    """A masked batch: `characters` (windows, length), `positions` and `targets` (guesses,) into the flattened batch."""

    characters: npt.NDArray[np.int64]
    positions: npt.NDArray[np.int64]
    targets: npt.NDArray[np.int64]


def mask_batch(
    characters: npt.NDArray[np.uint16],
    boundaries: npt.NDArray[np.uint8],
    rng: np.random.Generator,
    *,
    share: float,
    whole_word: npt.NDArray[np.bool_],
    vocabulary_size: int,
) -> Masked:
    """Mask about `share` of the characters; exactly int(share * windows * length) positions come back.

    `whole_word` (windows,) says in which windows whole words are masked instead of single characters. Where chance
    masked too few, the last guesses are repeated, so that shapes are fixed for compilation; where too many, a random
    part of them is left unmasked.
    """
    windows, length = characters.shape
    wanted = int(share * windows * length)
    starts = (boundaries == BEGIN) | (boundaries == SINGLE)
    words = np.cumsum(starts, axis=1)
    by_word = np.take_along_axis(rng.random((windows, length + 1)), words, axis=1)
    by_character = rng.random((windows, length))
    score = np.where(whole_word[:, None], by_word, by_character)
    score[characters < len(SPECIAL)] = 1.0  # separators and unknown characters are never asked for
    chosen = np.flatnonzero(score.reshape(-1) < share)
    if len(chosen) == 0:
        chosen = np.zeros(1, dtype=np.int64)
    if len(chosen) > wanted:
        chosen = np.sort(rng.choice(chosen, wanted, replace=False))
    positions = np.concatenate([chosen, np.repeat(chosen[-1:], wanted - len(chosen))])
    flat = characters.reshape(-1).astype(np.int64)
    targets = flat[positions]
    masked = flat.copy()
    dice = rng.random(len(chosen))
    masked[chosen[dice >= _KEEP + _RANDOM]] = MASK
    replaced = chosen[(dice >= _KEEP) & (dice < _KEEP + _RANDOM)]
    masked[replaced] = rng.integers(len(SPECIAL), vocabulary_size, len(replaced))
    return Masked(masked.reshape(windows, length), positions, targets)
