"""The output's JSON Schema, and the crosswalk of clause types to other coding schemes."""

from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from treaty_clauses.labels import ClauseType, Role
from treaty_clauses.types import ArticleRecord

_SETS = {role.value for role in Role}  # arrays of actor ids, each named once


@dataclass(frozen=True, slots=True)
class CrosswalkRow:
    """A clause type and its codes in PA-X (Peace Agreements Database) and PLOVER; empty where none was found."""

    type: ClauseType
    pa_x: tuple[str, ...]
    plover: tuple[str, ...]


def record_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of an `ArticleRecord`, references resolved, as it is written."""
    schema = ArticleRecord.model_json_schema(mode="validation")
    definitions = schema.pop("$defs", {})

    def resolve(value: Any) -> Any:
        if isinstance(value, dict):
            if "$ref" in value:
                return resolve(definitions[value["$ref"].rsplit("/", 1)[1]])
            table = {key: resolve(item) for key, item in value.items() if key not in ("title", "default", "properties")}
            if "properties" in value:
                table["properties"] = {name: resolve(item) for name, item in value["properties"].items()}
                for name in _SETS & table["properties"].keys():
                    table["properties"][name]["uniqueItems"] = True
            return table
        return [resolve(item) for item in value] if isinstance(value, list) else value

    table = resolve({key: value for key, value in schema.items() if key != "title"})
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "ArticleRecord", **table}


def crosswalk_rows() -> list[CrosswalkRow]:
    """The crosswalk, one row a clause type, in the order of `ClauseType`."""
    text = files("treaty_clauses").joinpath("data/crosswalk.tsv").read_text(encoding="utf-8")
    rows = {}
    for line in text.splitlines():
        if line and not line.startswith("#") and not line.startswith("type\t"):
            name, pa_x, plover = [*line.split("\t"), "", ""][:3]
            rows[ClauseType(name)] = CrosswalkRow(ClauseType(name), tuple(pa_x.split()), tuple(plover.split()))
    return [rows[kind] for kind in ClauseType]
