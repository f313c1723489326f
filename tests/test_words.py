from pathlib import Path

import numpy as np
import pytest

from treaty_clauses.errors import ModelError
from treaty_clauses.segment import Segmenter, boundary_ids
from treaty_clauses.words import UNKNOWN, WordTable, spell


def test_a_word_is_found_in_either_script_and_with_any_digits() -> None:
    table = WordTable([spell("撤軍"), spell("2024"), spell("年")])
    text = "撤军2025年撤軍１２３４"
    words = [(0, 2), (2, 6), (6, 7), (7, 9), (9, 13)]
    assert table.rows(text, words).tolist() == [1, 1, 2, 2, 2, 2, 3, 1, 1, 2, 2, 2, 2]


def test_other_words_are_unknown(segmenter: Segmenter) -> None:
    text = "兩國同意停火\n。"
    rows = WordTable([spell("停火")]).rows(text, segmenter.spans(text))
    assert rows.dtype == np.uint16
    assert rows.tolist() == [UNKNOWN] * 4 + [1, 1] + [UNKNOWN] * 2


def test_an_empty_text_has_no_words() -> None:
    assert len(WordTable(["停火"]).rows("", [])) == 0
    assert len(boundary_ids([])) == 0


def test_a_table_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    WordTable(["停火", "\u2028", "a b"]).save(path)
    table = WordTable.load(path)
    assert len(table) == 4
    assert table.rows("a b停火", [(0, 3), (3, 5)]).tolist() == [3, 3, 3, 1, 1]


def test_a_missing_list_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"words\.txt"):
        WordTable.load(tmp_path / "words.txt")
