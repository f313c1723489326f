import tempfile
from pathlib import Path

import jieba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from treaty_clauses.segment import BEGIN, END, MIDDLE, SINGLE, Segmenter

mixed_text = st.text(st.characters(exclude_categories=()) | st.sampled_from("烏克蘭停火協議同意30％ 。\n\u3000"))


@settings(deadline=None)
@given(text=mixed_text)
def test_segmentation_loses_nothing(segmenter: Segmenter, text: str) -> None:
    assert "".join(segmenter.words(text)) == text


@settings(deadline=None)
@given(text=mixed_text)
def test_boundaries_spell_the_words(segmenter: Segmenter, text: str) -> None:
    ids = segmenter.boundaries(text)
    words: list[str] = []
    for character, kind in zip(text, ids.tolist(), strict=True):
        if kind in (BEGIN, SINGLE):
            words.append(character)
        else:
            words[-1] += character
            assert kind in (MIDDLE, END)
    assert words == segmenter.words(text)
    assert ids.dtype == np.uint8


def test_traditional_words_are_known(segmenter: Segmenter) -> None:
    assert segmenter.words("烏克蘭同意簽署停火協議") == ["烏克蘭", "同意", "簽署", "停火協議"]


def test_full_width_digits_stay_as_given(segmenter: Segmenter) -> None:
    assert "".join(segmenter.words("５０％資產")) == "５０％資產"


def test_two_instances_share_nothing_and_leave_jiebas_own_alone() -> None:
    before = len(jieba.dt.FREQ)
    first, second = Segmenter(), Segmenter()
    first._tokenizer.FREQ["停火協議書"] = 10**9
    assert "停火協議書" not in second._tokenizer.FREQ
    assert len(jieba.dt.FREQ) == before


def test_no_machine_wide_cache_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    Segmenter().words("停火協議")
    assert list(tmp_path.iterdir()) == []
