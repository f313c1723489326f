"""doccano: JSON Lines of a sequence labeling project with relations ("use relation" and "allow overlapping" on).

doccano keeps whatever its editor, which is JavaScript, counts: UTF-16 units, so that a character outside the Basic
Multilingual Plane (an emoji, a rare Han character) counts two (v-annotator in doccano 1.8). With the project option
"count grapheme clusters as one character" it counts grapheme clusters, which are not supported: leave that option off.
Files made by other programs often count code points; `utf16=False` reads and writes those.

doccano has labels and relations but no attributes. Modality and status are therefore spans of their own on a clause
(`modality.obligation`, `status.agreed`), open to correction; the other attributes travel in the column `treaty_clauses`,
which doccano keeps as metadata, by offsets and label. A term whose span was moved gets its value read anew.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from treaty_clauses.errors import AnnotationError
from treaty_clauses.exchange.assemble import record_of
from treaty_clauses.exchange.graph import Graph, Imported, Region, Relation, graph_of
from treaty_clauses.exchange.offsets import Units
from treaty_clauses.spans import Layer
from treaty_clauses.types import ArticleRecord

_DOCUMENT = "treaty_clauses"
_FACETS = ("modality", "status")
_KNOWN = {"id", "text", "entities", "relations", "Comments", "comments", _DOCUMENT}


def to_line(text: str, record: ArticleRecord, *, utf16: bool = True) -> dict[str, Any]:
    """One example, as doccano imports it; a file holds one JSON object a line.

    Raises:
        AnnotationError: Text and record do not belong together.
    """
    graph = graph_of(text, record)
    units = Units(text)
    counted: Callable[[int], int] = units.to_utf16 if utf16 else int
    numbers = {region.id: number for number, region in enumerate(graph.regions)}
    entities = [_entity(numbers[region.id], region, region.label, counted) for region in graph.regions]
    for region in graph.regions:
        for facet in _FACETS:
            if facet in region.attributes:
                entities.append(_entity(len(entities), region, f"{facet}.{region.attributes[facet]}", counted))
    relations = [
        {"id": number, "from_id": numbers[relation.source], "to_id": numbers[relation.target], "type": relation.type}
        for number, relation in enumerate(graph.relations)
    ]
    places = Counter((region.start, region.end, region.label) for region in graph.regions)
    attributes = [
        {"start_offset": counted(region.start), "end_offset": counted(region.end), "label": region.label, **kept}
        for region in graph.regions
        if (kept := {key: value for key, value in region.attributes.items() if key not in _FACETS})
        or places[region.start, region.end, region.label] > 1
    ]
    document = {**graph.document, "attributes": attributes}
    return {"text": text, "entities": entities, "relations": relations, _DOCUMENT: document}


def _entity(number: int, region: Region, label: str, counted: Callable[[int], int]) -> dict[str, Any]:
    return {"id": number, "label": label, "start_offset": counted(region.start), "end_offset": counted(region.end)}


def from_line(line: str, *, where: str, utf16: bool = True) -> Imported:
    """Read one line of a doccano export.

    Raises:
        AnnotationError: The line is of another form, or cannot be made a record.
    """
    try:
        row = json.loads(line)
        if "entities" not in row and "label" in row:
            raise AnnotationError(
                f"{where}: this export has no relations; switch `use relation` on in the project and export again"
            )
        return _Reader(row, where, utf16).read()
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise AnnotationError(
            f"{where}: not a line of a doccano export with relations ({type(error).__name__}: {error})"
        ) from error


class _Reader:
    def __init__(self, row: dict[str, Any], where: str, utf16: bool) -> None:
        self.row, self.where = row, where
        self.text: str = row["text"]
        self.units = Units(self.text) if utf16 else None

    def read(self) -> Imported:
        document = dict(self.row.get(_DOCUMENT) or {"article": {"id": str(self.row.get("id"))}})
        notes = [f"{self.where}: the column {key!r} was left out" for key in self.row if key not in _KNOWN]
        kept: dict[tuple[int, int, str], list[dict[str, Any]]] = defaultdict(list)
        for entry in document.pop("attributes", ()):
            key = (self._offset(entry.pop("start_offset")), self._offset(entry.pop("end_offset")), entry.pop("label"))
            kept[key].append(entry)
        regions: dict[str, Region] = {}
        facets: dict[tuple[int, int], dict[str, str]] = defaultdict(dict)
        for entity in self.row["entities"]:
            start, end = self._offset(entity["start_offset"]), self._offset(entity["end_offset"])
            facet, _, value = str(entity["label"]).partition(".")
            if facet in _FACETS:
                facets[start, end][facet] = value
                continue
            found = kept[start, end, entity["label"]]
            name = str(entity["id"])
            regions[name] = Region(name, start, end, entity["label"], found.pop(0) if found else {})
        clauses = {name: region for name, region in regions.items() if region.label.startswith(f"{Layer.CLAUSE}.")}
        for name, region in clauses.items():
            own = facets.get((region.start, region.end), {})
            regions[name] = Region(name, region.start, region.end, region.label, {**region.attributes, **own})
        places = {(region.start, region.end) for region in clauses.values()}
        for start, end in sorted(facets.keys() - places):
            said = ", ".join(facets[start, end].values())
            notes.append(f"{self.where}: {said} at [{start}, {end}) stands on no clause and was left out")
        for (start, end, label), entries in kept.items():
            if any(entries):
                notes.append(f"{self.where}: the {label} at [{start}, {end}) is gone; so are its attributes")
        relations = tuple(
            Relation(str(relation["from_id"]), str(relation["to_id"]), relation["type"])
            for relation in self.row.get("relations") or ()
        )
        graph = Graph(self.text, tuple(regions.values()), relations, document)
        return Imported(self.text, record_of(graph, where=self.where), tuple(notes))

    def _offset(self, offset: int) -> int:
        if self.units is None:
            return offset
        found = self.units.to_code_point(offset)
        if found is None:
            raise AnnotationError(
                f"{self.where}: offset {offset} lies inside a character or behind the end; does the file count code "
                "points (utf16=False), or does the project count grapheme clusters?"
            )
        return found


def read_lines(lines: str, *, where: str, utf16: bool = True) -> Iterator[Imported]:
    """Read all lines of a doccano export.

    Raises:
        AnnotationError: A line is of another form, or cannot be made a record.
    """
    for number, line in enumerate(lines.split("\n"), start=1):
        if line.strip():
            yield from_line(line, where=f"{where}:{number}", utf16=utf16)
