from datetime import date

import numpy as np
import pytest

from treaty_clauses.actor_groups import Link
from treaty_clauses.labels import ActorKind, ClauseType, Modality, Role, Status, TermRole
from treaty_clauses.proposals import RecordBuilder, Scores, Thresholds, empty_record
from treaty_clauses.spans import Layer, SpanSet, as_array
from treaty_clauses.types import Article, ArticleRecord, Clause

TEXT = "甲國提出和平六點方案，要求乙國在簽署後10天內撤軍；如果違約，甲國將制裁。乙國須撤軍。乙國要求約若干人。"
ALL_LINKS = {"roles", "attribution", "proposers", "conditions", "same_norm"}


def at(form: str, occurrence: int = 1) -> tuple[int, int]:
    start = -1
    for _ in range(occurrence):
        start = TEXT.index(form, start + 1)
    return start, start + len(form)


def one_hot(values: list[int], size: int) -> np.ndarray:
    rows = np.full((len(values), size), 0.01, np.float32)
    rows[np.arange(len(values)), values] = 0.9
    return rows


class Draft:
    """An article's spans and scores by hand: three clauses of one plan by 甲國, a condition, two terms, an anchor."""

    def __init__(self) -> None:
        self.clauses = [at("乙國在簽署後10天內撤軍"), at("甲國將制裁"), at("乙國須撤軍")]
        self.conditions = [at("如果違約")]
        self.actors = [at("甲國"), at("乙國"), at("甲國", 2), at("乙國", 2)]
        self.terms = [at("10天內")]
        self.proposals = [at("和平六點方案")]
        self.anchors = [at("簽署")]
        self.types = [ClauseType.WITHDRAWAL, ClauseType.SANCTIONS, ClauseType.WITHDRAWAL]
        self.term_roles = [TermRole.DEADLINE]
        self.roles = np.zeros((3, 2, 4), np.float32)
        self.roles[0, 1, 0] = self.roles[1, 0, 0] = self.roles[2, 1, 0] = 0.9
        self.attribution = np.array([[0.9, 0.1]] * 3, np.float32)
        self.conditions_of = np.array([[0.0], [0.9], [0.0]], np.float32)
        self.same_norm = np.zeros((3, 3), np.float32)
        self.proposers = np.array([[0.8, 0.1]], np.float32)
        self.proposal_entities = np.array([0])
        self.thresholds = Thresholds()
        self.counts: np.ndarray | None = None

    def build(self) -> ArticleRecord:
        spans = SpanSet(
            {
                Layer.CLAUSE: as_array(self.clauses),
                Layer.CONDITION: as_array(self.conditions),
                Layer.ACTOR: as_array(self.actors),
                Layer.TERM: as_array(self.terms),
                Layer.PROPOSAL: as_array(self.proposals),
                Layer.ANCHOR: as_array(self.anchors),
            },
            scores={layer: np.full(9, 0.8) for layer in Layer},
            actor_entities=np.array([0, 1, 0, 1]),
            proposal_entities=self.proposal_entities,
        )
        count = len(self.clauses)
        scores = Scores(
            labels={
                "clause_type": one_hot([list(ClauseType).index(kind) for kind in self.types], len(ClauseType)),
                "modality": one_hot([0] * count, len(Modality)),
                "status": one_hot([0] * count, len(Status)),
                "kind": one_hot([0] * 4, len(ActorKind)),
                "term_role": one_hot([list(TermRole).index(role) for role in self.term_roles], len(TermRole)),
            },
            roles=self.roles,
            attribution=self.attribution,
            proposers=self.proposers,
            conditions=self.conditions_of,
            same_norm=self.same_norm,
        )
        if self.counts is not None:
            scores.labels["bearers"] = self.counts
        links = [
            Link(start, end, key, name, None, wikidata, name, "name")
            for (start, end), key, name, wikidata in zip(
                self.actors, "ABAB", ["甲國", "乙國"] * 2, ["Q1", None] * 2, strict=True
            )
        ]
        article = Article("x", TEXT, date(2026, 1, 13))
        return RecordBuilder(article, spans, links, scores, thresholds=self.thresholds, model="m").build()


def clauses(record: ArticleRecord) -> list[Clause]:
    return [clause for proposal in record.proposals for clause in proposal.clauses]


@pytest.fixture
def draft() -> Draft:
    return Draft()


def test_the_draft_becomes_a_record(draft: Draft) -> None:
    record = draft.build()
    assert [(a.id, a.name, a.wikidata, len(a.mentions)) for a in record.actors] == [
        ("a1", "甲國", "Q1", 2),
        ("a2", "乙國", None, 2),
    ]
    (proposal,) = record.proposals
    assert (proposal.name, proposal.proposers) == ("和平六點方案", ("a1",))
    first, second, third = proposal.clauses
    assert (first.id, first.type, first.bearer) == ("c1", ClauseType.WITHDRAWAL, ("a2",))
    assert [m.text for m in second.conditions] == ["如果違約"]
    assert first.conditions == third.conditions == ()
    assert (record.model, record.warnings) == ("m", ())
    assert record.article.published == "2026-01-13"


def test_a_term_is_read_with_its_anchor(draft: Draft) -> None:
    (term,) = clauses(draft.build())[0].terms
    assert (term.value, term.unit, term.comparator, term.role) == (10, "day", "le", "deadline")
    assert term.anchor is not None
    assert term.anchor.text == "簽署"


def test_only_time_terms_have_an_anchor(draft: Draft) -> None:
    draft.term_roles = [TermRole.QUANTITY]
    (term,) = clauses(draft.build())[0].terms
    assert term.anchor is None


def test_the_same_norm_said_twice_is_one_clause(draft: Draft) -> None:
    draft.same_norm[2, 0] = 0.9
    first, second = clauses(draft.build())
    assert [m.text for m in first.mentions] == ["乙國在簽署後10天內撤軍", "乙國須撤軍"]
    assert first.text == "乙國在簽署後10天內撤軍"
    assert (first.id, second.id) == ("c1", "c2")


@pytest.mark.parametrize("difference", ["type", "proposal", "threshold"])
def test_norms_of_another_type_or_proposal_stay_apart(draft: Draft, difference: str) -> None:
    draft.same_norm[2, 0] = 0.9
    if difference == "type":
        draft.types[2] = ClauseType.CEASEFIRE
    elif difference == "proposal":
        draft.attribution[2] = [0.1, 0.9]
    else:
        draft.thresholds = Thresholds(same_norm=0.95)
    assert len(clauses(draft.build())) == 3


def test_sameness_passes_on(draft: Draft) -> None:
    draft.types = [ClauseType.WITHDRAWAL] * 3
    draft.same_norm[1, 0] = draft.same_norm[2, 1] = 0.9
    (only,) = clauses(draft.build())
    assert len(only.mentions) == 3
    assert only.bearer == ("a2",), "0.9 in two mentions of three; 甲國 in one"


def test_a_term_that_cannot_be_read_is_dropped_with_a_warning(draft: Draft) -> None:
    draft.clauses[2] = at("乙國要求約若干人")
    draft.terms = [at("約若干人")]
    draft.term_roles = [TermRole.TROOP_CAP]
    record = draft.build()
    start, end = at("約若干人")
    assert clauses(record)[2].terms == ()
    assert record.warnings == (f"term [{start}, {end}) '約若干人' dropped: its value cannot be read",)


def test_a_term_outside_of_every_clause_is_in_none(draft: Draft) -> None:
    draft.terms = [at("六")]
    assert all(clause.terms == () for clause in clauses(draft.build()))


def test_a_condition_without_a_certain_clause_goes_to_the_likeliest(draft: Draft) -> None:
    draft.conditions_of = np.array([[0.01], [0.02], [0.2]], np.float32)
    assert [len(clause.conditions) for clause in clauses(draft.build())] == [0, 0, 1]


def test_a_condition_out_of_reach_is_dropped_with_a_warning(draft: Draft) -> None:
    draft.conditions_of = np.zeros((3, 1), np.float32)
    record = draft.build()
    start, end = at("如果違約")
    assert all(clause.conditions == () for clause in clauses(record))
    assert record.warnings == (f"condition [{start}, {end}) dropped: no clause in reach",)


def test_a_condition_may_govern_several_clauses(draft: Draft) -> None:
    draft.conditions_of = np.array([[0.5], [0.9], [0.1]], np.float32)
    assert [len(clause.conditions) for clause in clauses(draft.build())] == [1, 1, 0]


def test_clauses_of_no_named_proposal_hang_under_one_unnamed(draft: Draft) -> None:
    draft.attribution = np.array([[0.2, 0.8], [0.9, 0.1], [0.2, 0.8]], np.float32)
    named, unnamed = draft.build().proposals
    assert (named.name, len(named.clauses)) == ("和平六點方案", 1)
    assert (unnamed.name, unnamed.mentions, unnamed.proposers, len(unnamed.clauses)) == (None, (), (), 2)
    assert [clause.id for clause in (*named.clauses, *unnamed.clauses)] == ["c1", "c2", "c3"]


def test_a_named_proposal_without_clauses_is_kept(draft: Draft) -> None:
    draft.attribution = np.array([[0.2, 0.8]] * 3, np.float32)
    named, unnamed = draft.build().proposals
    assert (named.name, named.clauses) == ("和平六點方案", ())
    assert len(unnamed.clauses) == 3


def test_the_fullest_name_names_the_proposal(draft: Draft) -> None:
    draft.proposals = [at("六點方案"), at("和平六點方案")]
    draft.proposal_entities = np.array([0, 0])
    draft.proposers = np.array([[0.1, 0.1], [0.8, 0.1]], np.float32)
    (proposal,) = draft.build().proposals
    assert proposal.name == "和平六點方案"
    assert len(proposal.mentions) == 2
    assert proposal.proposers == ("a1",)


def test_roles_are_taken_from_the_threshold_on(draft: Draft) -> None:
    draft.roles[0] = [[0.49, 0.5, 0.0, 0.6], [0.9, 0.2, 0.5, 0.0]]
    first = clauses(draft.build())[0]
    held = {role.value: getattr(first, role.value) for role in Role}
    assert held == {"bearer": ("a2",), "counterparty": ("a1",), "territory": ("a2",), "proposers": ("a1",)}


@pytest.mark.parametrize(("sole_bearer", "bearers"), [(1.0, [(), ("a1",), ()]), (0.3, [("a2",), ("a1",), ()])])
def test_a_clause_without_a_bearer_gets_its_likeliest_from_the_lower_threshold_on(
    draft: Draft, sole_bearer: float, bearers: list[tuple[str, ...]]
) -> None:
    draft.roles[:, :, 0] = [[0.1, 0.4], [0.6, 0.45], [0.2, 0.1]]
    draft.thresholds = Thresholds(sole_bearer=sole_bearer)
    assert [clause.bearer for clause in clauses(draft.build())] == bearers


def test_bearers_are_chosen_as_a_set_where_the_tagger_counts_them(draft: Draft) -> None:
    draft.roles[:, :, 0] = [[0.4, 0.6], [0.6, 0.6], [0.3, 0.4]]
    draft.counts = one_hot([2, 0, 1], 5)
    assert [clause.bearer for clause in clauses(draft.build())] == [("a1", "a2"), (), ("a2",)]
    draft.thresholds = Thresholds(count_weight=0.0)
    assert [clause.bearer for clause in clauses(draft.build())] == [("a2",), ("a1", "a2"), ()]


def test_confidence_is_a_probability_that_falls_with_doubt(draft: Draft) -> None:
    certain = clauses(draft.build())[0].confidence
    draft.same_norm[2, 0] = 0.9
    assert 0 < certain < 1
    assert clauses(draft.build())[0].confidence == pytest.approx(certain, abs=1e-4)


def test_the_empty_record_says_why() -> None:
    record = empty_record(Article("x", " \n"), model="m", warnings=["the article is empty"])
    assert (record.actors, record.proposals, record.warnings) == ((), (), ("the article is empty",))
    assert record.article.length == 2
