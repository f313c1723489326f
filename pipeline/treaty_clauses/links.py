"""What the heads are asked: which layers are labelled, which pairs are scored. No network here."""

from dataclasses import dataclass, field

import numpy as np

from treaty_clauses.bearers import COUNTS
from treaty_clauses.labels import ActorKind, ClauseType, Modality, Role, Status, TermRole
from treaty_clauses.refine import EXTRA_CHANNELS
from treaty_clauses.spans import Discourse, Ints, Layer, Pairs, SpanSet, pair_up

#: Output sizes of the span classifiers: which layer they read, and how many labels.
CLASSIFIERS: dict[str, tuple[Layer, int]] = {
    "clause_type": (Layer.CLAUSE, len(ClauseType)),
    "modality": (Layer.CLAUSE, len(Modality)),
    "status": (Layer.CLAUSE, len(Status)),
    "kind": (Layer.ACTOR, len(ActorKind)),
    "term_role": (Layer.TERM, len(TermRole)),
}
#: A further classifier of taggers that count bearers (`HeadsConfig.count_bearers`).
COUNTED: dict[str, tuple[Layer, int]] = {"bearers": (Layer.CLAUSE, COUNTS)}
#: Classifiers of clauses on which a bag-of-words classifier votes as well.
BAGGED = ("clause_type", "modality", "status")
#: Pair scorers: source layer, target layer, how many independent links.
LINKS: dict[str, tuple[Layer, Layer, int]] = {
    "roles": (Layer.CLAUSE, Layer.ACTOR, len(Role)),
    "attribution": (Layer.CLAUSE, Layer.PROPOSAL, 1),
    "proposers": (Layer.PROPOSAL, Layer.ACTOR, 1),
    "conditions": (Layer.CLAUSE, Layer.CONDITION, 1),
    "same_norm": (Layer.CLAUSE, Layer.CLAUSE, 1),
    "same_proposal": (Layer.PROPOSAL, Layer.PROPOSAL, 1),
}
#: Links whose table is looked at a second time (`refine.py`), and the output sizes of all scorers.
REFINED = ("roles", "attribution")
CHANNELS = {name: links + (EXTRA_CHANNELS if name in REFINED else 0) for name, (_, _, links) in LINKS.items()}
CONDITION_REACH_CHARS = 200


@dataclass(frozen=True, slots=True)
class LinkInputs:
    """The pairs of one article for every scorer of LINKS."""

    pairs: dict[str, Pairs] = field(default_factory=dict)


def link_inputs(spans: SpanSet, discourse: Discourse) -> LinkInputs:
    """Candidate pairs of an article's spans."""
    grouped = {"roles": spans.actor_entities, "proposers": spans.actor_entities, "attribution": spans.proposal_entities}
    entities: dict[str, Ints] = {
        name: grouped[name] if name in grouped else np.arange(spans.count(target))
        for name, (_, target, _) in LINKS.items()
    }
    return LinkInputs(
        {
            name: pair_up(
                spans.layers[source],
                spans.layers[target],
                entities[name],
                discourse,
                reach_chars=CONDITION_REACH_CHARS if name == "conditions" else None,
            )
            for name, (source, target, _) in LINKS.items()
        }
    )
