import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from treaty_clauses.io import text_sha256
from treaty_clauses.training.augment import AugmentConfig, apply_edits, augment
from treaty_clauses.training.gold import GoldArticle
from treaty_clauses.types import ArticleRecord, Mention, Term

ALWAYS = AugmentConfig(names=1.0, numerals=1.0, quotes=1.0)


def spans(record: ArticleRecord) -> list[Mention | Term]:
    found: list[Mention | Term] = [m for a in record.actors for m in a.mentions]
    found += [m for p in record.proposals for m in p.mentions]
    for clause in (clause for proposal in record.proposals for clause in proposal.clauses):
        found += [*clause.mentions, *clause.conditions, *clause.terms]
        found += [term.anchor for term in clause.terms if term.anchor]
    return found


def assert_sound(gold: GoldArticle) -> None:
    text, record = gold.article.text, gold.record
    for span in spans(record):
        assert text[span.start : span.end] == span.text
    assert record.article.sha256 == text_sha256(text)
    assert record.article.length == len(text)
    for proposal in record.proposals:
        assert all(clause.text == clause.mentions[0].text for clause in proposal.clauses)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 10**6))
def test_quotes_are_slices_whatever_was_drawn(gold: GoldArticle, seed: int) -> None:
    changed = augment(gold, np.random.default_rng(seed), ALWAYS)
    assert_sound(changed)
    assert len(spans(changed.record)) == len(spans(gold.record))


def labels(record: ArticleRecord) -> list[object]:
    """All that an annotation says but where and in which words."""
    return [
        [(a.id, a.kind, a.wikidata, len(a.mentions)) for a in record.actors],
        [(p.id, p.proposers, p.date, len(p.mentions)) for p in record.proposals],
        [
            (c.id, c.type, c.modality, c.status, c.bearer, c.counterparty, c.territory, c.proposers, len(c.mentions))
            for p in record.proposals
            for c in p.clauses
        ],
        [(t.role, t.value, t.high, t.unit, t.comparator) for p in record.proposals for c in p.clauses for t in c.terms],
    ]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 10**6))
def test_no_label_or_value_is_changed(gold: GoldArticle, seed: int) -> None:
    assert labels(augment(gold, np.random.default_rng(seed), ALWAYS).record) == labels(gold.record)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=40)
@given(seed=st.integers(0, 10**6))
def test_an_actor_is_renamed_in_all_its_mentions_or_in_none(gold: GoldArticle, seed: int) -> None:
    changed = augment(gold, np.random.default_rng(seed), AugmentConfig(names=1.0, numerals=0.0, quotes=0.0))
    for before, after in zip(gold.record.actors, changed.record.actors, strict=True):
        renamed: dict[str, set[str]] = {}
        for old, new in zip(before.mentions, after.mentions, strict=True):
            renamed.setdefault(old.text, set()).add(new.text)
        assert all(len(forms) == 1 for forms in renamed.values()), renamed
        same = [old in new for old, new in renamed.items()]
        assert all(same) or not any(same), renamed


def test_names_are_really_swapped(gold: GoldArticle) -> None:
    config = AugmentConfig(names=1.0, numerals=0.0, quotes=0.0)
    texts = {augment(gold, np.random.default_rng(seed), config).article.text for seed in range(20)}
    assert len(texts) > 10


def test_numerals_are_respelt_and_values_stay_readable(gold: GoldArticle) -> None:
    config = AugmentConfig(names=0.0, numerals=1.0, quotes=0.0)
    changed = augment(gold, np.random.default_rng(0), config)
    terms = [term.text for proposal in changed.record.proposals for c in proposal.clauses for term in c.terms]
    assert terms == ["十天內", "不得超過1.2萬人", "三成", "二十億美元", "二○二六年三月一日前"]


def test_quotation_marks_are_swapped(gold: GoldArticle) -> None:
    changed = augment(gold, np.random.default_rng(0), AugmentConfig(names=0.0, numerals=0.0, quotes=1.0))
    assert "「" not in changed.article.text
    assert len(changed.article.text) == len(gold.article.text)


def test_nothing_drawn_changes_nothing(gold: GoldArticle) -> None:
    assert augment(gold, np.random.default_rng(0), AugmentConfig(0.0, 0.0, 0.0)) == gold


def test_edits_through_a_border_are_left_out(gold: GoldArticle) -> None:
    start = gold.record.proposals[0].clauses[0].mentions[0].start
    assert apply_edits(gold, [(start - 1, start + 1, "甲")]) == gold


@pytest.mark.parametrize("edits", [[(3, 5, "甲"), (4, 6, "乙")], [(4, 6, "乙"), (3, 5, "甲")]])
def test_of_overlapping_edits_the_first_is_made(gold: GoldArticle, edits: list[tuple[int, int, str]]) -> None:
    text = gold.article.text
    assert apply_edits(gold, edits).article.text == text[:3] + "甲" + text[5:]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_edits_move_every_span_with_its_words(gold: GoldArticle, data: st.DataObject) -> None:
    length = len(gold.article.text)
    edits = data.draw(
        st.lists(
            st.tuples(st.integers(0, length - 4), st.integers(1, 4), st.text("天地", min_size=1, max_size=6)).map(
                lambda drawn: (drawn[0], drawn[0] + drawn[1], drawn[2])
            ),
            max_size=12,
        )
    )
    changed = apply_edits(gold, edits)
    assert_sound(changed)
    touched = set()
    for start, end, _ in edits:
        touched.update(range(start, end))
    for before, after in zip(spans(gold.record), spans(changed.record), strict=True):
        if not touched & set(range(before.start, before.end)):
            assert after.text == before.text
