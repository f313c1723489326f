"""Label Studio: tasks with annotations, as its JSON import takes them and its JSON export gives them.

Offsets of regions in a `Text` count Unicode code points, as ours do: the editor converts from JavaScript's UTF-16 units
(`charsToCodePoints` in its selection-tools.js, label-studio 1.23); a line feed and a carriage return count one each. The
quote it exports writes both as a backslash and an n, so quotes are compared with that in mind. A `HyperText`'s XPath
offsets are passed over for its `globalOffsets`, which count code points of the shown text.

A region's attributes are per-region controls: choices for `modality`, `status`, `comparator`, text areas for the others.
`labeling_config` has the XML for a project.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from xml.sax.saxutils import quoteattr

from treaty_clauses.errors import AnnotationError
from treaty_clauses.exchange.assemble import record_of
from treaty_clauses.exchange.graph import LABELS, RELATIONS, Graph, Imported, Region, Relation, graph_of
from treaty_clauses.labels import Comparator, Modality, Status
from treaty_clauses.types import ArticleRecord

_CHOICES: Mapping[str, Iterable[str]] = {"modality": Modality, "status": Status, "comparator": Comparator}
# Attribute -> name of its text area; `text` is the name of the shown text itself.
_AREAS = {
    "id": "id",
    "name": "name",
    "wikidata": "wikidata",
    "date": "date",
    "value": "value",
    "high": "high",
    "unit": "unit",
    "proposal": "proposal",
    "confidence": "confidence",
    "text": "quote",
}
_ATTRIBUTES = {area: key for key, area in _AREAS.items()} | {key: key for key in _CHOICES}
_NUMBERS = ("value", "high", "confidence")
_DOCUMENT = "treaty_clauses"
_BREAK = re.compile(r"[\n\r]|\\n")


def labeling_config() -> str:
    """The labeling interface of a Label Studio project for these tasks, XML."""
    lines = ["<View>", "  <Relations>"]
    lines += [f"    <Relation value={quoteattr(kind)}/>" for kind in RELATIONS]
    lines += ["  </Relations>", '  <Labels name="label" toName="text">']
    lines += [f"    <Label value={quoteattr(label)}/>" for label in LABELS]
    lines += ["  </Labels>", '  <Text name="text" value="$text"/>']
    for name, values in _CHOICES.items():
        lines.append(f'  <Choices name="{name}" toName="text" perRegion="true">')
        lines += [f"    <Choice value={quoteattr(value)}/>" for value in values]
        lines.append("  </Choices>")
    lines += [
        f'  <TextArea name="{area}" toName="text" perRegion="true" maxSubmissions="1" editable="true"/>'
        for area in _AREAS.values()
    ]
    return "\n".join([*lines, "</View>"]) + "\n"


def to_task(text: str, record: ArticleRecord) -> dict[str, Any]:
    """One task with one annotation, ready for import; a file holds a list of them.

    Raises:
        AnnotationError: Text and record do not belong together.
    """
    graph = graph_of(text, record)
    results: list[dict[str, Any]] = []
    for region in graph.regions:
        results += _results_of(region, text)
    for relation in graph.relations:
        ends = {"from_id": relation.source, "to_id": relation.target}
        results.append({**ends, "type": "relation", "direction": "right", "labels": [relation.type]})
    data = {"id": record.article.id, "text": text, _DOCUMENT: dict(graph.document)}
    return {"data": data, "annotations": [{"result": results}]}


def _results_of(region: Region, text: str) -> Iterator[dict[str, Any]]:
    place = {"start": region.start, "end": region.end}
    shared = {"id": region.id, "to_name": "text"}
    value: dict[str, Any] = {**place, "text": text[region.start : region.end], "labels": [region.label]}
    yield {**shared, "from_name": "label", "type": "labels", "value": value}
    for key, attribute in region.attributes.items():
        if key in _CHOICES:
            yield {**shared, "from_name": key, "type": "choices", "value": {**place, "choices": [attribute]}}
        else:
            shown = attribute if isinstance(attribute, str) else repr(attribute)
            yield {**shared, "from_name": _AREAS[key], "type": "textarea", "value": {**place, "text": [shown]}}


def from_tasks(tasks: object, *, where: str) -> Iterator[Imported]:
    """Read the tasks of a JSON export (the full format; JSON-MIN has no ids and no relations).

    Of several annotations of a task the one marked as ground truth counts, else the newest that was not cancelled.

    Raises:
        AnnotationError: The file or a task is of another form, or an annotation cannot be made a record.
    """
    if not isinstance(tasks, list):
        raise AnnotationError(f"{where}: expected a list of tasks, as Label Studio's JSON export gives it")
    for number, task in enumerate(tasks, start=1):
        place = f"{where}: task {task.get('id', number) if isinstance(task, dict) else number}"
        try:
            yield _read_task(task, place)
        except (KeyError, TypeError, AttributeError, IndexError) as error:
            raise AnnotationError(
                f"{place}: not of Label Studio's JSON export ({type(error).__name__}: {error}); export as JSON, not JSON-MIN"
            ) from error


def _read_task(task: dict[str, Any], where: str) -> Imported:
    data, text = task["data"], task["data"]["text"]
    notes: list[str] = []
    regions: dict[str, tuple[int, int, str]] = {}
    attributes: dict[str, dict[str, str | int | float]] = {}
    relations: list[Relation] = []
    for result in _choose(task["annotations"])["result"]:
        kind = result["type"]
        if kind == "relation":
            ends = (result["from_id"], result["to_id"])
            source, target = reversed(ends) if result.get("direction") == "left" else ends
            relations += [Relation(source, target, label) for label in result.get("labels") or [""]]
        elif kind.endswith("labels"):
            regions[result["id"]] = _read_region(result["value"], kind, text, where)
        elif result["from_name"] in _ATTRIBUTES and kind in ("choices", "textarea"):
            values = result["value"].get("choices") or result["value"].get("text")
            read = values[0] if isinstance(values, list) else values
            if read:
                attributes.setdefault(result["id"], {})[_ATTRIBUTES[result["from_name"]]] = read
        else:
            notes.append(f"{where}: the {kind} {result.get('from_name')!r} was left out; no record holds such a thing")
    document = data.get(_DOCUMENT) or {"article": {"id": str(data.get("id") or task.get("id"))}}
    graph = Graph(
        text,
        tuple(
            Region(name, start, end, label, _typed(attributes.get(name, {}), where))
            for name, (start, end, label) in regions.items()
        ),
        tuple(relations),
        document,
    )
    return Imported(text, record_of(graph, where=where), tuple(notes))


def _choose(annotations: list[dict[str, Any]]) -> dict[str, Any]:
    """The annotation that counts; a task nobody annotated is an empty one."""
    valid = [annotation for annotation in annotations if not annotation.get("was_cancelled")]
    truth = [annotation for annotation in valid if annotation.get("ground_truth")]
    newest = sorted(truth or valid, key=lambda annotation: str(annotation.get("created_at") or ""))
    return newest[-1] if newest else {"result": []}


def _read_region(value: dict[str, Any], kind: str, text: str, where: str) -> tuple[int, int, str]:
    offsets = value.get("globalOffsets") or value
    start, end = int(offsets["start"]), int(offsets["end"])
    labels = value[kind]
    if len(labels) != 1:
        raise AnnotationError(f"{where}: the region at [{start}, {end}) has {len(labels)} labels; it must have one")
    quote = value.get("text")
    if isinstance(quote, str) and _BREAK.sub("\n", quote) != _BREAK.sub("\n", text[start:end]):
        raise AnnotationError(
            f"{where}: the region at [{start}, {end}) says {quote!r}, but the text there is {text[start:end]!r}; "
            "offsets must count code points of the text as it was exported"
        )
    return start, end, str(labels[0])


def _typed(attributes: Mapping[str, str | int | float], where: str) -> dict[str, str | int | float]:
    """Numbers as numbers: 600000 and 0.3 typed into a text area; dates stay text."""
    typed = dict(attributes)
    for key in _NUMBERS:
        written = typed.get(key)
        if written is None or (key != "confidence" and attributes.get("unit") == "date"):
            continue
        plain = str(written).replace(",", "")
        try:
            typed[key] = int(plain) if re.fullmatch(r"-?\d+", plain) else float(plain)
        except ValueError as error:
            raise AnnotationError(f"{where}: {key} {written!r} is no number") from error
    return typed
