"""Records for the scorer's tests: built by hand with short spellings, drawn at random, or shuffled."""

import hashlib
from collections.abc import Sequence
from random import Random

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from treaty_clauses.labels import ActorKind, ClauseType, Comparator, Modality, Role, Status, TermRole
from treaty_clauses.types import Actor, ArticleInfo, ArticleRecord, Clause, Mention, Proposal, Term

Chars = tuple[int, int]

# A busy machine is no defect of the scorer.
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def mention(chars: Chars) -> Mention:
    return Mention(start=chars[0], end=chars[1], text="字" * max(1, chars[1] - chars[0]))


def mentions(spans: Sequence[Chars]) -> tuple[Mention, ...]:
    return tuple(mention(chars) for chars in spans)


def actor(actor_id: str, *spans: Chars, wikidata: str | None = None, name: str | None = None, **more: object) -> Actor:
    fields = {"kind": ActorKind.STATE, **more}
    return Actor(id=actor_id, name=name or actor_id, wikidata=wikidata, mentions=mentions(spans), **fields)


def term(chars: Chars, value: float | str, unit: str = "person", **more: object) -> Term:
    fields = {"role": TermRole.TROOP_CAP, "comparator": Comparator.LE, "high": None, "anchor": None, **more}
    return Term(start=chars[0], end=chars[1], text="字", value=value, unit=unit, **fields)


def clause(*spans: Chars, conditions: Sequence[Chars] = (), **more: object) -> Clause:
    fields = {
        "id": f"c{spans}",
        "type": ClauseType.CEASEFIRE,
        "modality": Modality.OBLIGATION,
        "status": Status.PROPOSED,
        "bearer": (),
        "counterparty": (),
        "territory": (),
        "proposers": (),
        "terms": (),
        "confidence": 1.0,
        **more,
    }
    return Clause(text="字", mentions=mentions(spans), conditions=mentions(conditions), **fields)


def proposal(*clauses: Clause, name: str | None = None, spans: Sequence[Chars] = ()) -> Proposal:
    return Proposal(id=f"p{name}", name=name, proposers=(), date=None, mentions=mentions(spans), clauses=clauses)


def record(
    *proposals: Proposal, actors: Sequence[Actor] = (), article: str = "a1", text: str | None = None
) -> ArticleRecord:
    sha256 = hashlib.sha256((text or article).encode()).hexdigest()
    info = ArticleInfo(id=article, published=None, sha256=sha256, length=200)
    return ArticleRecord(schema_version="1", article=info, actors=tuple(actors), proposals=proposals)


def one_clause(*actors: Actor, **fields: object) -> ArticleRecord:
    """A record with a single clause at [0, 10) of an unnamed proposal."""
    return record(proposal(clause((0, 10), **fields)), actors=actors)


chars_strategy = st.tuples(st.integers(0, 40), st.integers(1, 12)).map(lambda pair: (pair[0], pair[0] + pair[1]))
spans_strategy = st.lists(chars_strategy, min_size=1, max_size=3)


@st.composite
def terms_strategy(draw: st.DrawFn) -> Term:
    return term(
        draw(chars_strategy),
        draw(st.sampled_from([100, 100.0, 0.3, "2025-11-27"])),
        comparator=draw(st.sampled_from([Comparator.LE, Comparator.EQ])),
        role=draw(st.sampled_from([TermRole.TROOP_CAP, TermRole.DEADLINE])),
        anchor=draw(st.none() | chars_strategy.map(mention)),
    )


@st.composite
def records_strategy(draw: st.DrawFn, article: str = "a1") -> ArticleRecord:
    """Small records full of conflicts: overlapping and repeated spans, few labels, duplicate clauses and actors."""
    actors = [
        actor(
            f"x{index}",
            *draw(spans_strategy),
            wikidata=draw(st.sampled_from([None, None, "Q1", "Q2"])),
            name=draw(st.sampled_from(["甲", "乙"])),
            kind=draw(st.sampled_from([ActorKind.STATE, ActorKind.PLACE])),
        )
        for index in range(draw(st.integers(0, 4)))
    ]
    ids = st.lists(st.sampled_from([item.id for item in actors]), unique=True, max_size=2) if actors else st.just([])
    proposals = []
    for number in range(draw(st.integers(0, 3))):
        clauses = [
            clause(
                *draw(spans_strategy),
                id=f"c{number}.{index}",
                type=draw(st.sampled_from([ClauseType.CEASEFIRE, ClauseType.TRADE])),
                modality=draw(st.sampled_from([Modality.OBLIGATION, Modality.RIGHT])),
                status=draw(st.sampled_from([Status.PROPOSED, Status.AGREED])),
                conditions=draw(st.lists(chars_strategy, max_size=2)),
                terms=tuple(draw(st.lists(terms_strategy(), max_size=2))),
                **{role.value: tuple(draw(ids)) for role in Role},
            )
            for index in range(draw(st.integers(0, 3)))
        ]
        name = draw(st.sampled_from([None, "甲案"]))
        spans = draw(st.lists(chars_strategy, max_size=2)) if name else []
        proposals.append(proposal(*clauses, name=name, spans=spans))
    return record(*proposals, actors=actors, article=article)


def shuffle(given: ArticleRecord, seed: int) -> ArticleRecord:
    """The same record with new ids and everything listed in another order."""
    random = Random(seed)

    def shuffled(items: Sequence) -> tuple:
        return tuple(random.sample(items, len(items)))

    names = {item.id: f"new{number}" for number, item in enumerate(shuffled(given.actors))}

    def rename(ids: Sequence[str]) -> tuple[str, ...]:
        return shuffled([names[actor_id] for actor_id in ids])

    def rework(item: Clause) -> Clause:
        lists = {name: shuffled(getattr(item, name)) for name in ("mentions", "terms", "conditions")}
        roles = {role.value: rename(getattr(item, role)) for role in Role}
        return item.model_copy(update={"id": f"new{random.random()}", **lists, **roles})

    return given.model_copy(
        update={
            "actors": shuffled(
                [
                    item.model_copy(update={"id": names[item.id], "mentions": shuffled(item.mentions)})
                    for item in given.actors
                ]
            ),
            "proposals": shuffled(
                [
                    item.model_copy(
                        update={
                            "id": f"new{random.random()}",
                            "mentions": shuffled(item.mentions),
                            "clauses": shuffled([rework(one) for one in item.clauses]),
                        }
                    )
                    for item in given.proposals
                ]
            ),
        }
    )
