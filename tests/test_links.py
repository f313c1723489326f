import numpy as np

from treaty_clauses.labels import ActorKind, ClauseType, Modality, Role, Status, TermRole
from treaty_clauses.links import CLASSIFIERS, CONDITION_REACH_CHARS, LINKS, link_inputs
from treaty_clauses.spans import Discourse, Layer, SpanSet, as_array


def test_every_label_set_of_the_contract_has_its_classifier() -> None:
    sizes = {name: size for name, (_, size) in CLASSIFIERS.items()}
    assert sizes == {
        "clause_type": len(ClauseType),
        "modality": len(Modality),
        "status": len(Status),
        "kind": len(ActorKind),
        "term_role": len(TermRole),
    }
    assert LINKS["roles"] == (Layer.CLAUSE, Layer.ACTOR, len(Role))


def test_pairs_are_made_for_every_scorer() -> None:
    spans = SpanSet(
        {layer: as_array([]) for layer in Layer}
        | {
            Layer.CLAUSE: as_array([(0, 5), (400, 405)]),
            Layer.CONDITION: as_array([(6, 9)]),
            Layer.ACTOR: as_array([(0, 2), (400, 402), (410, 412)]),
        },
        actor_entities=np.array([0, 0, 1]),
    )
    pairs = link_inputs(spans, Discourse.of("字" * 420)).pairs
    assert set(pairs) == set(LINKS)
    assert pairs["roles"].candidates.shape[:2] == (2, 2)
    assert pairs["attribution"].candidates.shape[:2] == (2, 0)
    assert pairs["same_norm"].candidates.shape[:2] == (2, 2)
    assert pairs["same_proposal"].candidates.shape[:2] == (0, 0)
    assert pairs["conditions"].candidates[0, 0, 0] == 0
    assert (pairs["conditions"].candidates[1] == -1).all(), f"further than {CONDITION_REACH_CHARS} characters"
