import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from treaty_clauses.encode import GAZETTEER_HINTS, QUANTITY_HINTS, ArticleEncoder, plan_windows
from treaty_clauses.labels import ActorKind
from treaty_clauses.segment import SINGLE


@st.composite
def plans(draw: st.DrawFn) -> tuple[int, int, int]:
    context = draw(st.integers(0, 12))
    return draw(st.integers(0, 300)), draw(st.integers(2 * context + 1, 2 * context + 40)), context


@given(plans())
def test_every_character_is_kept_exactly_once(plan: tuple[int, int, int]) -> None:
    length, size, context = plan
    windows = plan_windows(length, window_chars=size, context_chars=context)
    assert [i for w in windows for i in range(w.keep_start, w.keep_end)] == list(range(length))


@given(plans())
def test_no_window_is_longer_than_allowed_or_leaves_the_text(plan: tuple[int, int, int]) -> None:
    length, size, context = plan
    for window in plan_windows(length, window_chars=size, context_chars=context):
        assert 0 <= window.start <= window.keep_start < window.keep_end <= window.end <= length
        assert window.end - window.start <= size


@given(plans())
def test_every_kept_character_has_its_context_where_it_exists(plan: tuple[int, int, int]) -> None:
    length, size, context = plan
    for window in plan_windows(length, window_chars=size, context_chars=context):
        assert window.keep_start - window.start >= min(context, window.keep_start)
        assert window.end - window.keep_end >= min(context, length - window.keep_end)


@given(plans())
def test_no_window_is_wasted(plan: tuple[int, int, int]) -> None:
    length, size, context = plan
    windows = plan_windows(length, window_chars=size, context_chars=context)
    assert len(windows) <= max(1, -(-length // (size - 2 * context)))


def test_windows_without_room_beside_the_context_are_refused() -> None:
    with pytest.raises(ValueError, match="leaves nothing"):
        plan_windows(10, window_chars=8, context_chars=4)


@pytest.mark.parametrize(
    "text",
    ["", "停", "烏克蘭同意在30天內停火。\n\n", "\ud800\0\U0001f54a停火", "a" * 700],
    ids=["empty", "one", "article", "odd characters", "latin"],
)
def test_arrays_are_as_long_as_the_text(article_encoder: ArticleEncoder, text: str) -> None:
    encoded = article_encoder.encode(text)
    assert len(encoded) == len(text)
    for values in (encoded.boundaries, encoded.gazetteer, encoded.quantities):
        assert values.shape == (len(text),)


def test_hints_mark_names_and_numbers(article_encoder: ArticleEncoder) -> None:
    text = "烏克蘭將在30天內撤軍"
    encoded = article_encoder.encode(text)
    state = 1 + 2 * list(ActorKind).index(ActorKind.STATE)
    assert encoded.gazetteer.tolist() == [state, state + 1, state + 1] + [0] * 8
    start, end = text.index("30"), text.index("撤")
    assert encoded.quantities[start] == 1
    assert (encoded.quantities[start + 1 : end] == 2).all()
    assert not encoded.quantities[:start].any()
    assert not encoded.quantities[end:].any()


def test_hint_ids_stay_below_their_counts(article_encoder: ArticleEncoder, harbor_text: str) -> None:
    encoded = article_encoder.encode(harbor_text + "俄羅斯莫斯科澤倫斯基聯合國哈瑪斯50%")
    assert encoded.gazetteer.max() < GAZETTEER_HINTS
    assert encoded.quantities.max() < QUANTITY_HINTS
    assert encoded.boundaries.max() <= SINGLE
    assert encoded.characters.dtype == np.uint16
