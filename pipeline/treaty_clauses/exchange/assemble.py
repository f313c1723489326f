"""Regions and relations, as an annotator left them, put together to a record again."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from treaty_clauses.errors import AnnotationError
from treaty_clauses.exchange.graph import LABELS, Graph, Region, Relation, orient
from treaty_clauses.io import text_sha256
from treaty_clauses.labels import Comparator, Modality, Role, Status, TermRole
from treaty_clauses.numbers import normalize_term
from treaty_clauses.spans import Layer
from treaty_clauses.types import SCHEMA_VERSION, ArticleRecord

_TERM_ATTRIBUTES = ("comparator", "value", "high", "unit")


def record_of(graph: Graph, *, where: str) -> ArticleRecord:
    """Put a record together.

    Regions that came without attributes get what the guidelines take for granted: an id of their own, the quote as name,
    `obligation` and `proposed`, the unnamed proposal. A term needs its value and unit.

    Raises:
        AnnotationError: The text was changed, a region lies outside it or has an unknown label, a relation cannot be, or a
            clause or term lacks what cannot be guessed; `where` opens the message.
    """
    return _Assembler(graph, where).assemble()


class _Assembler:
    def __init__(self, graph: Graph, where: str) -> None:
        self.text, self.document, self.where = graph.text, graph.document, where
        self.regions = {region.id: region for region in graph.regions}
        if len(self.regions) < len(graph.regions):
            raise AnnotationError(f"{where}: two regions have one id")
        for region in graph.regions:
            if region.label not in LABELS:
                raise AnnotationError(f"{where}: unknown label {region.label!r}; labels are {', '.join(LABELS)}")
            if not 0 <= region.start < region.end <= len(graph.text):
                raise AnnotationError(
                    f"{where}: the {region.label} at [{region.start}, {region.end}) lies outside the text of "
                    f"{len(graph.text)} code points"
                )
        layers = {region.id: region.layer for region in graph.regions}
        relations = [orient(relation, layers, where=where) for relation in graph.relations]
        self.groups = self._join(relations)
        self.links: dict[tuple[str, str], list[str]] = defaultdict(list)
        for relation in relations:
            source, target = self.head[relation.source], self.head[relation.target]
            self.links[source, relation.type].append(target)

    def _join(self, relations: list[Relation]) -> dict[str, list[Region]]:
        """Regions by the head of their group: the first of those that `same` joins."""
        parent = {name: name for name in self.regions}
        rank = {name: index for index, name in enumerate(self.regions)}

        def find(name: str) -> str:
            while parent[name] != name:
                name = parent[name]
            return name

        for relation in relations:
            if relation.type == "same":
                first, second = sorted((find(relation.source), find(relation.target)), key=rank.__getitem__)
                parent[second] = first
        self.head = {name: find(name) for name in self.regions}
        groups: dict[str, list[Region]] = defaultdict(list)
        for name, region in self.regions.items():
            groups[self.head[name]].append(region)
        return groups

    def assemble(self) -> ArticleRecord:
        actors = self._named(Layer.ACTOR, "a")
        proposals = self._proposals(actors)
        clauses = self._named(Layer.CLAUSE, "c")
        for head, regions in self._heads(Layer.CLAUSE):
            home = self._home(head, regions, proposals)
            home["clauses"].append({"id": clauses[head], **self._clause(head, regions, actors)})
        article = dict(self.document.get("article") or {})
        sha256 = text_sha256(self.text)
        if article.get("sha256") not in (None, sha256):
            raise AnnotationError(
                f"{self.where}: the text of {article.get('id')!r} is not the one that was exported (SHA-256); the tool "
                "or an editor changed it (line ends?), so that offsets no longer hold"
            )
        table = {
            "schema_version": self.document.get("schema_version") or SCHEMA_VERSION,
            "article": {"published": None} | article | {"sha256": sha256, "length": len(self.text)},
            "actors": tuple(
                {
                    "id": actors[head],
                    "name": self._attribute(regions, "name") or self._quote(regions[0]),
                    "kind": regions[0].kind,
                    "wikidata": self._attribute(regions, "wikidata"),
                    "mentions": self._mentions(regions),
                }
                for head, regions in self._heads(Layer.ACTOR)
            ),
            "proposals": tuple(proposals.values()),
            "model": self.document.get("model"),
            "warnings": tuple(self.document.get("warnings") or ()),
        }
        try:
            return ArticleRecord.model_validate(table)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(step) for step in first["loc"])
            raise AnnotationError(f"{self.where}: {place}: {first['msg']}, found {first['input']!r}") from error

    def _heads(self, layer: Layer) -> Iterator[tuple[str, list[Region]]]:
        for head, regions in self.groups.items():
            if regions[0].layer is layer:
                yield head, regions

    def _named(self, layer: Layer, letter: str) -> dict[str, str]:
        """Ids by head; an id that another region has already is not given twice."""
        ids: dict[str, str] = {}
        taken = {str(region.attributes["id"]) for region in self.regions.values() if "id" in region.attributes}
        taken |= {str(entry.get("id")) for entry in self.document.get("proposals") or ()}
        used: set[str] = set()
        for head, regions in self._heads(layer):
            own = self._attribute(regions, "id")
            number = 1
            while own is None or own in used:
                own = None if f"{letter}{number}" in taken | used else f"{letter}{number}"
                number += 1
            used.add(str(own))
            ids[head] = str(own)
        return ids

    @staticmethod
    def _attribute(regions: list[Region], key: str) -> Any:
        return next((region.attributes[key] for region in regions if key in region.attributes), None)

    def _quote(self, region: Region) -> str:
        return self.text[region.start : region.end]

    def _mention(self, region: Region) -> dict[str, Any]:
        return {"start": region.start, "end": region.end, "text": self._quote(region)}

    def _mentions(self, regions: list[Region]) -> tuple[dict[str, Any], ...]:
        return tuple(self._mention(region) for region in regions)

    def _proposals(self, actors: dict[str, str]) -> dict[str, dict[str, Any]]:
        """Proposals by id, in the document's order, new ones behind."""
        listed: dict[str, dict[str, Any]] = {
            str(entry["id"]): dict(entry) for entry in self.document.get("proposals") or ()
        }
        ids = self._named(Layer.PROPOSAL, "p")
        heads = {ids[head]: (head, regions) for head, regions in self._heads(Layer.PROPOSAL)}
        self.proposal_ids = ids
        proposals: dict[str, dict[str, Any]] = {}
        for name in (*listed, *(name for name in heads if name not in listed)):
            if name in heads:
                head, regions = heads[name]
                proposals[name] = {
                    "id": name,
                    # A proposal that was in the document keeps its name, also when that is null.
                    "name": self._attribute(regions, "name") or (None if name in listed else self._quote(regions[0])),
                    "date": self._attribute(regions, "date"),
                    "proposers": tuple(actors[actor] for actor in self.links[head, Role.PROPOSERS.value]),
                    "mentions": self._mentions(regions),
                    "clauses": [],
                }
            elif "proposers" in listed[name]:
                entry = listed[name]
                known = set(actors.values())
                proposers = tuple(actor for actor in entry["proposers"] if actor in known)
                proposals[name] = {"date": None} | entry | {"proposers": proposers, "mentions": (), "clauses": []}
        return proposals

    def _home(self, head: str, regions: list[Region], proposals: dict[str, dict[str, Any]]) -> dict[str, Any]:
        linked = [self.proposal_ids[target] for target in self.links[head, "proposal"]]
        if len(set(linked)) > 1:
            raise AnnotationError(f"{self.where}: the clause {self._quote(regions[0])!r} belongs to two proposals")
        name = linked[0] if linked else self._attribute(regions, "proposal")
        if name is None or name not in proposals:
            unnamed = (key for key, proposal in proposals.items() if proposal["name"] is None)
            free = (f"p{number}" for number in range(1, len(proposals) + 2) if f"p{number}" not in proposals)
            name = next(unnamed, None) or next(free)
        if name not in proposals:
            bare: dict[str, Any] = {"name": None, "date": None, "proposers": (), "mentions": (), "clauses": []}
            proposals[str(name)] = {"id": name, **bare}
        return proposals[str(name)]

    def _clause(self, head: str, regions: list[Region], actors: dict[str, str]) -> dict[str, Any]:
        quote = self._quote(regions[0])
        confidence = self._attribute(regions, "confidence")
        return {
            "type": regions[0].kind,
            "modality": self._attribute(regions, "modality") or Modality.OBLIGATION,
            "status": self._attribute(regions, "status") or Status.PROPOSED,
            "text": self._attribute(regions, "text") or quote,
            "mentions": self._mentions(regions),
            "terms": tuple(self._term(self.regions[name]) for name in self.links[head, "term"]),
            "conditions": tuple(self._mention(self.regions[name]) for name in self.links[head, "condition"]),
            "confidence": 1.0 if confidence is None else confidence,
            **{role.value: tuple(actors[name] for name in self.links[head, role.value]) for role in Role},
        }

    def _term(self, region: Region) -> dict[str, Any]:
        anchors = self.links[region.id, "anchor"]
        return {
            "role": region.kind,
            **self._mention(region),
            **(self._read_term(region) if "value" not in region.attributes else {"comparator": Comparator.EQ}),
            "high": None,
            **{key: region.attributes[key] for key in _TERM_ATTRIBUTES if key in region.attributes},
            "anchor": self._mention(self.regions[anchors[0]]) if anchors else None,
        }

    def _read_term(self, region: Region) -> dict[str, Any]:
        """The value of a term that the annotator only marked."""
        published = (self.document.get("article") or {}).get("published")
        day = date.fromisoformat(published) if published and len(published) == len("2025-11-27") else None
        quantity = normalize_term(self._quote(region), published=day, role=TermRole(region.kind))
        if quantity is None:
            raise AnnotationError(
                f"{self.where}: the term {self._quote(region)!r} has no value and cannot be read; add value and unit, or "
                "mark its whole span"
            )
        value, high = _plain(quantity.value), None if quantity.high is None else _plain(quantity.high)
        return {"comparator": quantity.comparator, "value": value, "high": high, "unit": quantity.unit}


def _plain(value: Decimal | str) -> int | float | str:
    if isinstance(value, str):
        return value
    return int(value) if value == value.to_integral_value() else float(value)
