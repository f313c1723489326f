from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from treaty_clauses.errors import ModelError
from treaty_clauses.vocabulary import MASK, PAD, SEPARATOR, SPECIAL, UNKNOWN, Vocabulary

SMALL = Vocabulary((*SPECIAL, "停", "火", "5", "\n", " "))


def test_special_ids_come_first() -> None:
    assert [SPECIAL[i] for i in (PAD, UNKNOWN, SEPARATOR, MASK)] == ["[PAD]", "[UNK]", "[SEP]", "[MASK]"]
    assert len(SMALL) == 9


def test_characters_are_folded_before_they_are_looked_up() -> None:
    assert SMALL.encode("停火５\u3000\r").tolist() == [4, 5, 6, 8, 7]


@given(st.text(st.characters(exclude_categories=())))
def test_every_text_is_encoded_one_id_a_character(text: str) -> None:
    ids = SMALL.encode(text)
    assert ids.shape == (len(text),)
    assert ids.dtype == np.uint16
    assert not np.isin(ids, (PAD, SEPARATOR, MASK)).any()


@pytest.mark.parametrize("text", ["\ud800", "龘", "😀", "\0"], ids=["surrogate", "rare", "emoji", "nul"])
def test_what_is_not_in_it_is_unknown(text: str) -> None:
    assert SMALL.encode(text).tolist() == [UNKNOWN]


def test_load_gives_back_what_save_wrote(tmp_path: Path) -> None:
    path = tmp_path / "vocabulary.txt"
    SMALL.save(path)
    assert Vocabulary.load(path) == SMALL


@pytest.mark.parametrize("line_break", ["\x85", "\u2028", "\x0b", "\x1c"])
def test_odd_line_breaks_survive_saving(tmp_path: Path, line_break: str) -> None:
    path = tmp_path / "vocabulary.txt"
    vocabulary = Vocabulary((*SPECIAL, line_break, "停"))
    vocabulary.save(path)
    assert Vocabulary.load(path) == vocabulary


def test_a_backslash_survives_saving(tmp_path: Path) -> None:
    path = tmp_path / "vocabulary.txt"
    vocabulary = Vocabulary((*SPECIAL, "\\", "\n", "n"))
    vocabulary.save(path)
    assert Vocabulary.load(path) == vocabulary


@pytest.mark.parametrize(
    "content",
    [b"", b"[PAD]\n[UNK]\n", b"[PAD]\n[UNK]\n[SEP]\n[MASK]\n\xe5\x81\x9c\xe7\x81\xab\n", b"\xff\xfe"],
    ids=["empty", "cut off", "words", "no text"],
)
def test_a_foreign_file_is_a_model_error_that_names_it(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "vocabulary.txt"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"vocabulary\.txt"):
        Vocabulary.load(path)


def test_a_missing_file_is_a_model_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="restore the model folder"):
        Vocabulary.load(tmp_path / "vocabulary.txt")


def test_counts_are_cut_at_the_floor_and_ordered() -> None:
    vocabulary = Vocabulary.from_counts([("乙", 3), ("甲", 3), ("丙", 9), ("丁", 2)], floor=3)
    assert vocabulary.characters[4:] == ("丙", "乙", "甲")  # 乙 U+4E59 before 甲 U+7532
