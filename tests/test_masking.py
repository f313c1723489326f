import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from treaty_clauses.segment import BEGIN, END, MIDDLE, SINGLE
from treaty_clauses.training.masking import Masked, mask_batch
from treaty_clauses.vocabulary import MASK, SEPARATOR, SPECIAL, UNKNOWN

SIZE = 50


def batch(seed: int, *, windows: int = 6, length: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Random characters in words of one to four."""
    rng = np.random.default_rng(seed)
    characters = rng.integers(len(SPECIAL), SIZE, (windows, length)).astype(np.uint16)
    characters[rng.random((windows, length)) < 0.05] = SEPARATOR
    boundaries = np.full((windows, length), MIDDLE, np.uint8)
    for row in boundaries:
        start = 0
        while start < length:
            end = min(length, start + int(rng.integers(1, 5)))
            row[start : start + 1], row[end - 1] = BEGIN, END
            if end - start == 1:
                row[start] = SINGLE
            start = end
    return characters, boundaries


def mask(seed: int, *, share: float = 0.2, word: bool = False) -> tuple[np.ndarray, np.ndarray, Masked]:
    characters, boundaries = batch(seed)
    masked = mask_batch(
        characters,
        boundaries,
        np.random.default_rng(seed),
        share=share,
        whole_word=np.full(len(characters), word),
        vocabulary_size=SIZE,
    )
    return characters, boundaries, masked


@settings(deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([0.05, 0.15, 0.3]), st.booleans())
def test_shapes_are_fixed_and_targets_are_the_characters(seed: int, share: float, word: bool) -> None:
    characters, _, masked = mask(seed, share=share, word=word)
    assert masked.characters.shape == characters.shape
    assert len(masked.positions) == len(masked.targets) == int(share * characters.size)
    assert (characters.reshape(-1)[masked.positions] == masked.targets).all()
    assert (masked.characters < SIZE).all()


@settings(deadline=None)
@given(st.integers(0, 10**6), st.booleans())
def test_nothing_else_is_changed_and_separators_are_never_asked_for(seed: int, word: bool) -> None:
    characters, _, masked = mask(seed, word=word)
    untouched = np.ones(characters.size, bool)
    untouched[masked.positions] = False
    assert (masked.characters.reshape(-1)[untouched] == characters.reshape(-1)[untouched]).all()
    assert (masked.targets >= len(SPECIAL)).all()


def test_most_guesses_stand_behind_the_mask_some_are_kept_some_replaced() -> None:
    counts = np.zeros(3)
    for seed in range(60):
        characters, _, masked = mask(seed)
        positions = np.unique(masked.positions)
        seen, true = masked.characters.reshape(-1)[positions], characters.reshape(-1)[positions]
        counts += [(seen == MASK).sum(), (seen == true).sum(), ((seen != MASK) & (seen != true)).sum()]
    assert counts / counts.sum() == pytest.approx([0.8, 0.1, 0.1], abs=0.03)


def test_whole_words_are_masked_whole() -> None:
    broken = total = 0
    for seed in range(30):
        characters, boundaries, masked = mask(seed, word=True)
        chosen = np.zeros(characters.size, bool)
        chosen[masked.positions] = True
        words = (
            np.cumsum((boundaries == BEGIN) | (boundaries == SINGLE), axis=1)
            + np.arange(len(boundaries))[:, None] * 100
        )
        askable = characters.reshape(-1) >= len(SPECIAL)
        for word in np.unique(words.reshape(-1)[chosen]):
            members = (words.reshape(-1) == word) & askable
            total += 1
            broken += not chosen[members].all()
    assert broken / total < 0.2, "only words cut to keep the shape fixed are broken"


def test_masking_is_repeated_from_the_same_random_state() -> None:
    first, second = mask(4)[2], mask(4)[2]
    assert (first.characters == second.characters).all()
    assert (first.positions == second.positions).all()


def test_a_window_of_separators_and_unknown_characters_alone_goes_through() -> None:
    characters = np.full((2, 20), SEPARATOR, np.uint16)
    characters[1] = UNKNOWN
    masked = mask_batch(
        characters,
        np.full((2, 20), SINGLE, np.uint8),
        np.random.default_rng(0),
        share=0.2,
        whole_word=np.zeros(2, bool),
        vocabulary_size=SIZE,
    )
    assert len(masked.positions) == 8
    assert len(np.unique(masked.positions)) == 1
