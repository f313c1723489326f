import pytest
from hypothesis import given
from hypothesis import strategies as st

from treaty_clauses.text import fold_width, simplify

any_text = st.text(st.characters(exclude_categories=()))  # lone surrogates included


@given(any_text)
def test_folding_keeps_every_position(text: str) -> None:
    folded = fold_width(text)
    assert len(folded) == len(text)
    assert fold_width(folded) == folded


@given(any_text)
def test_the_simplified_shadow_keeps_every_position(text: str) -> None:
    assert len(simplify(text)) == len(text)


@pytest.mark.parametrize(
    ("text", "folded"),
    [("５０％，Ａ～", "50%,A~"), ("　\u00a0\t", "   "), ("\r", "\n"), ("停火。「」", "停火。「」")],
    ids=["ascii", "spaces", "return", "chinese stays"],
)
def test_width_folding(text: str, folded: str) -> None:
    assert fold_width(text) == folded


def test_simplifying_is_by_character_and_leaves_the_rest() -> None:
    assert simplify("烏克蘭與俄羅斯停火30天") == "乌克兰与俄罗斯停火30天"
