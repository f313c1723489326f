import rules

from treaty_clauses.gazetteer import Gazetteer
from treaty_clauses.labels import ClauseType, Modality
from treaty_clauses.types import Article


def test_patterns_find_what_is_said_plainly(gazetteer: Gazetteer) -> None:
    text = "根據「明斯克協議」，烏克蘭須在30天內釋放250名戰俘，俄羅斯不得駐軍。會後各自返國。"
    record = rules.read(Article("a", text), gazetteer)
    (plan,) = [proposal for proposal in record.proposals if proposal.clauses]
    names = {actor.id: actor.name for actor in record.actors}
    found = [(clause.type, clause.modality, [names[a] for a in clause.bearer]) for clause in plan.clauses]
    assert found == [
        (ClauseType.PRISONERS, Modality.OBLIGATION, ["烏克蘭"]),
        (ClauseType.FOREIGN_FORCES, Modality.PROHIBITION, ["俄羅斯"]),
    ]
    assert plan.name == "明斯克協議"
    assert [(term.value, term.unit) for term in plan.clauses[0].terms] == [(30, "day"), (250, "person")]


def test_a_text_without_any_pattern_has_no_clause(gazetteer: Gazetteer) -> None:
    record = rules.read(Article("a", "昨天天氣晴朗。"), gazetteer)
    assert not any(proposal.clauses for proposal in record.proposals)
