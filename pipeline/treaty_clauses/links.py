"""What the heads are asked: which layers are labelled, which pairs are scored. No network here."""

from dataclasses import dataclass, field

import numpy as np

from treaty_clauses.labels import ActorKind, ClauseType, Modality, Role, Status, TermRole
from treaty_clauses.spans import Discourse, Ints, Layer, Pairs, SpanSet, pair_up

#: Output sizes of the span classifiers: which layer they read, and how many labels.
CLASSIFIERS: dict[str, tuple[Layer, int]] = {
    "clause_type": (Layer.CLAUSE, len(ClauseType)),
    "modality": (Layer.CLAUSE, len(Modality)),
    "status": (Layer.CLAUSE, len(Status)),
    "kind": (Layer.ACTOR, len(ActorKind)),
    "term_role": (Layer.TERM, len(TermRole)),
}
#: Classifiers of clauses on which a bag-of-words classifier votes as well.
BAGGED = ("clause_type", "modality", "status")
#: Pair scorers: source layer, target layer, how many independent links.
LINKS: dict[str, tuple[Layer, Layer, int]] = {
    "roles": (Layer.CLAUSE, Layer.ACTOR, len(Role)),
    "attribution": (Layer.CLAUSE, Layer.PROPOSAL, 1),
    "proposers": (Layer.PROPOSAL, Layer.ACTOR, 1),
    "conditions": (Layer.CLAUSE, Layer.CONDITION, 1),
    "same_norm": (Layer.CLAUSE, Layer.CLAUSE, 1),
}
CONDITION_REACH_CHARS = 200


@dataclass(frozen=True, slots=True)
class LinkInputs:
    """The pairs of one article for every scorer of LINKS."""

    pairs: dict[str, Pairs] = field(default_factory=dict)


def link_inputs(spans: SpanSet, discourse: Discourse) -> LinkInputs:
    """Candidate pairs of an article's spans."""
    entities: dict[Layer, Ints] = {
        Layer.ACTOR: spans.actor_entities,
        Layer.PROPOSAL: spans.proposal_entities,
        Layer.CONDITION: np.arange(spans.count(Layer.CONDITION)),
        Layer.CLAUSE: np.arange(spans.count(Layer.CLAUSE)),
    }
    return LinkInputs(
        {
            name: pair_up(
                spans.layers[source],
                spans.layers[target],
                entities[target],
                discourse,
                reach_chars=CONDITION_REACH_CHARS if name == "conditions" else None,
            )
            for name, (source, target, _) in LINKS.items()
        }
    )
