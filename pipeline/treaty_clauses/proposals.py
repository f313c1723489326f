"""From the network's scores to a record: values, links and groupings by exact code that refuses rather than guesses."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from treaty_clauses.actor_groups import Link
from treaty_clauses.bearers import choose_bearers
from treaty_clauses.io import text_sha256
from treaty_clauses.labels import ActorKind, ClauseType, Modality, Role, Status, TermRole
from treaty_clauses.numbers import normalize_term
from treaty_clauses.proposal_names import plain_name
from treaty_clauses.spans import Ints, Layer, SpanSet
from treaty_clauses.surroundings import Surroundings
from treaty_clauses.types import (
    SCHEMA_VERSION,
    Actor,
    Article,
    ArticleInfo,
    ArticleRecord,
    Clause,
    Mention,
    Proposal,
    Term,
)

Floats = npt.NDArray[np.float32]
_BEARER = list(Role).index(Role.BEARER)


@dataclass(frozen=True, slots=True)
class Scores:
    """What the network says of an article's spans, as probabilities.

    `labels[name]` (spans, labels); `roles` (clauses, actors, 4); `attribution` (clauses, proposals + 1), the last column
    for "no named proposal"; `proposers` (proposal mentions, actors); `conditions` (clauses, conditions); `same_norm`
    (clauses, clauses), each pair below the diagonal.
    """

    labels: dict[str, Floats]
    roles: Floats
    attribution: Floats
    proposers: Floats
    conditions: Floats
    same_norm: Floats


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From which probability on a link is taken, and how raw confidences are corrected; set on dev.

    A clause without a bearer of `role` gets its likeliest one from `sole_bearer` on; at 1 never. Where the tagger says how many
    bearers a clause has, they are chosen as a set instead, in which that number counts `count_weight` times.
    """

    role: float = 0.5
    sole_bearer: float = 1.0
    condition: float = 0.3
    same_norm: float = 0.5
    proposer: float = 0.5
    same_proposal: float = 0.5
    confidence_scale: float = 1.0
    confidence_offset: float = 0.0
    count_weight: float = 1.0


class RecordBuilder:
    """Builds the record of one article from its spans, links and scores."""

    def __init__(
        self,
        article: Article,
        spans: SpanSet,
        links: Sequence[Link],
        scores: Scores,
        *,
        thresholds: Thresholds,
        model: str,
    ) -> None:
        self.article, self.spans, self.links, self.scores = article, spans, links, scores
        self.thresholds, self.model = thresholds, model
        self.warnings: list[str] = []
        self.surroundings = Surroundings(article.text, article.published)

    def build(self) -> ArticleRecord:
        """The record; what had to be dropped is in its warnings."""
        actors = self._actors()
        proposals = self._proposals([actor.id for actor in actors])
        article = self.article
        info = ArticleInfo(
            id=_encodable(article.id),
            title=None if article.title is None else _encodable(article.title),
            published=article.published.isoformat() if article.published else None,
            source=None if article.source is None else _encodable(article.source),
            url=None if article.url is None else _encodable(article.url),
            sha256=text_sha256(article.text),
            length=len(article.text),
        )
        return ArticleRecord(
            schema_version=SCHEMA_VERSION,
            article=info,
            actors=tuple(actors),
            proposals=tuple(proposals),
            model=self.model,
            warnings=tuple(self.warnings),
        )

    def _mention(self, start: int, end: int) -> Mention:
        return Mention(start=start, end=end, text=self.article.text[start:end])

    def _mentions(self, layer: Layer, rows: Sequence[int]) -> tuple[Mention, ...]:
        return tuple(self._mention(*self.spans.layers[layer][row].tolist()) for row in rows)

    def _actors(self) -> list[Actor]:
        entities = self.spans.actor_entities
        kinds = self.scores.labels["kind"]
        actors = []
        for entity in range(_entity_count(entities)):
            rows = np.flatnonzero(entities == entity).tolist()
            link = self.links[rows[0]]
            kind = link.kind or list(ActorKind)[int(kinds[rows].mean(axis=0).argmax())]
            actors.append(
                Actor(
                    id=f"a{entity + 1}",
                    name=link.name,
                    kind=kind,
                    wikidata=link.wikidata,
                    mentions=self._mentions(Layer.ACTOR, rows),
                )
            )
        return actors

    def _proposals(self, actor_ids: list[str]) -> list[Proposal]:
        entities = self.spans.proposal_entities
        count = _entity_count(entities)
        clauses = self._clauses(actor_ids)
        proposals: list[tuple[str | None, tuple[str, ...], tuple[Mention, ...], list[Clause]]] = []
        for entity in range(count):
            rows = np.flatnonzero(entities == entity).tolist()
            mentions = self._mentions(Layer.PROPOSAL, rows)
            certain = self.scores.proposers[rows].max(axis=0) if len(actor_ids) else np.zeros(0)
            proposers = tuple(a for a, p in zip(actor_ids, certain, strict=True) if p >= self.thresholds.proposer)
            fullest = max((plain_name(m.text) for m in mentions), key=len) or mentions[0].text
            proposals.append((fullest, proposers, mentions, clauses.get(entity, [])))
        if clauses.get(count):
            proposals.append((None, (), (), clauses[count]))
        numbered = []
        number = 0
        for index, (name, proposers, mentions, own) in enumerate(proposals, start=1):
            held = []
            for clause in own:
                number += 1
                held.append(clause.model_copy(update={"id": f"c{number}"}))
            numbered.append(
                Proposal(
                    id=f"p{index}", name=name, proposers=proposers, date=None, mentions=mentions, clauses=tuple(held)
                )
            )
        return numbered

    def _clauses(self, actor_ids: list[str]) -> dict[int, list[Clause]]:
        """Clauses by proposal number; the number past the last is the unnamed proposal."""
        scores = self.scores
        owner = scores.attribution.argmax(axis=1) if len(scores.attribution) else np.zeros(0, np.int64)
        conditions = self._condition_links()
        found: dict[int, list[Clause]] = {}
        for rows in self._same_norms(owner):
            labels = {name: scores.labels[name][rows].mean(axis=0) for name in ("clause_type", "modality", "status")}
            best = {name: int(values.argmax()) for name, values in labels.items()}
            roles = scores.roles[rows].mean(axis=0)
            taken = roles >= self.thresholds.role
            taken[:, _BEARER] = self._bearers(roles[:, _BEARER], rows)
            held = {
                role.value: tuple(a for a, t in zip(actor_ids, taken[:, n], strict=True) if t)
                for n, role in enumerate(Role)
            }
            governed = [column for column in range(conditions.shape[1]) if conditions[rows, column].any()]
            mentions = self._mentions(Layer.CLAUSE, rows)
            span_score = float(self.spans.scores[Layer.CLAUSE][rows].mean())
            raw = span_score * float(labels["clause_type"].max()) ** 0.5 * float(labels["modality"].max()) ** 0.5
            confidence = corrected(raw, self.thresholds.confidence_scale, self.thresholds.confidence_offset)
            found.setdefault(int(owner[rows[0]]), []).append(
                Clause(
                    id="c",
                    type=list(ClauseType)[best["clause_type"]],
                    modality=list(Modality)[best["modality"]],
                    status=list(Status)[best["status"]],
                    text=mentions[0].text,
                    mentions=mentions,
                    terms=self._terms(rows, governed),
                    conditions=self._mentions(Layer.CONDITION, governed),
                    confidence=round(confidence, 4),
                    **held,
                )
            )
        return found

    def _bearers(self, likely: Floats, rows: Sequence[int]) -> npt.NDArray[np.bool_]:
        """Which actors are the bearers of a clause with these mentions."""
        counts = self.scores.labels.get("bearers")
        if counts is not None:
            return choose_bearers(likely, counts[rows].mean(axis=0), weight=self.thresholds.count_weight)
        taken = likely >= self.thresholds.role
        if len(likely) and not taken.any():
            taken[int(likely.argmax())] = likely.max() >= self.thresholds.sole_bearer
        return taken

    def _same_norms(self, owner: Ints) -> list[list[int]]:
        """Clause spans grouped into clauses: pairs above the threshold within one proposal."""
        count = len(owner)
        parent = list(range(count))
        types = self.scores.labels["clause_type"].argmax(axis=1) if count else np.zeros(0, np.int64)
        for later in range(count):
            for earlier in range(later):
                alike = owner[later] == owner[earlier] and types[later] == types[earlier]
                if alike and self.scores.same_norm[later, earlier] >= self.thresholds.same_norm:
                    parent[_root(parent, later)] = _root(parent, earlier)
        groups: dict[int, list[int]] = {}
        for row in range(count):
            groups.setdefault(_root(parent, row), []).append(row)
        return list(groups.values())

    def _condition_links(self) -> npt.NDArray[np.bool_]:
        """(clauses, conditions): linked above the threshold; a condition with no such clause goes to its likeliest."""
        scores = self.scores.conditions
        linked = scores >= self.thresholds.condition
        for column in range(scores.shape[1]):
            if not linked[:, column].any():
                start, end = self.spans.layers[Layer.CONDITION][column].tolist()
                if len(scores) and scores[:, column].max() > _NO_LINK:
                    linked[int(scores[:, column].argmax()), column] = True
                else:
                    self.warnings.append(f"condition [{start}, {end}) dropped: no clause in reach")
        return linked

    def _terms(self, rows: Sequence[int], governed: Sequence[int]) -> tuple[Term, ...]:
        homes = [tuple(self.spans.layers[Layer.CLAUSE][row].tolist()) for row in rows]
        homes += [tuple(self.spans.layers[Layer.CONDITION][column].tolist()) for column in governed]
        roles = self.scores.labels["term_role"]
        terms: list[Term] = []
        for index, (start, end) in enumerate(self.spans.layers[Layer.TERM].tolist()):
            home = next((h for h in homes if h[0] <= start and end <= h[1]), None)
            if home is None:
                continue
            term = self._term(start, end, list(TermRole)[int(roles[index].argmax())], home)
            if term is None:
                continue
            same = next((t for t in terms if (t.value, t.high, t.unit) == (term.value, term.high, term.unit)), None)
            if same is None:
                terms.append(term)
            elif len(term.text) > len(same.text):
                terms[terms.index(same)] = term
        return tuple(terms)

    def _term(self, start: int, end: int, role: TermRole, home: tuple[int, ...]) -> Term | None:
        text = self.article.text[start:end]
        quantity = normalize_term(
            text,
            published=self.article.published,
            currency_hint=self.surroundings.currency(start, end) if role is TermRole.ASSET_SUM else None,
            role=role,
            told=self.surroundings.told(start) if _MONTH in text else None,
        )
        if quantity is None:
            self.warnings.append(f"term [{start}, {end}) {text!r} dropped: its value cannot be read")
            return None
        anchors = self.spans.layers[Layer.ANCHOR].tolist()
        near = [(min(abs(start - e), abs(s - end)), s, e) for s, e in anchors if e > home[0] - 40 and s < home[1]]
        anchor = self._mention(*min(near)[1:]) if near and role in _ANCHORED else None
        return Term(
            role=role,
            start=start,
            end=end,
            text=text,
            comparator=quantity.comparator,
            value=_number(quantity.value),
            high=None if quantity.high is None else _number(quantity.high),
            unit=quantity.unit,
            anchor=anchor,
        )


CONFIDENCE_EDGE = 1e-4  # confidences are kept this far from 0 and 1, so that their logits are finite


def corrected(raw: float, scale: float, offset: float) -> float:
    """A raw confidence on the calibrated scale: the logistic of `scale` times its logit plus `offset`.

    >>> round(corrected(0.6, 1.0, 0.0), 4)
    0.6
    """
    inner = min(max(raw, CONFIDENCE_EDGE), 1 - CONFIDENCE_EDGE)
    return 1 / (1 + math.exp(-(scale * math.log(inner / (1 - inner)) + offset)))


_ANCHORED = (TermRole.DEADLINE, TermRole.DURATION, TermRole.START_DATE)
_MONTH = "月"
_NO_LINK = 1e-3  # probability of pairs out of reach


def keep_at_least(record: ArticleRecord, minimum: float) -> ArticleRecord:
    """The record without the clauses whose confidence is below `minimum`; unnamed proposals left empty go too."""
    if minimum <= 0:
        return record
    proposals = []
    for proposal in record.proposals:
        clauses = tuple(clause for clause in proposal.clauses if clause.confidence >= minimum)
        if clauses or proposal.name is not None:
            proposals.append(proposal.model_copy(update={"clauses": clauses}))
    return record.model_copy(update={"proposals": tuple(proposals)})


def empty_record(article: Article, *, model: str, warnings: Sequence[str]) -> ArticleRecord:
    """The record of an article in which nothing was read."""
    none = SpanSet({layer: np.zeros((0, 2), np.int64) for layer in Layer})
    scores = Scores(
        labels={"kind": np.zeros((0, len(ActorKind)), np.float32)},
        roles=np.zeros((0, 0, len(Role)), np.float32),
        attribution=np.zeros((0, 1), np.float32),
        proposers=np.zeros((0, 0), np.float32),
        conditions=np.zeros((0, 0), np.float32),
        same_norm=np.zeros((0, 0), np.float32),
    )
    builder = RecordBuilder(article, none, (), scores, thresholds=Thresholds(), model=model)
    builder.warnings.extend(warnings)
    return builder.build()


def _encodable(text: str) -> str:
    """A name without lone surrogates, which no record can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _entity_count(entities: Ints) -> int:
    return int(entities.max()) + 1 if len(entities) else 0


def _root(parent: list[int], node: int) -> int:
    while parent[node] != node:
        node = parent[node]
    return node


def _number(value: Decimal | str | date) -> int | float | str:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return str(value)
