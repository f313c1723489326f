
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring_cases import (
    UNHURRIED,
    actor,
    clause,
    mention,
    one_clause,
    proposal,
    record,
    records_strategy,
    shuffle,
    term,
)
from treaty_clauses.counts import Share, Tally, iterate_tallies
from treaty_clauses.errors import InputError
from treaty_clauses.labels import ActorKind, ClauseType, Comparator, Modality, Role, Status, TermRole
from treaty_clauses.score import score_article, score_corpus

UKRAINE = actor("u", (0, 3), wikidata="Q212", name="烏克蘭")


def clauses(*items, **fields):
    return record(proposal(*items), **fields)


# --- invariants


@given(records_strategy(), records_strategy(), st.integers(0, 2**32))
@settings(UNHURRIED, max_examples=150)
def test_counts_do_not_depend_on_ids_or_on_any_order(gold, predicted, seed):
    assert score_article(shuffle(gold, seed), shuffle(predicted, seed + 1)) == score_article(gold, predicted)


@given(records_strategy(), st.integers(0, 2**32))
@UNHURRIED
def test_a_perfect_prediction_has_everything_right(gold, seed):
    counts = score_article(gold, shuffle(gold, seed))
    unnamed_twice = sum(item.name is None for item in gold.proposals) > 1
    for name, tally in iterate_tallies(counts):
        if name != "record":
            assert (tally.fp, tally.fn) == (0, 0), name
    for name, share in counts.shares.items():
        # Named proposals without a mention can't be matched; they don't occur in legal records.
        if name != "attribution":
            assert share.right == share.total, name
    legal = all(item.name is None or item.mentions for item in gold.proposals)
    if legal and not unnamed_twice:
        assert counts.record.fp == counts.record.fn == 0
        assert counts.attribution.right == counts.attribution.total


@given(records_strategy())
@UNHURRIED
def test_an_empty_prediction_has_no_recall_and_no_precision(gold):
    for _, tally in iterate_tallies(score_article(gold, record())):
        assert tally.tp == tally.fp == 0
        assert tally.precision is None
        assert tally.recall in (0.0, None)


@given(records_strategy(), records_strategy())
@UNHURRIED
def test_swapping_the_sides_swaps_false_positives_and_false_negatives(gold, predicted):
    forth, back = score_article(gold, predicted), score_article(predicted, gold)
    assert (forth.clause.tp, forth.clause.fp, forth.clause.fn) == (back.clause.tp, back.clause.fn, back.clause.fp)


@given(records_strategy(), records_strategy())
@UNHURRIED
def test_counts_stay_within_their_bounds(gold, predicted):
    counts = score_article(gold, predicted)
    for name, tally in iterate_tallies(counts):
        assert min(tally.tp, tally.fp, tally.fn) >= 0, name
    for name, share in counts.shares.items():
        assert 0 <= share.right <= share.total, name
    assert counts.strict.tp <= counts.typed.tp <= counts.clause.tp
    by_type = sum((tally for name, tally in iterate_tallies(counts) if name.startswith("type.")), Tally())
    assert by_type == counts.typed


@given(records_strategy(), records_strategy())
@UNHURRIED
def test_predicting_everything_twice_adds_false_positives_only(gold, predicted):
    once = score_article(gold, predicted)
    twice = score_article(gold, predicted.model_copy(update={"proposals": predicted.proposals + predicted.proposals}))
    given_once, given_twice = once.clause.tp + once.clause.fp, twice.clause.tp + twice.clause.fp
    assert given_twice == 2 * given_once
    perfect = score_article(predicted, predicted.model_copy(update={"proposals": predicted.proposals * 2}))
    assert perfect.clause == Tally(given_once, given_once, 0)


@given(st.lists(st.tuples(records_strategy(), records_strategy()), max_size=4), st.randoms(use_true_random=False))
@settings(UNHURRIED, max_examples=30)
def test_the_sum_does_not_depend_on_the_order_of_articles(pairs, random):
    shuffled = random.sample(pairs, len(pairs))
    assert score_corpus(shuffled).total == score_corpus(pairs).total


def test_records_of_different_texts_are_refused():
    with pytest.raises(InputError, match="article a1: gold is of the text with SHA-256"):
        score_article(record(text="甲"), record(text="乙"))


# --- clause mentions


@pytest.mark.parametrize(
    ("predicted", "clause_tally", "typed", "strict"),
    [
        pytest.param(clauses(clause((0, 10))), Tally(1, 0, 0), Tally(1, 0, 0), Tally(1, 0, 0), id="exact"),
        pytest.param(clauses(clause((0, 5))), Tally(1, 0, 0), Tally(1, 0, 0), Tally(0, 1, 1), id="half"),
        pytest.param(clauses(clause((0, 4))), Tally(0, 1, 1), Tally(0, 1, 1), Tally(0, 1, 1), id="less than half"),
        pytest.param(
            clauses(clause((0, 10), type=ClauseType.TRADE)),
            Tally(1, 0, 0),
            Tally(0, 1, 1),
            Tally(0, 1, 1),
            id="other type",
        ),
        pytest.param(
            clauses(clause((0, 10)), clause((0, 10))), Tally(1, 1, 0), Tally(1, 1, 0), Tally(1, 1, 0), id="duplicate"
        ),
        pytest.param(record(), Tally(0, 0, 1), Tally(0, 0, 1), Tally(0, 0, 1), id="empty"),
    ],
)
def test_clause_figures(predicted, clause_tally, typed, strict):
    counts = score_article(clauses(clause((0, 10))), predicted)
    assert (counts.clause, counts.typed, counts.strict) == (clause_tally, typed, strict)


def test_each_mention_of_a_clause_counts_and_a_record_counts_once():
    counts = score_article(clauses(clause((0, 10), (50, 60))), clauses(clause((0, 10))))
    assert (counts.clause, counts.record) == (Tally(1, 0, 1), Tally(1, 0, 0))
    assert (counts.gold_clauses, counts.predicted_clauses) == (1, 1)


def test_types_are_counted_one_by_one_and_confused_pairs_are_kept():
    gold = clauses(clause((0, 10)), clause((20, 30)), clause((40, 50), type=ClauseType.TRADE))
    predicted = clauses(clause((0, 10)), clause((20, 30), type=ClauseType.TRADE), clause((60, 70)))
    counts = score_article(gold, predicted)
    assert counts.types == {ClauseType.CEASEFIRE: Tally(1, 1, 1), ClauseType.TRADE: Tally(0, 1, 1)}
    assert counts.type_confusion.pairs == {
        (ClauseType.CEASEFIRE, ClauseType.CEASEFIRE): 1,
        (ClauseType.CEASEFIRE, ClauseType.TRADE): 1,
    }


def test_modality_and_status_are_judged_over_matched_mentions_only():
    gold = clauses(clause((0, 10)), clause((20, 30)), clause((40, 50)))
    predicted = clauses(clause((0, 10), modality=Modality.RIGHT), clause((20, 30), status=Status.AGREED))
    counts = score_article(gold, predicted)
    assert (counts.shares["modality"], counts.shares["status"]) == (Share(1, 2), Share(1, 2))


# --- actors and roles


@pytest.mark.parametrize(
    ("gold", "predicted", "tally"),
    [
        pytest.param(UKRAINE, UKRAINE, Tally(1, 0, 0), id="same link"),
        pytest.param(UKRAINE, actor("u", (0, 3), wikidata="Q159"), Tally(0, 1, 1), id="other link"),
        pytest.param(UKRAINE, actor("u", (0, 3), name="烏克蘭"), Tally(0, 1, 1), id="link missing"),
        pytest.param(UKRAINE, actor("u", (0, 2), wikidata="Q212"), Tally(0, 1, 1), id="not the exact span"),
        pytest.param(UKRAINE, actor("u", (0, 3), (0, 3), wikidata="Q212"), Tally(1, 1, 0), id="duplicate mention"),
        pytest.param(
            actor("n", (0, 2), (9, 11), name="南川"),
            actor("b", (0, 2), (9, 11), name="其他"),
            Tally(2, 0, 0),
            id="unlinked",
        ),
        pytest.param(
            actor("n", (0, 2), (9, 11), name="南川"), actor("b", (0, 2), (5, 7)), Tally(1, 1, 1), id="unlinked, in part"
        ),
    ],
)
def test_actor_mentions_need_the_exact_span_and_the_same_link(gold, predicted, tally):
    assert score_article(record(actors=[gold]), record(actors=[predicted])).actor == tally


def test_unlinked_actors_are_aligned_one_to_one():
    gold = record(actors=[actor("甲", (0, 2), (10, 12)), actor("乙", (20, 22))])
    lumped = record(actors=[actor("丙", (0, 2), (10, 12), (20, 22))])
    scattered = record(actors=[actor("甲", (0, 2)), actor("甲軍", (10, 12)), actor("乙", (20, 22))])
    assert score_article(gold, lumped).actor == Tally(2, 1, 1)
    assert score_article(gold, scattered).actor == Tally(2, 1, 1)


def test_an_unlinked_actor_with_the_same_name_is_the_same_in_roles():
    gold = one_clause(actor("n", (0, 2), name="南川"), bearer=("n",))
    predicted = one_clause(actor("z", (50, 52), name="南川"), bearer=("z",))
    counts = score_article(gold, predicted)
    assert (counts.role, counts.actor) == (Tally(1, 0, 0), Tally(0, 1, 1))


def test_a_shared_mention_weighs_more_than_a_name():
    gold = one_clause(actor("n", (0, 2), name="南川"), bearer=("n",))
    actors = [actor("y", (0, 2), name="其他"), actor("z", (50, 52), name="南川")]
    assert score_article(gold, one_clause(*actors, bearer=("y",))).role == Tally(1, 0, 0)
    assert score_article(gold, one_clause(*actors, bearer=("z",))).role == Tally(0, 1, 1)


def test_role_triples_need_clause_role_and_link():
    russia = actor("r", (5, 8), wikidata="Q159")
    gold = one_clause(UKRAINE, russia, bearer=("u",), counterparty=("r",), proposers=("r",))
    predicted = one_clause(UKRAINE, russia, bearer=("u", "r"), territory=("r",))
    counts = score_article(gold, predicted)
    assert counts.role == Tally(1, 2, 1)
    assert counts.roles == {
        Role.BEARER: Tally(1, 1, 0),
        Role.COUNTERPARTY: Tally(0, 0, 1),
        Role.TERRITORY: Tally(0, 1, 0),
        Role.PROPOSERS: Tally(0, 0, 1),
    }


def test_roles_of_a_clause_that_is_not_matched_are_wrong():
    counts = score_article(
        one_clause(UKRAINE, bearer=("u",)), clauses(clause((50, 60), bearer=("u",)), actors=[UKRAINE])
    )
    assert counts.role == Tally(0, 1, 1)


def test_roles_follow_the_clause_that_shares_most_mentions():
    gold = clauses(clause((0, 10), (20, 30), (40, 50), bearer=("u",)), actors=[UKRAINE])
    predicted = clauses(clause((0, 10)), clause((20, 30), (40, 50), bearer=("u",)), actors=[UKRAINE])
    assert score_article(gold, predicted).role == Tally(1, 0, 0)


def test_a_tie_between_clauses_goes_to_equal_labels():
    gold = clauses(clause((0, 10), (20, 30), bearer=("u",)), actors=[UKRAINE])
    for first, second in ((ClauseType.TRADE, ClauseType.CEASEFIRE), (ClauseType.CEASEFIRE, ClauseType.TRADE)):
        predicted = clauses(clause((0, 10), type=first, bearer=("u",)), clause((20, 30), type=second), actors=[UKRAINE])
        assert score_article(gold, predicted).role.tp == (first == ClauseType.CEASEFIRE)


def test_an_actor_that_is_not_listed_never_equals_another():
    assert score_article(one_clause(bearer=("u",)), one_clause(bearer=("u",))).role == Tally(0, 1, 1)


# --- terms and conditions

CAP = term((3, 8), 600000)


@pytest.mark.parametrize(
    ("predicted", "tally"),
    [
        pytest.param(term((3, 8), 600000.0), Tally(1, 0, 0), id="a float of the same value"),
        pytest.param(term((3, 6), 600000), Tally(1, 0, 0), id="overlap of three fifths"),
        pytest.param(term((3, 5), 600000), Tally(0, 1, 1), id="overlap of two fifths"),
        pytest.param(term((3, 8), 600001), Tally(0, 1, 1), id="value"),
        pytest.param(term((3, 8), "600000"), Tally(0, 1, 1), id="a string is no number"),
        pytest.param(term((3, 8), 600000, high=700000), Tally(0, 1, 1), id="high"),
        pytest.param(term((3, 8), 600000, unit="item"), Tally(0, 1, 1), id="unit"),
        pytest.param(term((3, 8), 600000, comparator=Comparator.LT), Tally(0, 1, 1), id="comparator"),
    ],
)
def test_terms_need_overlap_and_an_equal_quantity(predicted, tally):
    assert score_article(one_clause(terms=(CAP,)), one_clause(terms=(predicted,))).term == tally


def test_a_decimal_fraction_is_compared_as_written():
    assert score_article(one_clause(terms=(term((0, 2), 0.3),)), one_clause(terms=(term((0, 2), 0.30),))).term.tp == 1
    assert (
        score_article(one_clause(terms=(term((0, 2), 0.3),)), one_clause(terms=(term((0, 2), 0.1 + 0.2),))).term.tp == 0
    )


def test_a_duplicate_term_is_a_false_positive():
    assert score_article(one_clause(terms=(CAP,)), one_clause(terms=(CAP, CAP))).term == Tally(1, 1, 0)


def test_terms_of_all_clauses_are_matched_whichever_clause_lists_them():
    gold = clauses(clause((0, 10), terms=(CAP,)), clause((20, 30)))
    predicted = clauses(clause((0, 10)), clause((20, 30), terms=(CAP,)))
    assert score_article(gold, predicted).term == Tally(1, 0, 0)


@pytest.mark.parametrize(
    ("gold_anchor", "predicted_anchor", "right"),
    [
        pytest.param(None, None, 1, id="none"),
        pytest.param((10, 14), (13, 16), 1, id="overlapping"),
        pytest.param((10, 14), (14, 16), 0, id="apart"),
        pytest.param((10, 14), None, 0, id="missed"),
        pytest.param(None, (10, 14), 0, id="spurious"),
    ],
)
def test_anchors_and_roles_are_judged_over_right_terms(gold_anchor, predicted_anchor, right):
    def days(anchor, role):
        return term((3, 8), 100, "day", role=role, anchor=anchor and mention(anchor))

    gold = one_clause(terms=(days(gold_anchor, TermRole.DEADLINE), term((20, 22), 5)))
    predicted = one_clause(terms=(days(predicted_anchor, TermRole.DURATION), term((20, 22), 6)))
    counts = score_article(gold, predicted)
    assert (counts.term_role, counts.anchor) == (Share(0, 1), Share(right, 1))


def test_the_same_term_of_two_clauses_is_paired_by_clause():
    def both(first, second):
        return clauses(
            clause((0, 10), terms=(term((3, 8), 100, role=first),)),
            clause((20, 30), terms=(term((3, 8), 100, role=second),)),
        )

    gold = both(TermRole.DEADLINE, TermRole.DURATION)
    assert score_article(gold, gold).term_role == Share(2, 2)
    assert score_article(gold, both(TermRole.DURATION, TermRole.DEADLINE)).term_role == Share(0, 2)


def test_a_condition_counts_once_for_each_clause_it_governs():
    gold = clauses(clause((0, 10), conditions=[(12, 18)]), clause((20, 30), conditions=[(12, 18)]))
    predicted = clauses(
        clause((0, 10), conditions=[(12, 16)]), clause((20, 30)), clause((40, 50), conditions=[(12, 18)])
    )
    assert score_article(gold, predicted).condition == Tally(1, 1, 1)


# --- proposals and records


def test_proposals_are_matched_by_overlapping_mentions_and_unnamed_ones_by_their_clauses():
    gold = record(
        proposal(clause((0, 10)), name="甲案", spans=[(100, 106)]),
        proposal(clause((20, 30)), name="乙案", spans=[(120, 124)]),
        proposal(clause((40, 50))),
    )
    predicted = record(
        proposal(clause((0, 10)), name="乙", spans=[(123, 124)]),
        proposal(clause((20, 30)), name="甲", spans=[(102, 103)]),
        proposal(clause((40, 50))),
    )
    counts = score_article(gold, predicted)
    assert (counts.attribution, counts.record) == (Share(1, 3), Tally(1, 2, 2))
    assert score_article(gold, gold).attribution == Share(3, 3)


def test_a_named_proposal_is_never_an_unnamed_one():
    gold = record(proposal(clause((0, 10)), name="甲案", spans=[(100, 106)]))
    assert score_article(gold, record(proposal(clause((0, 10))))).attribution == Share(0, 1)


def test_a_tie_between_proposals_goes_to_shared_clauses():
    gold = record(proposal(clause((0, 10)), name="甲案", spans=[(100, 106)]))
    predicted = record(
        proposal(clause((50, 60)), name="甲案", spans=[(100, 106)]),
        proposal(clause((0, 10)), name="甲案", spans=[(100, 106)]),
    )
    assert score_article(gold, predicted).attribution == Share(1, 1)


def test_an_unnamed_proposal_is_matched_only_once():
    gold = clauses(clause((0, 10)), clause((20, 30)), clause((40, 50)))
    predicted = record(proposal(clause((0, 10)), clause((20, 30))), proposal(clause((40, 50))))
    assert score_article(gold, predicted).attribution == Share(2, 3)


@pytest.mark.parametrize(
    ("fields", "right"),
    [
        pytest.param({}, 1, id="all right"),
        pytest.param(
            {"status": Status.AGREED, "counterparty": ("r",), "conditions": [(12, 15)]}, 1, id="what isn't asked"
        ),
        pytest.param({"terms": (term((80, 84), 600000, role=TermRole.QUANTITY), CAP)}, 1, id="quantities are a set"),
        pytest.param({"type": ClauseType.TRADE}, 0, id="type"),
        pytest.param({"modality": Modality.RIGHT}, 0, id="modality"),
        pytest.param({"bearer": ()}, 0, id="bearer missing"),
        pytest.param({"bearer": ("u", "r")}, 0, id="bearer spurious"),
        pytest.param({"terms": ()}, 0, id="term missing"),
        pytest.param({"terms": (term((3, 8), 600000, comparator=Comparator.EQ),)}, 0, id="comparator"),
    ],
)
def test_a_record_is_right_when_all_that_is_asked_is_right(fields, right):
    actors = UKRAINE, actor("r", (5, 8), wikidata="Q159")
    asked = {"bearer": ("u",), "terms": (CAP,)}
    counts = score_article(one_clause(*actors, **asked), one_clause(*actors, **{**asked, **fields}))
    assert counts.record == Tally(right, 1 - right, 1 - right)


def test_two_actors_with_one_link_are_one_bearer():
    army = replace_id(UKRAINE, "army")
    gold = one_clause(UKRAINE, bearer=("u",))
    assert score_article(gold, one_clause(UKRAINE, army, bearer=("u", "army"))).record == Tally(1, 0, 0)


def replace_id(item, new_id):
    return item.model_copy(update={"id": new_id})


def test_kinds_break_the_last_tie_between_unlinked_actors():
    gold = one_clause(actor("n", (0, 2), name="南川"), bearer=("n",))
    actors = [actor(kind, (0, 2), name="南川", kind=kind) for kind in (ActorKind.PLACE, ActorKind.STATE)]
    assert score_article(gold, one_clause(*actors, bearer=("state",))).role.tp == 1
    assert score_article(gold, one_clause(*actors, bearer=("place",))).role.tp == 0
